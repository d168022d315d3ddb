#!/usr/bin/env bash
# cross/build.sh TARGET [--no-text]: builds a static, stripped edgeclip with the model inside. TARGET is
# aarch64, armv7 or x86_64.
#
# --no-text leaves out text tower, tokenizer and network cameras: smaller, for vocabulary files only.
# EDGECLIP_CROSS=rustup|debian selects how to build (cross/README.md). The last line printed is the program's
# path, $EDGECLIP_CACHE/cross/out/edgeclip-TARGET[-no-text].
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=cross/environment.sh
. cross/environment.sh

target=${1:-}
arguments=() suffix=
case "${2:-}" in
"") ;;
--no-text) arguments=(--no-default-features) suffix=-no-text ;;
*) die "found $2, expected --no-text or nothing" ;;
esac
environment "$target"
# Its machine code is larger than ARM's, and a PC has the memory and time to inflate the model.
[ "$machine" != x86_64 ] || arguments+=(--features packed)

echo "$triple: $way"
cargo_program --quiet --locked --profile dist "${arguments[@]}"
mkdir -p "$cross/out"
program=$cross/out/edgeclip-$machine$suffix
cp "$CARGO_TARGET_DIR/$triple/dist/edgeclip" "$program.new"
mv "$program.new" "$program"
echo "$program"
