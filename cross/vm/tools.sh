#!/usr/bin/env bash
# cross/vm/tools.sh [debian]: installs what the emulated board consists of into $EDGECLIP_CACHE/cross/vm,
# without root: qemu-system-aarch64, and from Debian's arm64 packages a kernel with the camera driver vivid
# and a static busybox; with `debian`, a system with dpkg as well.
set -euo pipefail
more=${1:-}
set -- # The file below processes its arguments.
# shellcheck source=cross/tools.sh
. "$(dirname "$0")/../tools.sh"

vm() {
    local kernel
    mkdir -p "$cross/vm/host" "$cross/vm/board"
    unpack "$cross/vm/host" qemu-system-{arm,common,data}/bookworm-backports
    # Some of bookworm's libraries are still outside /usr.
    cp -a "$cross/vm/host/lib/." "$cross/vm/host/usr/lib/"
    wrap qemu-system-aarch64 "$cross/vm/host" usr/bin/qemu-system-aarch64
    kernel=$(apt-cache depends linux-image-arm64:arm64 | awk '/Depends:/ { sub(":arm64", "", $2); print $2; exit }')
    (cd "$apt/archives" && apt-get -qq download "$kernel:arm64" busybox-static:arm64)
    extract "$cross/vm/board"
}

# As on a fresh system: nothing is installed yet, so that apt fetches all dependencies.
debian() {
    mkdir -p "$cross/vm/debian"
    rm -f "$apt"/archives/*.deb
    apt-get -qq --yes --no-install-recommends --download-only -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o Dir::State::status=/dev/null install base-files base-passwd dpkg dash coreutils sed grep libc-bin >/dev/null
    extract "$cross/vm/debian"
    # What the packages would do on configuration.
    cd "$cross/vm/debian"
    mkdir -p var/lib/dpkg
    touch var/lib/dpkg/status
    ln -sfn dash usr/bin/sh
    for name in bin sbin lib; do [ -e "$name" ] || ln -s "usr/$name" "$name"; done
    for name in passwd group; do cp "usr/share/base-passwd/$name.master" "etc/$name"; done
    cd "$OLDPWD"
}

part vm vm
[ "$more" != debian ] || part debian debian
