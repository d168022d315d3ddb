#!/bin/sh
# Makes src/{types,layout64,layout32}.rs again from the kernel's headers. Only to be run when those shall change:
#   apt-get install libclang1-14 libc6-dev-arm64-cross linux-libc-dev-arm64-cross libc6-dev-armhf-cross linux-libc-dev-armhf-cross
#   cargo install bindgen-cli --version 0.72.1 --locked
set -eu
cd "$(dirname "$0")/src"
bindgen=${BINDGEN:-bindgen}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

generate() { # TRIPLE FLAG…: writes to standard output
    triple=$1
    shift
    # Types and constants that v4l 0.14 and src/source/v4l2 name; bindgen adds what these need.
    "$bindgen" --no-doc-comments --rust-target 1.85 --rust-edition 2024 \
        --allowlist-type 'timeval|time_t' \
        --allowlist-type 'v4l2_(audio|audioout|buffer|capability|captureparm|control|crop|cropcap|edid|enc_idx)' \
        --allowlist-type 'v4l2_(encoder_cmd|exportbuffer|ext_controls?|fmtdesc|format|fract|framebuffer|frequency)' \
        --allowlist-type 'v4l2_(frmivalenum|frmivaltypes|frmsizeenum|frmsizetypes|input|jpegcompression|modulator|output|outputparm)' \
        --allowlist-type 'v4l2_(pix_format|query_ext_ctrl|queryctrl|querymenu|requestbuffers|sliced_vbi_cap)' \
        --allowlist-type 'v4l2_(standard|std_id|streamparm|tuner)' \
        --allowlist-var 'V4L2_CTRL_FLAG_NEXT_(CTRL|COMPOUND)' \
        "$@" "/usr/$triple/include/linux/videodev2.h" -- -target "$triple" -isystem "/usr/$triple/include"
}

# The types read the same for both pointer widths, their layout does not: it is asserted for each.
for width in 64 32; do
    case $width in 64) triple=aarch64-linux-gnu ;; 32) triple=arm-linux-gnueabihf ;; esac
    generate "$triple" --no-layout-tests >"$work/types$width.rs"
    generate "$triple" >"$work/all$width.rs"
    {
        echo 'const _: () = {'
        awk '/"(Size|Alignment) of/ { if (!/;$/) { getline rest; $0 = $0 rest } print }' "$work/all$width.rs"
        echo '};'
    } >"layout$width.rs"
done
cmp "$work/types64.rs" "$work/types32.rs"
cp "$work/types64.rs" types.rs
