#!/usr/bin/env bash
# tests/page/run.sh [PROGRAM]: the live page in Debian's Chromium, against a mock of the server, or against the program `edgeclip` that is named.
# Needs node, npm and chromium (CHROMIUM names another); says so and passes where one is missing. npm's packages are kept in the cache folder.
set -euo pipefail
cd "$(dirname "$0")/../.."

chromium=${CHROMIUM:-chromium}
for tool in node npm "$chromium"; do
    command -v "$tool" >/dev/null || {
        echo "SKIPPED: the live page was not tested, there is no $tool"
        exit 0
    }
done

lock=tests/page/package-lock.json
modules=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/page-$(sha256sum "$lock" | cut -c1-12)
if [ ! -e "$modules/complete" ]; then
    rm -rf "${modules%-*}"-*
    mkdir -p "$modules"
    cp tests/page/package.json "$lock" "$modules"
    npm ci --prefix "$modules" --ignore-scripts --no-audit --no-fund --silent
    touch "$modules/complete"
fi

[ $# -eq 0 ] || EDGECLIP_PAGE_PROGRAM=$(realpath "$1")
CHROMIUM=$(command -v "$chromium")
export CHROMIUM EDGECLIP_PAGE_PROGRAM="${EDGECLIP_PAGE_PROGRAM:-}" EDGECLIP_PAGE_MODULES=$modules
exec node --test --test-reporter=spec ${EDGECLIP_PAGE_ONLY:+--test-name-pattern="$EDGECLIP_PAGE_ONLY"} tests/page/all.mjs
