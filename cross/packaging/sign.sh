#!/usr/bin/env bash
# cross/packaging/sign.sh SECRET-KEY PUBLIC-KEY [FOLDER]: signs SHA256SUMS, and with it all that it lists, with minisign, and verifies the result.
#
# FOLDER is $EDGECLIP_CACHE/cross/packages unless given. Writes SHA256SUMS.minisig there. Asks for the secret key's password.
set -euo pipefail
cd "$(dirname "$0")/../.."

die() {
    echo "cross/packaging/sign.sh: $*" >&2
    exit 2
}

[ $# -ge 2 ] && [ $# -le 3 ] || die "found $# arguments, expected SECRET-KEY PUBLIC-KEY [FOLDER]"
command -v minisign >/dev/null || die "found no minisign, expected: apt install minisign"
secret=$(realpath -- "$1") public=$(realpath -- "$2")
folder=${3:-${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross/packages}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
cd "$folder"
sha256sum --check --quiet SHA256SUMS || die "found files that SHA256SUMS does not match, expected: cross/packaging/build.sh"
minisign -S -s "$secret" -m SHA256SUMS -t "edgeclip $version"
minisign -V -q -p "$public" -m SHA256SUMS || die "found a signature by another key, expected the secret half of $public"
echo "$folder/SHA256SUMS.minisig"
