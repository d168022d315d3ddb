#!/usr/bin/env bash
# cross/deploy.sh [--dry-run] USER@HOST: installs or updates edgeclip on a board over ssh and
# runs `edgeclip doctor` there.
#
# Takes the package from $EDGECLIP_CACHE/cross/packages, which cross/packaging/build.sh fills. The user
# needs ssh access by key and sudo. With --dry-run the board is only queried; commands that would
# change it are printed.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross/packages

die() {
    echo "cross/deploy.sh: $*" >&2
    exit 2
}

dry=
if [ "${1:-}" = --dry-run ]; then
    dry=1
    shift
fi
[ $# = 1 ] || die "found $# arguments, expected USER@HOST"
board=$1
case $board in
-* | *[!A-Za-z0-9@._:-]*) die "found $board, expected USER@HOST" ;;
esac
connection=(-o BatchMode=yes -o ConnectTimeout=10)

on_board() { # COMMAND…: runs in the board's shell
    # shellcheck disable=SC2029 # Expanded here on purpose: the board knows none of these names.
    ssh "${connection[@]}" "$board" "$@"
}

change() { # COMMAND…: changes the board
    if [ -n "$dry" ]; then
        echo "would run: $*"
    else
        "$@"
    fi
}

# shellcheck disable=SC2016 # For awk to expand.
about=$(on_board 'uname -m; command -v dpkg >/dev/null && dpkg --print-architecture || echo none; df -Pk /tmp | tail -1 | awk "{print \$4}"') ||
    die "found no ssh access to $board, expected login by key: ssh-copy-id $board"
{ read -r machine && read -r dpkg && read -r free; } <<<"$about" || die "found \"$about\" on $board, expected machine, dpkg architecture and free space"

case $dpkg in
arm64 | armhf | amd64) architecture=$dpkg ;;
none)
    case $machine in
    aarch64) architecture=arm64 ;;
    armv7l | armv8l) architecture=armhf ;;
    x86_64) architecture=amd64 ;;
    *) die "found a $machine at $board, expected aarch64, armv7l or x86_64" ;;
    esac
    ;;
*) die "found architecture $dpkg at $board, expected arm64, armhf or amd64" ;;
esac

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
file=edgeclip_${version}_$architecture.deb
[ "$dpkg" != none ] || file=edgeclip-$version-$architecture.tar.gz
case $architecture in arm64) target=aarch64 ;; armhf) target=armv7 ;; amd64) target=x86_64 ;; esac
[ -f "$packages/$file" ] || die "found no $packages/$file, expected: cross/build.sh $target && cross/packaging/build.sh $target"
(cd "$packages" && grep -- " $file\$" SHA256SUMS | sha256sum --check --quiet -) || die "found a $file that does not match SHA256SUMS, expected: cross/packaging/build.sh $target"
# Room for the package, and as much again to unpack it.
needed=$(($(stat -c %s "$packages/$file") * 2 / 1024))
[ "$free" -ge "$needed" ] || die "found $free KiB free in /tmp of $board, expected $needed"

echo "$board: $machine, $architecture; installing $file"
# A folder of the user's own, since others on the board may write to /tmp; what arrived is what root installs.
folder=/tmp/edgeclip.XXXXXXXXXX
[ -n "$dry" ] || folder=$(on_board mktemp -d /tmp/edgeclip.XXXXXXXXXX) || die "found no way to make a folder in /tmp of $board, expected one"
[[ $folder =~ ^/tmp/edgeclip\.[A-Za-z0-9]{10}$ ]] || die "found \"$folder\" as a temporary folder of $board, expected /tmp/edgeclip. and ten letters"
[ -n "$dry" ] || trap 'on_board rm -rf "$folder" || true' ERR
hash=$(grep -- " $file\$" "$packages/SHA256SUMS" | cut -d' ' -f1)
change scp "${connection[@]}" -q "$packages/$file" "$board:$folder/$file"
arrived="cd $folder && echo '$hash  $file' | sha256sum -c - >/dev/null"
if [ "$dpkg" != none ]; then
    change on_board "$arrived && sudo dpkg -i $file && rm -r $folder"
else
    # Keep the user's settings.
    change on_board "$arrived && sudo tar -xzf $file -C / --strip-components=1 --no-same-owner --skip-old-files --exclude=usr && \
        sudo tar -xzf $file -C / --strip-components=1 --no-same-owner --exclude=etc && rm -r $folder"
fi
[ -n "$dry" ] || on_board edgeclip --version
change on_board edgeclip doctor
