#!/usr/bin/env bash
# cross/perf/peers.sh: installs Debian's arm64 Python as a folder for the emulator, with the peers' aarch64
# wheels. Run by cross/tools.sh, which sets up Debian's package lists.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cross=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross
root=$cross/arm64 site=$cross/arm64-site

packages=(python3.13-minimal libpython3.13-minimal libpython3.13-stdlib libc6 libstdc++6 libgcc-s1 zlib1g libexpat1 libssl3t64 libffi8
    libbz2-1.0 liblzma5 libuuid1 libgomp1 libncursesw6 libtinfo6)
mkdir -p "$root" "$site" "$cross/arm64-debs"
rm -f "$cross"/arm64-debs/*.deb
(cd "$cross/arm64-debs" && apt-get -qq download "${packages[@]/%/:arm64/trixie}")
for deb in "$cross"/arm64-debs/*.deb; do dpkg -x "$deb" "$root"; done
rm -r "$cross/arm64-debs"
# In trixie, base-files creates this link.
[ -e "$root/lib" ] || ln -s usr/lib "$root/lib"

"${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --target "$site" --upgrade --only-binary :all: --no-deps \
    --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 \
    --python-version 3.13 --requirement "$here/requirements.txt"
