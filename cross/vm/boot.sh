#!/usr/bin/env bash
# cross/vm/boot.sh LOG SOURCE=PATH…: boots the emulated board with these files and folders in its file system;
# its output goes to LOG.
#
# One of the paths must be `init`. In addition to the cameras it has a screen of 32 bits per pixel (wide) and
# one of 16 (narrow); what they show whenever the board asks for it (board.py) goes to LOG.screens.
# EDGECLIP_CPU selects a CPU other than the Cortex-A72, EDGECLIP_VM_TIMEOUT a limit other than 420 s.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cross=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross
log=$1
shift
"$here/tools.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/initrd.py" "$cross/vm/board" "$work/initrd" "$@"
# Without firmware for PCs, which would need another package.
python3 "$here/board.py" "${EDGECLIP_VM_TIMEOUT:-420}" "$log" "$log.screens" \
    "$cross/bin/qemu-system-aarch64" -M virt -cpu "${EDGECLIP_CPU:-cortex-a72}" -smp 2 -m 1024 \
    -accel tcg,thread=multi -nographic -nodefaults -serial stdio -no-reboot -kernel "$cross"/vm/board/boot/vmlinuz-* \
    -device bochs-display,id=wide,xres=1280,yres=800,romfile= -device cirrus-vga,id=narrow,romfile= \
    -initrd "$work/initrd" -append "console=ttyAMA0 quiet panic=-1"
