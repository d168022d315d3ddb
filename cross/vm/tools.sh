#!/usr/bin/env bash
# cross/vm/tools.sh: puts what the emulated board is made of into $EDGECLIP_CACHE/cross/vm, without root: qemu-system-aarch64, and of
# Debian's arm64 packages a kernel with the camera driver vivid and a static busybox.
set -euo pipefail
set -- # The file below works off its arguments.
# shellcheck source=cross/tools.sh
. "$(dirname "$0")/../tools.sh"

vm() {
    local kernel
    mkdir -p "$cross/vm/host" "$cross/vm/board"
    unpack "$cross/vm/host" qemu-system-{arm,common,data}/bookworm-backports
    # Some of bookworm's libraries still lie outside of /usr.
    cp -a "$cross/vm/host/lib/." "$cross/vm/host/usr/lib/"
    wrap qemu-system-aarch64 "$cross/vm/host" usr/bin/qemu-system-aarch64
    kernel=$(apt-cache depends linux-image-arm64:arm64 | awk '/Depends:/ { sub(":arm64", "", $2); print $2; exit }')
    (cd "$apt/archives" && apt-get -qq download "$kernel:arm64" busybox-static:arm64)
    extract "$cross/vm/board"
}

part vm vm
