#!/usr/bin/env bash
# Sourced: `environment TARGET` sets up cargo for a static build. TARGET is aarch64, armv7 or x86_64, or a
# Rust target that starts with one of these.
#
# Sets $triple (Rust's name), $way (how it builds, in words) and the settings for `cargo_program`; exits with
# a one-line message if this machine cannot build for TARGET.

cache=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}
cross=$cache/cross
export CARGO_TARGET_DIR=${EDGECLIP_CROSS_TARGET_DIR:-$cache/target-cross}
# Debian's rustc is in $cross/bin as well.
own=${PATH//"$cross/bin:"/}
export PATH=$cross/bin:$own

die() {
    echo "$0: $*" >&2
    exit 2
}

environment() {
    # These would override the settings made here.
    unset RUSTFLAGS CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS
    case $1 in
    aarch64 | aarch64-unknown-linux-*) machine=aarch64 libc=musl gnu=aarch64-unknown-linux-gnu prefix=aarch64-linux-gnu ;;
    armv7 | armv7-unknown-linux-*) machine=armv7 libc=musleabihf gnu=armv7-unknown-linux-gnueabihf prefix=arm-linux-gnueabihf ;;
    x86_64 | x86_64-unknown-linux-*) machine=x86_64 libc=gnu gnu=x86_64-unknown-linux-gnu prefix= ;;
    *) die "found target $1, expected aarch64, armv7 or x86_64" ;;
    esac
    if [ "$machine" = x86_64 ]; then
        triple=$gnu way="this machine's own Rust, static glibc"
        own_rust
        flags -C relocation-model=static
        return
    fi
    triple=$machine-unknown-linux-$libc
    local wanted=${EDGECLIP_CROSS:-} found
    found=$(rustup target list --installed 2>/dev/null | grep -cx "$triple" || true)
    if [ "$wanted" = rustup ] || { [ -z "$wanted" ] && [ "$found" = 1 ] && command -v cargo-zigbuild >/dev/null; }; then
        [ "$found" = 1 ] || die "found no target $triple, expected: rustup target add $triple"
        command -v cargo-zigbuild >/dev/null || die "found no cargo-zigbuild, expected: pip install ziglang cargo-zigbuild"
        way="rustup and cargo-zigbuild, musl"
        own_rust
        flags -C relocation-model=static
        return
    fi
    [ -z "$wanted" ] || [ "$wanted" = debian ] || die "found EDGECLIP_CROSS=$wanted, expected rustup or debian"
    triple=$gnu way="Debian's rustc-web and gcc, static glibc"
    "$(dirname "${BASH_SOURCE[0]}")/tools.sh" "$machine" || exit
    export RUSTC=$cross/bin/rustc RUSTDOC=$cross/bin/rustdoc
    export "CC_${triple//-/_}=$prefix-gcc" "CXX_${triple//-/_}=$prefix-g++" "AR_${triple//-/_}=$prefix-ar"
    export "CARGO_TARGET_$(upper "$triple")_LINKER=$prefix-gcc"
    flags
}

own_rust() {
    RUSTC=$(PATH=$own command -v rustc) || die "found no rustc, expected Rust: https://rustup.rs"
    RUSTDOC=$(PATH=$own command -v rustdoc) || die "found no rustdoc, expected Rust: https://rustup.rs"
    export RUSTC RUSTDOC
}

upper() {
    echo "${1//-/_}" | tr '[:lower:]' '[:upper:]'
}

# Position-dependent code needs no relocations. Thumb code is smaller than ARM code.
flags() {
    [ "$machine" != armv7 ] || set -- "$@" -C target-feature=+thumb-mode
    export "CARGO_TARGET_$(upper "$triple")_RUSTFLAGS=-C target-feature=+crt-static${*:+ $*}"
}

# cargo_program ARGUMENT…: builds the program for $triple. GNU's linker leaves out unwinding tables; LLVM's,
# Rust's default for x86-64, would leave out the unwinder's own as well, and the program would abort.
cargo_program() {
    local linker=(-C "link-arg=-Wl,-T,$PWD/cross/no-unwinding.ld")
    [ "$machine" != x86_64 ] || linker+=(-C linker-features=-lld)
    case $way in
    *zigbuild*) cargo-zigbuild zigbuild --target "$triple" --bin edgeclip "$@" ;;
    *) cargo rustc --target "$triple" --bin edgeclip "$@" -- "${linker[@]}" ;;
    esac
}

# cargo_test ARGUMENT…: cargo test for $triple, with the emulator as cargo's `runner`.
cargo_test() {
    case $way in
    *zigbuild*) cargo-zigbuild test --target "$triple" "$@" ;;
    *) cargo test --target "$triple" "$@" ;;
    esac
}
