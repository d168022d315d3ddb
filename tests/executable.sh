#!/usr/bin/env bash
# tests/executable.sh KIND NAME <MESSAGES: path of the executable of one target, such as `bench peer` or `lib edgeclip_kernels`, from what
# `cargo … --no-run --message-format=json` prints. Cargo names the executables of all targets, in an order that depends on what was fresh.
set -euo pipefail
path=$(sed -n "/\"kind\":\[\"$1\"\],[^}]*\"name\":\"$2\"/s/.*\"executable\":\"\([^\"]*\)\".*/\1/p" | tail -1)
[ -n "$path" ] || {
    echo "tests/executable.sh: found no executable of the $1 $2 in cargo's messages" >&2
    exit 1
}
echo "$path"
