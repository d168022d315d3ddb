#!/usr/bin/env bash
# Runs every check and test of the project, Rust and Python. Needs Rust (rustup), Python 3.11 or newer and a C compiler.
#
# Build outputs, tools and the Python environment are kept in $EDGECLIP_CACHE (default ~/.cache/edgeclip), so that a second
# run is short. Every stage runs, whatever the ones before it said; the exit code is 1 if any failed. Stages that mostly wait, or that use one core,
# run beside others; what they print is shown when they are waited for.
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
# Where every clone is a fresh one, incremental compilation only writes what nobody reads.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
# shellcheck source=tests/freshness.sh
. tests/freshness.sh

failed=()
times=()
beside=$(mktemp -d)

clean() {
    local file
    for file in "$beside"/*.pid; do
        [ ! -e "$file" ] || kill -- "-$(cat "$file")"
    done
    rm -rf "$beside"
}
trap clean EXIT

verdict() { # NAME SECONDS STATUS
    local word=ok
    [ "$3" = 0 ] || { word=FAILED && failed+=("$1"); }
    times+=("$(printf '%-14s %5d s  %s' "$1" "$2" "$word")")
}

stage() { # NAME COMMAND…
    local name=$1 start=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@"
    verdict "$name" $((SECONDS - start)) $?
}

# Begins a stage beside the ones that follow; `finish` waits for it. In a process group of its own, so that none is left when this ends early.
begin() { # NAME COMMAND…
    local name=$1 start=$SECONDS
    shift
    set -m
    {
        "$@" >"$beside/$name.log" 2>&1 </dev/null
        echo "$((SECONDS - start)) $?" >"$beside/$name.end"
    } &
    set +m
    echo $! >"$beside/$name.pid"
}

finish() { # NAME
    local seconds=0 status=1
    printf '\n== %s\n' "$1"
    wait "$(cat "$beside/$1.pid")"
    rm "$beside/$1.pid"
    cat "$beside/$1.log"
    read -r seconds status <"$beside/$1.end"
    verdict "$1" "$seconds" "$status"
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

# Every parser of foreign bytes for a share of a minute, with mutations of its own; fuzz/README.md says how to repeat one.
fuzz() {
    EDGECLIP_FUZZ_SECONDS=${EDGECLIP_FUZZ_SECONDS:-60} cargo test --quiet --locked --package edgeclip --lib fuzzing::tests::mutated
}

python_tests() {
    EDGECLIP_BINARY=$CARGO_TARGET_DIR/debug/edgeclip "$venv/bin/python" -m pytest --config-file quantize/pyproject.toml quantize/tests
}

types() {
    "$venv/bin/mypy" --cache-dir "$cache/mypy" --config-file quantize/pyproject.toml "$@"
}

# Compilers and emulators, downloaded.
arm_tools() {
    bash -c '. cross/environment.sh && environment aarch64' && cross/tools.sh emulate && cross/vm/tools.sh debian
}

# The program on an emulated board with a camera, and its package on an emulated Debian.
board() {
    cross/vm/run.sh
}

packages() {
    cross/packaging/build.sh aarch64 && cross/packaging/test.sh
}

mkdir -p "$cache"
arm=yes
[ "${EDGECLIP_ARM:-}" = 1 ] || [ -e "$cache/cross/aarch64.complete" ] || arm=
restore_times "$CARGO_TARGET_DIR" "${EDGECLIP_CROSS_TARGET_DIR:-$cache/target-cross}"

begin "environment" environment
[ -z "$arm" ] || begin "arm tools" arm_tools
stage "cargo fmt" cargo fmt --all -- --check
stage "cargo clippy" cargo clippy --quiet --locked --all-targets -- -D warnings
stage "cargo doc" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --no-deps
finish "environment"
begin "mypy" types -p quantize
stage "shellcheck" "$venv/bin/shellcheck" --external-sources tests/*.sh tests/page/*.sh .ci/run benches/peers/run.sh cross/*.sh cross/perf/*.sh \
    cross/vm/*.sh docs/*.sh cross/packaging/*.sh cross/packaging/files/p{ostinst,rerm,ostrm} crates/v4l2-sys-mit/generate.sh tests/data/make_videos.sh tests/data/h264/make.sh
stage "cargo deny" dependencies
stage "ruff" "$venv/bin/ruff" check --quiet quantize
stage "ruff tools" "$venv/bin/ruff" check --quiet --config quantize/pyproject.toml benches/peers cross docs tests/page
stage "ruff format" "$venv/bin/ruff" format --quiet --check --config quantize/pyproject.toml quantize benches/peers cross docs tests/page
stage "no text, packed" cargo test --quiet --locked --no-default-features --features packed --test program
stage "cargo build" cargo test --quiet --locked --no-run
finish "mypy"
stage "mypy peers" types benches/peers
stage "mypy cross" types cross/perf cross/vm
stage "mypy page" types tests/page
begin "pytest" python_tests
begin "fuzz" fuzz
stage "cargo test" rust_tests
if [ -n "$arm" ]; then
    finish "arm tools"
    # Programs for ARM on emulated CPUs.
    stage "arm" env EDGECLIP_REFERENCE="$CARGO_TARGET_DIR/debug/edgeclip" cross/test.sh
    begin "packages" packages
    stage "board" board
    finish "packages"
else
    printf '\n== arm\nSKIPPED: no cross tools in %s; EDGECLIP_ARM=1 tests/run.sh gets them and runs these stages\n' "$cache/cross"
fi
finish "fuzz"
finish "pytest"
record_times

printf '\n== time\n'
printf '%s\n' "${times[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[*]}"
    exit 1
fi
echo "all stages passed"
