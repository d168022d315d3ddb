#!/usr/bin/env bash
# Runs every check and test of the project, Rust and Python. Needs Rust (rustup), Python 3.11 or newer and a C compiler.
#
# Build outputs, tools and the Python environment are kept in $EDGECLIP_CACHE (default ~/.cache/edgeclip), so that a second
# run is short. Every stage runs, whatever the ones before it said; the exit code is 1 if any failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

cache=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}
python=${PYTHON:-python3}
tools=$cache/tools
cargo_deny_version=0.20.2
lock=quantize/requirements.lock
venv=$cache/venv-$(sha256sum "$lock" | cut -c1-12)
export CARGO_TARGET_DIR=$cache/target
export PATH=$tools/bin:$PATH

failed=()
times=()

stage() { # NAME COMMAND…
    local name=$1 start=$SECONDS verdict=ok
    shift
    printf '\n== %s\n' "$name"
    "$@" || { verdict=FAILED && failed+=("$name"); }
    times+=("$(printf '%-14s %5d s  %s' "$name" $((SECONDS - start)) "$verdict")")
}

environment() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "found $("$python" --version), expected Python 3.11 or newer (set PYTHON to name another)"
        return 1
    }
    if [ -e "$venv/complete" ]; then
        echo "$venv is up to date"
        return
    fi
    echo "making $venv (several gigabytes: PyTorch brings its CUDA libraries)"
    rm -rf "$cache"/venv-*
    "$python" -m venv "$venv" &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$lock" &&
        touch "$venv/complete"
}

dependencies() {
    if [ "$(cargo-deny --version 2>/dev/null)" != "cargo-deny $cargo_deny_version" ]; then
        cargo install --quiet --locked --debug --root "$tools" --version "$cargo_deny_version" cargo-deny || return 1
    fi
    cargo deny --log-level error check bans licenses sources || return 1
    if timeout 20 git ls-remote --quiet https://github.com/rustsec/advisory-db HEAD >/dev/null 2>&1; then
        cargo deny --log-level error check advisories
    else
        echo "advisories: NOT CHECKED, github.com/rustsec/advisory-db cannot be reached"
    fi
}

# Adds up what each test binary says, because cargo does not.
rust_tests() {
    local log=$cache/cargo-test.log
    cargo test --locked --no-fail-fast 2>&1 | tee "$log"
    local status=${PIPESTATUS[0]}
    awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
        END { printf "cargo test: %d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$log"
    return "$status"
}

# Programs for ARM on emulated CPUs, and on an emulated board with a camera. Downloads compilers and emulators, and builds everything once more.
arm() {
    if [ "${EDGECLIP_ARM:-}" != 1 ] && [ ! -e "$cache/cross/aarch64.complete" ]; then
        echo "SKIPPED: no cross tools in $cache/cross; EDGECLIP_ARM=1 tests/run.sh gets them and runs this stage"
        return
    fi
    cross/test.sh && cross/vm/run.sh && cross/packaging/build.sh aarch64 && cross/packaging/test.sh
}

mkdir -p "$cache"
stage "environment" environment
stage "shellcheck" "$venv/bin/shellcheck" --external-sources tests/run.sh .ci/run benches/peers/run.sh cross/*.sh cross/perf/*.sh \
    cross/vm/*.sh cross/packaging/*.sh cross/packaging/files/p{ostinst,rerm,ostrm} crates/v4l2-sys-mit/generate.sh tests/data/make_videos.sh tests/data/h264/make.sh
stage "cargo fmt" cargo fmt --all -- --check
stage "cargo clippy" cargo clippy --quiet --locked --all-targets -- -D warnings
stage "cargo doc" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --no-deps
stage "cargo deny" dependencies
stage "ruff" "$venv/bin/ruff" check --quiet quantize
stage "ruff tools" "$venv/bin/ruff" check --quiet --config quantize/pyproject.toml benches/peers cross
stage "ruff format" "$venv/bin/ruff" format --quiet --check --config quantize/pyproject.toml quantize benches/peers cross
stage "mypy" "$venv/bin/mypy" --config-file quantize/pyproject.toml -p quantize
stage "mypy peers" "$venv/bin/mypy" --config-file quantize/pyproject.toml benches/peers
stage "mypy cross" "$venv/bin/mypy" --config-file quantize/pyproject.toml cross/perf cross/vm
stage "no text, packed" cargo test --quiet --locked --no-default-features --features packed --test cli_no_text
stage "cargo test" rust_tests
stage "pytest" env EDGECLIP_BINARY="$CARGO_TARGET_DIR/debug/edgeclip" \
    "$venv/bin/python" -m pytest --config-file quantize/pyproject.toml quantize/tests
stage "arm" arm

printf '\n== time\n'
printf '%s\n' "${times[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[*]}"
    exit 1
fi
echo "all stages passed"
