"""Executed instructions of one pass, edgeclip beside ONNX Runtime and ncnn, one thread, on emulated cores.

    python cross/perf/count.py --program PROGRAM --cases FOLDER [--out FILE.json]

PROGRAM is cross/build.sh's. FOLDER holds what `just peers` made and compared. The number is that of N + 1 passes less that of N,
so that loading cancels; engines take turns. Last comes a whole picture. benches/peers/worker.py runs the peers, in an arm64
Python under the same emulator.
"""

import argparse
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CROSS = Path(os.environ.get("EDGECLIP_CACHE", Path.home() / ".cache/edgeclip")) / "cross"
ROOT = Path(__file__).parents[2]
WORKER = ROOT / "benches/peers/worker.py"
# Counted like a network: the picture of cross/arm_quick.sh, from its file to the detections in it.
PICTURE = ROOT / "tests/golden/model/coffee.png"
CORES = {"a76": "cortex-a76", "a72": "cortex-a72"}
NETWORKS = ["default-320", "mobilenetv2-224", "resnet18-224"]
FILES = {
    "edgeclip": "qdq.onnx", "ort-u8": "u8.onnx", "ort-s8": "qdq.onnx", "ort-f32": "float.onnx",
    "ncnn-int8": "int8", "ncnn-f32": "float.ncnn",
}  # fmt: skip
# Lowest cosine of all outputs with edgeclip's: engines round differently, and differences grow through the layers.
LEAST_COSINE = 0.9
# The part of the histogram that is shown: instructions that multiply.
MULTIPLY = ("sdot", "udot", "smmla", "smull", "smull2", "smlal", "smlal2", "umull", "umlal", "umlal2", "mla", "fmla")


@dataclass(frozen=True)
class Count:
    """One engine on one network and core."""

    network: str
    core: str
    engine: str
    instructions: int
    histogram: dict[str, int]
    cosine: float


class Runner:
    """Starts engines under the counting emulator."""

    def __init__(self, program: Path, folder: Path, scratch: Path) -> None:
        self.program, self.folder, self.scratch = program, folder, scratch

    def run(self, engine: str, core: str, passes: int) -> dict[str, int]:
        """Instructions by mnemonic of loading, `passes` passes and a constant number of extra ones."""
        counts = self.scratch / f"{engine}-{passes}.txt"
        plugin = f"{CROSS}/bin/libicount.so,hist=on,out={counts}"
        emulator = [f"{CROSS}/bin/qemu7-aarch64", "-cpu", CORES[core], "-plugin", plugin]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        if engine == "edgeclip":
            command = [*emulator, str(self.program), *self.arguments(passes), "--threads", "1"]
            lines = ""
        else:
            root = CROSS / "arm64"
            environment |= {"PYTHONHOME": f"{root}/usr", "PYTHONPATH": f"{CROSS}/arm64-site", "PYTHONDONTWRITEBYTECODE": "1"}
            file = self.folder / FILES[engine]
            worker = [f"{root}/usr/bin/python3.13", str(WORKER), engine, str(file), "1", str(1 / 127.5)]
            command = [*emulator, "-L", str(root), *worker]
            lines = f"write {self.folder / 'picture0.i8'} {self.output(engine)}\nrun {passes}\n"
        said = subprocess.run(command, env=environment, input=lines, capture_output=True, text=True, check=False)
        if said.returncode:
            raise RuntimeError(f"{engine} on {core}, {self.folder}: exit {said.returncode}: {said.stderr.strip()[-500:]}")
        pairs = (line.split() for line in counts.read_text().splitlines())
        return {name: int(count) for count, name in pairs if count.isdigit()}

    def arguments(self, passes: int) -> list[str]:
        """edgeclip's arguments."""
        if self.folder == PICTURE:
            return ["detect", *[str(PICTURE)] * passes, "--prompt", "cup, spoon, table, dog"]
        return ["bench", "--onnx", str(self.folder / FILES["edgeclip"]), "--runs", str(passes), "--json"]

    def output(self, engine: str) -> Path:
        """The file to which a peer writes its outputs."""
        return self.scratch / f"{engine}.f32"

    def cosine(self, engine: str) -> float:
        """Of a peer's outputs, all together, with those of edgeclip on x86-64, which ARM's equal bit for bit (cross/test.sh)."""
        if engine == "edgeclip":
            return 1.0
        return cosine(np.fromfile(self.output(engine), np.float32), np.fromfile(self.folder / "edgeclip.f32", np.float32))


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Cosine of all outputs together."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def measure(program: Path, folder: Path, network: str, core: str, engines: list[str]) -> list[Count]:
    """All engines in turn, first with one pass, then with two."""
    with tempfile.TemporaryDirectory() as scratch:
        runner = Runner(program, folder, Path(scratch))
        one = {engine: runner.run(engine, core, 1) for engine in engines}
        two = {engine: runner.run(engine, core, 2) for engine in engines}
        cosines = {engine: runner.cosine(engine) for engine in engines}
    found = []
    for engine, agreement in cosines.items():
        histogram = {name: count - one[engine].get(name, 0) for name, count in two[engine].items()}
        histogram = {name: count for name, count in sorted(histogram.items(), key=lambda item: -item[1]) if count > 0}
        if agreement < LEAST_COSINE:
            found_cosine = f"found cosine {agreement:.3f} between {engine} and edgeclip"
            raise ValueError(f"{network}: {found_cosine}, expected at least {LEAST_COSINE}")
        found.append(Count(network, core, engine, sum(histogram.values()), histogram, agreement))
    return found


def report(counts: list[Count]) -> list[str]:
    """A Markdown table; the last column is edgeclip's count over the peer's."""
    heads = ["network", "core", "engine", "M instructions", "multiplying", "edgeclip / engine", "cosine"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for count in counts:
        own = next(c for c in counts if (c.network, c.core, c.engine) == (count.network, count.core, "edgeclip"))
        shares = {name: count.histogram.get(name, 0) / count.instructions for name in MULTIPLY}
        multiplying = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.005)
        ratio = own.instructions / count.instructions
        numbers = [f"{count.instructions / 1e6:.1f}", multiplying, f"{ratio:.2f}", f"{count.cosine:.3f}"]
        row = [count.network, count.core, count.engine, *numbers]
        lines.append("| " + " | ".join(row) + " |")
    return lines


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--engines", nargs="+", default=list(FILES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    tasks = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for network in arguments.networks:
            folders = sorted(arguments.cases.glob(f"{network}-*"), key=lambda path: path.stat().st_mtime)
            if not folders:
                raise SystemExit(f"{arguments.cases}: found no {network}-…, expected what benches/peers makes: just peers")
            tasks += [pool.submit(measure, arguments.program, folders[-1], network, core, arguments.engines) for core in CORES]
        tasks += [pool.submit(measure, arguments.program, PICTURE, PICTURE.name, core, ["edgeclip"]) for core in CORES]
        counts = [count for task in tasks for count in task.result()]
    print("\n".join(report(counts)))
    if arguments.out:
        arguments.out.write_text(json.dumps([asdict(count) for count in counts], indent=1) + "\n")


if __name__ == "__main__":
    main()
