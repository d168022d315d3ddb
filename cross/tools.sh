#!/usr/bin/env bash
# cross/tools.sh PART…: installs tools for ARM into $EDGECLIP_CACHE/cross without root: Debian packages,
# downloaded and unpacked.
#
#   aarch64, armv7   rustc (Debian's rustc-web) with the target's standard library, cross gcc and g++, static
#                    glibc and libstdc++
#   emulate          qemu-user 10: qemu-aarch64, qemu-arm
#   count            qemu-user 7.2, whose plugins count instructions, and cross/perf/icount.c built for it
#   cycles           llvm-mca 19
#   peers            arm64 Python with the aarch64 wheels of ONNX Runtime and ncnn, for cross/perf
#
# Parts that are already installed are skipped. The programs are in $EDGECLIP_CACHE/cross/bin.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cross=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross
apt=$cross/apt
mirror=${EDGECLIP_DEBIAN:-http://deb.debian.org/debian}
export APT_CONFIG=$apt/apt.conf

# Separate package lists and settings: the machine's own sources stay as they are. bookworm's programs run on
# any glibc since 2.34; trixie has the standard libraries of the same rustc for the other architectures.
lists() {
    command -v apt-get >/dev/null || {
        echo "cross/tools.sh: found no apt-get, expected a Debian or Ubuntu machine; cross/README.md shows the way with rustup" >&2
        exit 1
    }
    [ -z "${listed:-}" ] || return 0
    listed=1
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    local key=signed-by=/usr/share/keyrings/debian-archive-keyring.gpg
    cat >"$apt/sources.list" <<LIST
deb [arch=amd64 $key] $mirror bookworm main
deb [arch=amd64 $key] $mirror bookworm-backports main
deb [arch=amd64 $key] $mirror-security bookworm-security main
deb [arch=amd64,arm64,armhf $key] $mirror trixie main
LIST
    printf 'Package: *\nPin: release n=trixie\nPin-Priority: 1\n' >"$apt/preferences"
    cat >"$APT_CONFIG" <<CONF
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; "armhf"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "1";
Dir::State "$apt";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$apt";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "$apt/preferences";
Dir::Etc::preferencesparts "/dev/null";
CONF
    apt-get -qq update
}

# unpack ROOT PACKAGE…: unpacks these packages and those of their dependencies that this machine lacks.
unpack() {
    local root=$1
    shift
    rm -f "$apt"/archives/*.deb
    apt-get -qq --yes --no-install-recommends --download-only --reinstall install "$@" >/dev/null
    extract "$root"
}

# extract ROOT: unpacks the downloaded archives.
extract() {
    local deb
    for deb in "$apt"/archives/*.deb; do
        dpkg -x "$deb" "$1"
    done
    rm -f "$apt"/archives/*.deb
}

# wrap NAME ROOT PROGRAM: makes bin/NAME, which runs ROOT's program with ROOT's libraries.
wrap() {
    mkdir -p "$cross/bin"
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s/usr/lib/x86_64-linux-gnu exec %s/%s "$@"\n' "$2" "$2" "$3" >"$cross/bin/$1"
    chmod +x "$cross/bin/$1"
}

rustc_web() {
    lists
    unpack "$cross/rust" rustc-web libstd-rust-web-dev
    wrap rustc "$cross/rust" usr/bin/rustc
    wrap rustdoc "$cross/rust" usr/bin/rustdoc
}

# compiler ARCHITECTURE GNU RUST: gcc and standard library; the names used by Debian, GNU and Rust.
compiler() {
    local architecture=$1 gnu=$2 rust=$3 release version tool
    part rustc rustc_web
    unpack "$cross/$gnu" "binutils-$gnu" {gcc-12,cpp-12}-"$gnu" \
        {libgcc-12-dev,libgcc-s1,libc6-dev,libc6,linux-libc-dev}-"$architecture-cross"
    for tool in ar nm objdump readelf strip; do
        wrap "$gnu-$tool" "$cross/$gnu" "usr/bin/$gnu-$tool"
    done
    wrap "$gnu-gcc" "$cross/$gnu" "usr/bin/$gnu-gcc-12"
    release=$("$cross/bin/rustc" --version | cut -d' ' -f2)
    version=$(apt-cache madison "libstd-rust-web-dev:$architecture" | awk -v r="$release" '$3 ~ "^" r "[+]" { print $3; exit }')
    [ -n "$version" ] || {
        echo "cross/tools.sh: found no libstd-rust-web-dev:$architecture of version $release in Debian trixie, which rustc-web of bookworm-security has" >&2
        exit 1
    }
    (cd "$apt/archives" && apt-get -qq download "libstd-rust-web-dev:$architecture=$version")
    extract "$cross/std-$architecture"
    cp -r "$cross/std-$architecture/usr/lib/rustlib/$rust" "$cross/rust/usr/lib/rustlib/"
    rm -r "$cross/std-$architecture"
}

# Beside the compiler, as a part of its own: caches without it need not download the rest again.
cplusplus() { # ARCHITECTURE GNU
    unpack "$cross/$2" "g++-12-$2" "libstdc++-12-dev-$1-cross"
    wrap "$2-g++" "$cross/$2" "usr/bin/$2-g++-12"
}

emulate() {
    (cd "$apt/archives" && apt-get -qq download qemu-user/bookworm-backports)
    extract "$cross/qemu"
    mkdir -p "$cross/bin"
    # For static programs.
    ln -sf "$cross/qemu/usr/bin/qemu-aarch64" "$cross/qemu/usr/bin/qemu-arm" "$cross/bin/"
}

count() {
    unpack "$cross/qemu7" qemu-user/bookworm libcapstone4
    wrap qemu7-aarch64 "$cross/qemu7" usr/bin/qemu-aarch64
    cc -O2 -shared -fPIC -o "$cross/bin/libicount.so" "$here/perf/icount.c"
}

cycles() {
    unpack "$cross/llvm19" llvm-19 libllvm19
    wrap llvm-mca-19 "$cross/llvm19" usr/lib/llvm-19/bin/llvm-mca
}

part() { # NAME COMMAND…
    local name=$1
    shift
    [ -e "$cross/$name.complete" ] && return
    lists
    echo "cross/tools.sh: $name: downloading into $cross"
    "$@"
    touch "$cross/$name.complete"
}

for name in "$@"; do
    case $name in
    aarch64)
        part aarch64 compiler arm64 aarch64-linux-gnu aarch64-unknown-linux-gnu
        part aarch64-c++ cplusplus arm64 aarch64-linux-gnu
        ;;
    armv7)
        part armv7 compiler armhf arm-linux-gnueabihf armv7-unknown-linux-gnueabihf
        part armv7-c++ cplusplus armhf arm-linux-gnueabihf
        ;;
    emulate) part emulate emulate ;;
    count) part count count ;;
    cycles) part cycles cycles ;;
    peers) part peers "$here/perf/peers.sh" ;;
    *)
        echo "cross/tools.sh: found $name, expected aarch64, armv7, emulate, count, cycles or peers" >&2
        exit 2
        ;;
    esac
done
