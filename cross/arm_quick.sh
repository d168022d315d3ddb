#!/usr/bin/env bash
# cross/arm_quick.sh: executed instructions per additional frame of the golden picture, single-threaded, on
# the cores of a Pi 5 (cortex-a76) and a Pi 4 (cortex-a72), emulated. A frame is what `edgeclip detect` does
# with a picture file: decode, detect, name, print.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=cross/environment.sh
. cross/environment.sh

picture=tests/golden/model/coffee.png
program=$cross/out/edgeclip-aarch64
[ -x "$program" ] || cross/build.sh aarch64
cross/tools.sh emulate count
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
qemu-aarch64 "$program" vocab build --prompt "cup, spoon, table, dog" --out "$scratch/things.vocab.safetensors" >/dev/null

# instructions CPU FRAMES
instructions() {
    local frames=() file=$scratch/$1.$2
    while [ ${#frames[@]} -lt "$2" ]; do frames+=("$picture"); done
    qemu7-aarch64 -cpu "$1" -plugin "$cross/bin/libicount.so,out=$file" \
        "$program" detect "${frames[@]}" --vocab "$scratch/things.vocab.safetensors" --threads 1 >"$file.json"
    [ "$(grep -c '"detections"' "$file.json")" = "$2" ] || die "$1: found $(wc -l <"$file.json") lines of results, expected $2"
    sed -n 's/^instructions //p' "$file"
}

# difference CPU: millions of instructions per frame.
difference() {
    local one two
    one=$(instructions "$1" 1) && two=$(instructions "$1" 2)
    awk -v one="$one" -v two="$two" 'BEGIN { printf "%.1f", (two - one) / 1e6 }'
}

difference cortex-a76 >"$scratch/a76" &
other=$!
difference cortex-a72 >"$scratch/a72"
wait "$other"
size=$(stat -c %s "$program")
echo "arm ok a76 $(cat "$scratch/a76") a72 $(cat "$scratch/a72") size $(awk -v bytes="$size" 'BEGIN { printf "%.1f", bytes / 1e6 }')"
