#!/usr/bin/env bash
# cross/vm/run.sh [PROGRAM [PROGRAM32]]: runs the static program on an emulated 64-bit board with a camera and
# screens, and checks its output and what the screens show.
#
# The board is qemu's `virt` with a Cortex-A72, Debian's arm64 kernel, its test camera `vivid` at /dev/video0,
# and screens of 32 and 16 bits per pixel at /dev/fb0 and /dev/fb1; what these showed is in serial.log.screens
# beside the log. PROGRAM is an aarch64 edgeclip built by cross/build.sh; PROGRAM32 an armv7 one, which runs
# on the same kernel.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cross=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross
program=${1:-$cross/out/edgeclip-aarch64}
program32=${2:-$cross/out/edgeclip-armv7}

[ -x "$program" ] || {
    echo "cross/vm/run.sh: found no program $program, expected: cross/build.sh aarch64" >&2
    exit 2
}
blocks=$(mktemp)
trap 'rm -f "$blocks"' EXIT
python3 "$here/screen.py" "$blocks"
files=("$blocks=blocks.rgb" "$here/init.sh=init" "$here/tests.sh=tests.sh" "$program=usr/bin/edgeclip")
if [ -x "$program32" ]; then
    files+=("$program32=usr/bin/edgeclip32")
else
    echo "cross/vm/run.sh: found no $program32: armv7 is NOT TESTED"
fi
"$here/boot.sh" "$cross/vm/serial.log" "${files[@]}"
python3 "$here/check.py" "$cross/vm/serial.log" "$cross/vm/serial.log.screens"
