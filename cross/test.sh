#!/usr/bin/env bash
# cross/test.sh: runs the kernels' tests and whole pictures on emulated ARM CPUs and compares with
# x86-64 bit for bit.
#
# cortex-a53 and cortex-a72 trap on instructions they lack (sdot, smmla), like the real ones. The kernels of armv7 are tested where
# `cross/tools.sh armv7` has got what it takes. The reference
# program is this machine's own debug build, or the one that EDGECLIP_REFERENCE names.
set -euo pipefail
cd "$(dirname "$0")/.."
native=${CARGO_TARGET_DIR:-${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/target}
# shellcheck source=cross/environment.sh
. cross/environment.sh

reference=${EDGECLIP_REFERENCE:-$native/debug/edgeclip}
[ -n "${EDGECLIP_REFERENCE:-}" ] || CARGO_TARGET_DIR=$native cargo build --quiet --locked
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cross/tools.sh emulate
failed=0

# CPU → instruction sets of crates/kernels/src/isa.rs.
declare -A cpus=([cortex-a53]="scalar neon" [cortex-a72]="scalar neon" [cortex-a76]="scalar neon dotprod" [max]="scalar neon dotprod i8mm" [cortex-a7]="scalar")

say() { # VERDICT WHAT
    printf '%-6s %s\n' "$@"
    [ "$1" != FAILED ] || failed=1
}

kernels() { # MACHINE EMULATOR CPU…
    local machine=$1 emulator=$2 cpu log=$scratch/kernels.log
    shift 2
    (
        environment "$machine"
        for cpu in "$@"; do
            export EDGECLIP_EXPECTED_ISAS=${cpus[$cpu]}
            export "CARGO_TARGET_$(upper "$triple")_RUNNER=$emulator -cpu $cpu"
            if CARGO_TARGET_DIR=$CARGO_TARGET_DIR/kernels CARGO_PROFILE_DEV_OPT_LEVEL=2 cargo_test --quiet --locked \
                --package edgeclip-kernels --lib --tests >"$log" 2>&1; then
                say ok "kernels on $cpu (${cpus[$cpu]}): $(sed -n 's/^test result: ok. \([0-9]* passed\).*/\1/p' "$log" | head -1)"
            else
                cat "$log"
                say FAILED "kernels on $cpu (${cpus[$cpu]})"
            fi
        done
        exit "$failed"
    )
}

# The tensors of a safetensors file without the header, whose order is not fixed.
tensors() {
    python3 -c 'import sys; b = open(sys.argv[1], "rb").read(); sys.stdout.buffer.write(b[8 + int.from_bytes(b[:8], "little"):])' "$1"
}

# look NAME COMMAND…: embeddings of prompts and of the golden picture, and its detections, by one program.
look() {
    local name=$1 picture=tests/golden/model/coffee.png
    shift
    "$@" vocab build --prompt "cup, spoon, table, dog" --out "$scratch/$name.vocab.safetensors" >/dev/null 2>&1
    "$@" embed "$picture" --dense --boxes "$scratch/boxes.json" --out "$scratch/$name.safetensors"
    "$@" detect "$picture" --vocab "$scratch/$name.vocab.safetensors" --threshold 0.05 | sed 's/,"timing_ms".*//' >"$scratch/$name.json"
    { tensors "$scratch/$name.vocab.safetensors" && tensors "$scratch/$name.safetensors"; } >"$scratch/$name.bin"
}

pictures() { # MACHINE EMULATOR CPU…
    local machine=$1 emulator=$2 cpu program=$cross/out/edgeclip-$1
    shift 2
    cross/build.sh "$machine" && cross/check.sh "$program" || return 1
    for cpu in "$@"; do
        if ! look "$machine-$cpu" "$emulator" -cpu "$cpu" "$program"; then
            say FAILED "$machine on $cpu: the program failed"
        elif ! cmp "$scratch/x86.bin" "$scratch/$machine-$cpu.bin" || ! diff "$scratch/x86.json" "$scratch/$machine-$cpu.json"; then
            say FAILED "$machine on $cpu: another result than on this machine"
        else
            say ok "$machine on $cpu: embeddings of prompts and pictures equal this machine's bit for bit, detections too"
        fi
    done
}

echo '{"tests/golden/model/coffee.png": [[40, 60, 200, 150], [10, 10, 120, 90]]}' >"$scratch/boxes.json"
look x86 "$reference"
[ "$(grep -c '"label"' "$scratch/x86.json")" -gt 0 ] || die "found no detection in the golden picture on this machine"

kernels aarch64 qemu-aarch64 cortex-a53 cortex-a72 cortex-a76 max || failed=1
if [ -e "$cross/armv7.complete" ]; then
    kernels armv7 qemu-arm cortex-a7 || failed=1
else
    echo "found no $cross/armv7.complete: armv7 is NOT TESTED; \`cross/tools.sh armv7\` gets what it takes"
fi
pictures aarch64 qemu-aarch64 cortex-a53 cortex-a72 cortex-a76 max || failed=1
exit "$failed"
