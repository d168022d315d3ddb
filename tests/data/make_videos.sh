#!/usr/bin/env bash
# tests/data/make_videos.sh: makes tests/data/clip again, with ffmpeg 5.1 (Debian's package `ffmpeg`; FFMPEG names another program).
#
# Four frames of 32 × 24 pixels at 12.5 frames a second, a view that moves over coffee.jpg. All files hold the same four: as pixels without
# a header (.rgb, .yuv), losslessly (.png, which is an APNG, .webp, .y4m), and as the same JPEG bytes (.jpg, .mjpeg, .avi).
set -euo pipefail
cd "$(dirname "$0")/clip"
ffmpeg() { "${FFMPEG:-ffmpeg}" -hide_banner -loglevel error -nostdin -y -bitexact "$@"; }
rgb=(-f rawvideo -pixel_format rgb24 -video_size 32x24 -framerate 25/2)

view='crop=128:96:200+n*24:150+n*8,scale=32:24:flags=area+bitexact'
ffmpeg -loop 1 -framerate 25/2 -i ../coffee.jpg -vf "$view" -frames:v 4 -f rawvideo -pix_fmt rgb24 clip.rgb
ffmpeg "${rgb[@]}" -i clip.rgb -pix_fmt yuv420p -f rawvideo clip.yuv
ffmpeg -f rawvideo -pixel_format yuv420p -video_size 32x24 -framerate 25/2 -i clip.yuv -f yuv4mpegpipe clip.y4m
ffmpeg "${rgb[@]}" -i clip.rgb -f apng -plays 0 clip.png
ffmpeg "${rgb[@]}" -i clip.rgb -c:v libwebp_anim -lossless 1 -loop 0 clip.webp
ffmpeg "${rgb[@]}" -i clip.rgb -c:v mjpeg -pix_fmt yuvj420p -q:v 4 -f mjpeg clip.mjpeg
ffmpeg -f mjpeg -i clip.mjpeg -c copy -r 25/2 clip.avi
ffmpeg -i clip.mjpeg -c copy frame_%d.jpg
ls -l
