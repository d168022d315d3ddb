# The front door: `just` lists what there is. Python recipes use the environment that `just test` makes.
cache := env("EDGECLIP_CACHE", env("HOME") / ".cache/edgeclip")
lock := `sha256sum quantize/requirements.lock | cut -c1-12`
python := env("EDGECLIP_PYTHON", cache / ("venv-" + lock) / "bin/python")
export CARGO_TARGET_DIR := cache / "target"

[private]
default:
    @just --list

# Run the program, for example: just run detect tests/data/coffee.jpg --prompt "cup, spoon"
run *args:
    cargo run --quiet --release -- {{args}}

# Every check and test, Rust and Python (what CI runs)
test:
    tests/run.sh

# The tests of one room of src/, for example: just room track
room name:
    cargo test --lib {{name}}::

# The program on an emulated board with a camera (needs: cross/build.sh aarch64)
board:
    cross/vm/run.sh

# Packages for a target, and the arm64 one installed on an emulated Debian: just package aarch64
package *targets:
    cross/packaging/build.sh {{targets}}
    cross/packaging/test.sh

# Format Rust, Python and Markdown
fmt:
    cargo fmt --all
    {{python}} -m ruff format --config quantize/pyproject.toml quantize benches/peers cross docs
    {{python}} -m ruff check --fix quantize
    {{python}} -m ruff check --fix --config quantize/pyproject.toml benches/peers cross docs
    {{python}} docs/wrap.py

# The book of docs/ (needs mdbook 0.5: cargo install --locked mdbook)
docs:
    docs/build.sh

# The static checks alone
lint:
    cargo fmt --all -- --check
    cargo clippy --all-targets -- -D warnings
    {{python}} -m ruff check quantize
    {{python}} -m ruff check --config quantize/pyproject.toml benches/peers cross
    {{python}} -m ruff format --check --config quantize/pyproject.toml quantize benches/peers cross
    {{python}} -m mypy --config-file quantize/pyproject.toml -p quantize
    {{python}} -m mypy --config-file quantize/pyproject.toml benches/peers
    {{python}} -m mypy --config-file quantize/pyproject.toml cross/perf

# Fuzz a parser, for ever or for so many seconds, for example: just fuzz avi 600 (needs: nightly Rust, cargo install --locked cargo-fuzz)
fuzz target seconds="0":
    mkdir -p fuzz/corpus/{{target}}
    cargo +nightly fuzz run --sanitizer none {{target}} fuzz/corpus/{{target}} fuzz/seeds/{{target}} -- -max_total_time={{seconds}} -timeout=20 -rss_limit_mb=700

# Measure the committed bundle through the release binary, on ../shared/data/val.tar
score *args:
    cargo build --quiet --release
    {{python}} -m quantize.evaluate --binary "$CARGO_TARGET_DIR/release/edgeclip" {{args}}

# Time edgeclip beside stock tract, ONNX Runtime and ncnn, for example: just peers --as avx2 --record
peers *args:
    benches/peers/run.sh {{args}}

# The same for the default network on one thread, under a minute once set up
peers-quick *args:
    benches/peers/run.sh --quick {{args}}

# Train on the CPU: frozen backbone, features cached once, within two hours on two to four cores
train-cpu:
    {{python}} -m quantize.features quantize/recipes/cpu.toml
    {{python}} -m quantize.train quantize/recipes/cpu.toml

# Train everything on one GPU, about 20 minutes on an H100
train-gpu:
    {{python}} -m quantize.features quantize/recipes/gpu.toml
    {{python}} -m quantize.train quantize/recipes/gpu.toml

# Quantise, export and calibrate a trained run into models/default, and measure what int8 costs
export recipe="quantize/recipes/cpu.toml":
    {{python}} -m quantize.export {{recipe}}
    {{python}} -m quantize.calibrate {{recipe}}
    {{python}} -m quantize.export.deltas {{recipe}}

# Make tests/golden again from the committed bundle
golden:
    {{python}} -m quantize.golden

# A static program for TARGET, aarch64, armv7 or x86_64, and what it is made of; --no-text leaves out the text tower
cross target="aarch64" *args:
    cross/build.sh {{target}} {{args}}
    cross/check.sh {{cache}}/cross/out/edgeclip-{{target}}{{replace(args, "--", "-")}}

# Kernels and whole pictures on emulated ARM CPUs
arm:
    cross/test.sh

# Instructions a frame on emulated boards, in under a minute once built
arm-quick:
    cross/arm_quick.sh
