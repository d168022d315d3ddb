#!/usr/bin/env bash
# cross/perf/run.sh [--record]: instructions per pass of edgeclip, ONNX Runtime and ncnn on emulated cores,
# cycles of the inner loops, and what both imply for boards. --record writes benches/record/DATE-arm.md. Takes
# about half an hour of CPU time.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=cross/environment.sh
. cross/environment.sh

[ "${1:-}" = "" ] || [ "$1" = --record ] || die "found $1, expected --record or nothing"
cases=$cache/peers/cases
python=$(echo "$cache"/venv-peers-*/bin/python)
[ -x "$python" ] && [ -d "$cases" ] || die "found no networks in $cases, expected those that benches/peers makes: just peers"
cross/tools.sh count cycles peers
cross/build.sh aarch64
program=$cross/out/edgeclip-aarch64
environment aarch64
# The same kernels with symbols; otherwise as in the profile dist.
kernels=$(CARGO_TARGET_DIR=$CARGO_TARGET_DIR/kernels CARGO_PROFILE_RELEASE_STRIP=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
    cargo_test --quiet --locked --package edgeclip-kernels --lib --release --no-run --message-format=json |
    tests/executable.sh lib edgeclip_kernels)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
{
    echo "# ARM, emulated: $(date +%F)"
    echo
    echo "Commit $(git rev-parse --short HEAD), $triple ($way), \`cross/perf/run.sh --record\`. Instructions are exact, one thread; cycles are llvm-mca's;"
    echo "milliseconds are estimated from both; nothing was run on a board."
    printf '\n## Instructions per pass\n\n'
    "$python" cross/perf/count.py --program "$program" --cases "$cases" --out "$scratch/counts.json"
    printf '\n## Inner loops\n\nProducts per cycle by llvm-mca 19: neoverse-n1 for the A76 (at most 32), cortex-a72 (LLVM: the A57) and cortex-a53 (at most 8).\n\n'
    "$python" cross/perf/cycles.py "$kernels"
    printf '\n## Boards, estimated\n\n'
    sed -n '/^The int8 products/,/^"""/p' cross/perf/estimate.py | grep -v '"""'
    sed -n '/^# Instructions per cycle/,/^}/p' cross/perf/estimate.py | sed 's/^/    /'
    echo
    "$python" cross/perf/estimate.py "$scratch/counts.json" "$kernels"
} | tee "$scratch/record.md"
if [ "${1:-}" = --record ]; then
    mkdir -p benches/record
    cp "$scratch/record.md" "benches/record/$(date +%F)-arm.md"
fi
