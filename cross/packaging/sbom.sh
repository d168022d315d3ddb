#!/usr/bin/env bash
# cross/packaging/sbom.sh TARGET…: lists what is in the packages, one bill of materials in CycloneDX JSON per target (aarch64, armv7 or x86_64):
# every crate with version, licence and hash, as Cargo.lock has it.
#
# Writes edgeclip-VERSION-ARCH.cdx.json to $EDGECLIP_CACHE/cross/packages and adds it to SHA256SUMS there. Needs
# cargo-cyclonedx: cargo install --locked cargo-cyclonedx
set -euo pipefail
cd "$(dirname "$0")/../.."
packages=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross/packages
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
# The same commit gives the same bytes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

die() {
    echo "cross/packaging/sbom.sh: $*" >&2
    exit 2
}

[ $# -gt 0 ] || die "found no target, expected aarch64, armv7 or x86_64"
cargo cyclonedx --version >/dev/null 2>&1 || die "found no cargo-cyclonedx, expected: cargo install --locked cargo-cyclonedx"
mkdir -p "$packages"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The tool writes beside each Cargo.toml, so it gets a copy.
git ls-files -z Cargo.toml Cargo.lock build.rs rust-toolchain.toml src crates benches tests/*.rs tests/program examples models/default | xargs -0 cp --parents -t "$work"
for target in "$@"; do
    case $target in
    aarch64) architecture=arm64 triple=aarch64-unknown-linux-musl features=() ;;
    armv7) architecture=armhf triple=armv7-unknown-linux-musleabihf features=() ;;
    x86_64) architecture=amd64 triple=x86_64-unknown-linux-gnu features=(--features packed) ;;
    *) die "found $target, expected aarch64, armv7 or x86_64" ;;
    esac
    (cd "$work" && cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$triple" "${features[@]}" --override-filename bom)
    # Where the copy lay is nobody's business, and differs each time.
    sed "s|file://$work|file:///edgeclip|g" "$work/bom.json" >"$packages/edgeclip-$version-$architecture.cdx.json"
done
(cd "$packages" && sha256sum -- *"$version"* >SHA256SUMS && ls -l --block-size=K -- *"$version"*.cdx.json)
