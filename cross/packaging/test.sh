#!/usr/bin/env bash
# cross/packaging/test.sh [DEB]: installs the arm64 package on an emulated Debian with Debian's own dpkg, runs
# it there, and removes it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
cross=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/cross
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
deb=${1:-$cross/packages/edgeclip_${version}_arm64.deb}
log=$cross/packaging.log
[ -f "$deb" ] || {
    echo "cross/packaging/test.sh: found no $deb, expected: cross/build.sh aarch64 && cross/packaging/build.sh aarch64" >&2
    exit 2
}
cross/vm/tools.sh debian
cross/vm/boot.sh "$log" "$cross/vm/debian=" cross/vm/init.sh=init cross/packaging/on_board.sh=tests.sh "$deb=edgeclip.deb" tests/data/cat.jpg=cat.jpg

failed=0
expect() { # WHAT PATTERN: a line of the log matches it
    if tr -d '\r' <"$log" | grep -Eq -- "$2"; then
        echo "ok     $1"
    else
        echo "FAILED $1: no $2 in $log"
        failed=1
    fi
}
expect "dpkg installs it" '^INSTALL 0$'
expect "it says its version" "^edgeclip ${version//./\\.}\$"
expect "it finds the cat" '^\{"path":"/cat.jpg".*"detections":\[\{"label":"cat","score":0\.7[0-9]*'
expect "settings are as dpkg lists them" '^CONFFILES /etc/edgeclip/edgeclip.toml /etc/edgeclip/prompts.txt $'
expect "the unit names what is there, and only root may read the settings" '^UNIT /usr/bin/edgeclip /etc/edgeclip/edgeclip.toml 600$'
expect "an update keeps the user's settings" '^KEPT mine$'
expect "dpkg removes it, settings stay" '^REMOVE 0 gone mine$'
expect "dpkg purges it" '^PURGE 0 gone$'
exit $failed
