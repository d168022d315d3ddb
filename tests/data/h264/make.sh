#!/bin/sh
# Makes the streams of this folder with Debian 12's ffmpeg 5.1.9 and its x264 164: `tests/data/h264/make.sh`, from anywhere.
# Each is Annex B with an access unit delimiter before every picture. On dark grey a red square of 32 x 32 moves right by 8
# pixels a picture from the left edge, at 24 pixels from the top; below it a blue one stands still at (64, 64).
set -eu
cd "$(dirname "$0")"

# stream NAME SIZE PICTURES RANGE PROFILE X264_OPTIONS
stream() {
    ffmpeg -loglevel error -y \
        -f lavfi -i "color=c=0x303030:size=$2:rate=10" \
        -f lavfi -i "color=c=red:size=32x32:rate=10" \
        -f lavfi -i "color=c=blue:size=32x32:rate=10" \
        -filter_complex "[0][1]overlay=x=8*(n-1):y=24:format=rgb[a];[a][2]overlay=x=64:y=64:format=rgb,
            scale=out_color_matrix=bt601:out_range=$4,format=yuv420p" \
        -frames:v "$3" -an -c:v libx264 -profile:v "$5" -crf 18 -threads 1 \
        -x264-params "aud=1:scenecut=0:repeat-headers=1:$6" -bsf:v filter_units=remove_types=6 -f h264 "$1.h264"
}

# A key frame every 8 pictures, as cameras send it.
stream squares 224x120 24 tv baseline keyint=8:bframes=0
# Another size, full range, two slices a picture.
stream wide 192x112 16 pc main keyint=8:bframes=0:slices=2
# Pictures that refer to later ones: sent in another order than shown.
stream reordered 160x120 17 tv high keyint=16:bframes=2:b-adapt=0:b-pyramid=none
