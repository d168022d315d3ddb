#!/usr/bin/env bash
# Times edgeclip beside stock tract, ONNX Runtime and ncnn; see --help. Makes what it needs in $EDGECLIP_CACHE
# (default ~/.cache/edgeclip): a Python environment from requirements.txt, the bench binary, the networks.
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}
lock=benches/peers/requirements.txt
venv=$cache/venv-peers-$(sha256sum "$lock" | cut -c1-12)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}

if [ ! -e "$venv/complete" ]; then
    echo "making $venv" >&2
    rm -rf "$cache"/venv-peers-*
    "${PYTHON:-python3}" -m venv "$venv"
    # pnnx names torch as a dependency of its Python side, which is not used.
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$lock"
    touch "$venv/complete"
fi
binary=$(cargo bench --quiet --locked --no-run --profile release --bench peer --message-format=json |
    tests/executable.sh bench peer)
exec "$venv/bin/python" benches/peers --binary "$binary" --cache "$cache/peers" "$@"
