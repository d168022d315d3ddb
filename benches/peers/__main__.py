"""Times edgeclip beside stock tract, ONNX Runtime and ncnn: same file, same threads, one run, interleaved.

benches/peers/run.sh [--quick] [--as avx2] [--threads N] [--network NAME] [--runs N] [--record]
"""

import argparse
import os
import sys
import time
from pathlib import Path

import agreement
import forms
from cases import CASES, Case, Files, made
from engines import Engine
from masking import LEVELS, Mask
from result import Result

import report

ENGINES = ("edgeclip", "tract", "ort-s8", "ort-u8", "ort-u8u8", "ort-f32", "ncnn-f32", "ncnn-bf16", "ncnn-int8")
# An engine's turn: an untimed pass, as caches and pages are another's, then so many timed ones.
TIMED = 3
# seconds before a turn, in which the threads of the engine before it stop spinning
PAUSE = 0.03


def compare(files: Files, engines: dict[str, Engine], saturates: bool) -> dict[str, str]:
    """Asserts that all engines compute the same network; leaves picture 0 as their input."""
    lengths = forms.output_lengths(files.model)
    other = engines[agreement.REFERENCE].outputs(files.picture(1), lengths)
    found = {name: engine.outputs(files.picture(0), lengths) for name, engine in engines.items()}
    reference = found.pop(agreement.REFERENCE)
    return {name: agreement.check(name, outputs, reference, other, saturates) for name, outputs in found.items()}


def compare_first_layers(files: Files, binary: Path, mask: Mask | None) -> str:
    """The same step by step for the first layers, edgeclip to ONNX Runtime."""
    import onnx

    model = onnx.load(files.first_layers("edgeclip"))
    found = []
    for name in ("edgeclip", agreement.REFERENCE):
        engine = Engine(name, files.first_layers(name), 1, 1.0, binary, mask)
        found.append(engine.outputs(files.picture(0), forms.output_lengths(model)))
        engine.close()
    return agreement.check_first_layers(found[0], found[1], forms.output_scales(model))


def measure(case: Case, threads: int, runs: int, binary: Path, cache: Path, mask: Mask | None) -> Result:
    """Compares, then times."""
    files = made(case, cache)
    scale = forms.input_scale(files.model)
    result = Result(case, threads)
    engines = {name: Engine(name, files.of(name), threads, scale, binary, mask) for name in ENGINES}
    result.details = {name: engine.detail for name, engine in engines.items()}
    result.load = {name: engine.load_ms for name, engine in engines.items()}
    result.agreement = {"first layers": compare_first_layers(files, binary, mask), **compare(files, engines, not has_vnni(mask))}
    result.times = {name: [] for name in ENGINES}
    for turn in range(-(-runs // TIMED)):
        shift = turn % len(ENGINES)
        for name in ENGINES[shift:] + ENGINES[:shift]:
            time.sleep(PAUSE)
            result.times[name] += engines[name].times(1 + TIMED)[1:]
    for engine in engines.values():
        engine.close()
    return result


def has_vnni(mask: Mask | None) -> bool:
    """Whether the engines see an instruction that adds four products of u8 and s8 without saturation."""
    flags = Path("/proc/cpuinfo").read_text()
    seen = {None: ("avx_vnni", "avx512_vnni"), "avxvnni": ("avx_vnni",), "avx2": ()}[mask.level if mask else None]
    return any(f" {flag}" in flags for flag in seen)


def physical_cores() -> int:
    """Cores that this process may use, two threads of one core counting once."""
    cores = set()
    for cpu in os.sched_getaffinity(0):
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        try:
            cores.add((topology / "thread_siblings_list").read_text())
        except OSError:
            cores.add(str(cpu))
    return len(cores)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True, help="the bench binary `peer`; run.sh gives it")
    parser.add_argument("--cache", type=Path, required=True, help="for files made on the spot; run.sh gives it")
    parser.add_argument("--quick", action="store_true", help="the default network at 320 px on one thread alone")
    parser.add_argument("--as", dest="level", choices=LEVELS, help="run all engines as if the CPU had no more than this")
    parser.add_argument("--threads", type=int, action="append", help="instead of one and all; may be given again")
    parser.add_argument("--network", action="append", help="only this network; may be given again")
    parser.add_argument("--runs", type=int, default=30, help="timed passes of each engine, a multiple of 3 (default 30)")
    parser.add_argument("--record", action="store_true", help="write benches/record/DATE-peers.md")
    arguments = parser.parse_args()
    threads = arguments.threads or ([1] if arguments.quick else [1, physical_cores()])
    cases = [Case("default", 320)] if arguments.quick else CASES
    cases = [case for case in cases if not arguments.network or case.network in arguments.network]
    if not cases or arguments.runs < 1 or min(threads) < 1:
        parser.error("found no network of that name, or a number below 1; networks are default, mobilenetv2, resnet18")
    mask = Mask(arguments.level, arguments.cache) if arguments.level else None
    results = []
    print(report.heading(arguments.level), flush=True)
    for count in threads:
        for case in cases:
            try:
                result = measure(case, count, arguments.runs, arguments.binary, arguments.cache, mask)
            except agreement.Disagreement as error:
                print(f"{case}, {count} threads: {error}", file=sys.stderr)
                return 1
            results.append(result)
            print(report.table(result), flush=True)
            if arguments.record:
                print(f"\nwrote {report.record(results, arguments.level, sys.argv[5:])}", flush=True)
    print(f"\n{report.summary(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
