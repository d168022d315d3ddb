#!/usr/bin/env bash
# cross/packaging/build.sh TARGET…: packages programs built by cross/build.sh; TARGET is
# aarch64, armv7 or x86_64.
#
# For each target, writes edgeclip_VERSION_ARCH.deb and edgeclip-VERSION-ARCH.tar.gz to
# $EDGECLIP_CACHE/cross/packages; SHA256SUMS there lists all packages of this version. EDGECLIP_PROGRAMS names
# another folder of programs. Needs dpkg-deb, which every Debian and Ubuntu has.
#
# dpkg-deb rather than cargo-deb: the program is static, so there are no library dependencies to find, which
# is most of what cargo-deb would do, and cargo-deb would have to be built on every machine that packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
cross=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross
programs=${EDGECLIP_PROGRAMS:-$cross/out}
packages=$cross/packages
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
# The same commit gives the same bytes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

die() {
    echo "cross/packaging/build.sh: $*" >&2
    exit 2
}

# tree ROOT PROGRAM: the contents of both packages, under /usr and /etc.
tree() {
    local doc=$1/usr/share/doc/edgeclip
    install -D "$2" "$1/usr/bin/edgeclip"
    install -Dm644 cross/edgeclip.service "$1/usr/lib/systemd/system/edgeclip.service"
    install -Dm644 cross/packaging/files/60-edgeclip.rules "$1/usr/lib/udev/rules.d/60-edgeclip.rules"
    # Passwords of cameras may be in it.
    install -Dm600 -t "$1/etc/edgeclip" cross/packaging/files/edgeclip.toml
    install -Dm644 -t "$1/etc/edgeclip" cross/packaging/files/prompts.txt
    install -Dm644 -t "$doc" README.md docs/boards.md docs/configuration.md docs/events.md docs/output.md docs/sources.md models/default/CARD.md \
        cross/packaging/files/ip-camera.conf
    gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
    {
        echo "edgeclip is licensed under MIT or Apache-2.0, as you prefer; the model's terms are in CARD.md."
        echo
        cat LICENSE-MIT
        echo
        echo "Parts of the kernel's V4L2 interface:"
        echo
        cat crates/v4l2-sys-mit/LICENSE
        echo
        echo "Letters of labels:"
        echo
        cat src/sinks/annotate/font/LICENSE
        echo
        cat LICENSE-APACHE
    } >"$doc/copyright"
    chmod 644 "$doc/copyright" "$doc/changelog.gz"
}

# deb ROOT ARCH: makes ROOT a package.
deb() {
    local size
    size=$(du -sk --apparent-size "$1" | cut -f1)
    install -d "$1/DEBIAN"
    install -t "$1/DEBIAN" cross/packaging/files/postinst cross/packaging/files/prerm cross/packaging/files/postrm
    printf '%s\n' /etc/edgeclip/edgeclip.toml /etc/edgeclip/prompts.txt >"$1/DEBIAN/conffiles"
    cat >"$1/DEBIAN/control" <<CONTROL
Package: edgeclip
Version: $version
Architecture: $2
Maintainer: The edgeclip developers <edgeclip@localhost>
Installed-Size: $size
Section: video
Priority: optional
Description: finds what you name, in your own words, in camera pictures
 One static program with its model inside, for the CPU of small boards; works offline.
 The service edgeclip watches a camera once it is enabled: put what to look for into
 /etc/edgeclip/prompts.txt, then run \`systemctl enable --now edgeclip\`.
CONTROL
    dpkg-deb --root-owner-group -Zxz --build "$1" "$packages/edgeclip_${version}_$2.deb" >/dev/null
}

[ $# -gt 0 ] || die "found no target, expected aarch64, armv7 or x86_64"
command -v dpkg-deb >/dev/null || die "found no dpkg-deb, expected a Debian or Ubuntu machine"
mkdir -p "$packages"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for target in "$@"; do
    case $target in
    aarch64) architecture=arm64 ;;
    armv7) architecture=armhf ;;
    x86_64) architecture=amd64 ;;
    *) die "found $target, expected aarch64, armv7 or x86_64" ;;
    esac
    program=$programs/edgeclip-$target
    [ -x "$program" ] || die "found no program $program, expected: cross/build.sh $target"
    root=$work/edgeclip-$version-$architecture
    tree "$root" "$program"
    find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -c "${root##*/}" | gzip -9n >"$packages/${root##*/}.tar.gz"
    deb "$root" "$architecture"
    rm -r "$root"
done
(cd "$packages" && sha256sum -- *"$version"* >SHA256SUMS && ls -l --block-size=K -- *"$version"* SHA256SUMS)
