"""Times edgeclip beside ONNX Runtime on the networks of foreign.py: `beside.py BINARY FOLDER [NAME…]`.

BINARY is the bench `peer`. One thread each, in turn; what counts is the processor time of the process, so that other load
disturbs little. Deviations are in units of each output's scale: of edgeclip from ONNX Runtime
without its optimisations, and of ONNX Runtime from itself with them.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import numpy_helper

TURNS, TURN_MS = 7, 150.0
# Wrong is what lies this many times further from ONNX Runtime than that from itself, or than so many steps.
WRONG, STEPS = 3, 8
KINDS = {onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.UINT8: np.uint8, onnx.TensorProto.INT8: np.int8}
Arrays = list[NDArray[Any]]


class Process:
    """A process that answers lines, and its processor time."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self) -> str:
        """The next line."""
        assert self.process.stdout
        if not (line := self.process.stdout.readline()):
            raise RuntimeError(f"ended with {self.process.wait()}")
        return line.strip()

    def ask(self, question: str) -> str:
        """The answer to a line."""
        assert self.process.stdin
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        return self.answer()

    def seconds(self) -> float:
        """Processor time of all its threads so far."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def close(self) -> None:
        """Ends it."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def session(file: Path, optimised: bool) -> ort.InferenceSession:
    """One thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def units(model: onnx.ModelProto) -> list[float]:
    """The scale of each output; of those that are not dequantised, that of the last scale before them."""
    constants = {c.name: c for c in model.graph.initializer}
    constants |= {n.output[0]: n.attribute[0].t for n in model.graph.node if n.op_type == "Constant"}
    makers = {output: node for node in model.graph.node for output in node.output}
    found = []
    for output in model.graph.output:
        node = makers.get(output.name)
        while node and (node.op_type != "DequantizeLinear" or node.input[0] in constants):
            node = next((makers[name] for name in node.input if name in makers), None)
        found.append(float(numpy_helper.to_array(constants[node.input[1]])) if node else 1.0)
    return found


def deviation(a: Arrays, b: Arrays, scales: list[float]) -> float:
    """The largest, in units of the scales."""
    return max(float(np.abs(x - y).max()) / scale for x, y, scale in zip(a, b, scales, strict=True))


def compare(binary: str, file: Path, folder: Path) -> tuple[str, list[str]]:
    """One line of the table, and what is wrong with the network: outputs are compared before anything is timed."""
    model = onnx.load(file)
    value = model.graph.input[0].type.tensor_type
    shape = [dim.dim_value for dim in value.shape.dim]
    kind, rng = KINDS[value.elem_type], np.random.default_rng(7)
    picture = (rng.uniform(-1, 1, shape) if kind is np.float32 else rng.integers(0, 256, shape)).astype(kind)
    given, result = folder / "picture", folder / "outputs"
    picture.tofile(given)
    plain, best = (session(file, optimised).run(None, {model.graph.input[0].name: picture}) for optimised in (False, True))
    ours = Process([binary, str(file), "int8", "1"])
    theirs = Process([sys.executable, __file__, "worker", str(file), str(given)])
    ours.ask(f"write {given} {result}")
    values = np.split(np.fromfile(result, np.float32), np.cumsum([output.size for output in plain])[:-1])
    found = [value.reshape(output.shape) for value, output in zip(values, plain, strict=True)]
    scales = units(model)
    far, own = deviation(found, plain, scales), deviation(best, plain, scales)
    faults = [f"{file.stem} is {far:.0f} steps off"] if far > WRONG * max(own, STEPS) else []
    counts = [max(1, round(TURN_MS / float(engine.ask("run 2").split()[1]))) for engine in (ours, theirs)]
    taken: list[list[float]] = [[], []]
    for _ in range(TURNS):
        for engine, count, times in zip((ours, theirs), counts, taken, strict=True):
            start = engine.seconds()
            engine.ask(f"run {count}")
            times.append((engine.seconds() - start) / count * 1e3)
    lines = [ours.ask("steps")]
    while lines[-1]:
        lines.append(ours.answer())
    steps = sorted((line.split(maxsplit=4) for line in lines[:-1]), key=lambda words: -float(words[0]))
    islands = sum(words[1] == "float" for words in steps)
    ours.close()
    theirs.close()
    (a, b), slowest = (median(times) for times in taken), " ".join(steps[0][:4])[:60] if steps else "all in float"
    faults += [f"{file.stem} takes {a / b:.2f} of ONNX Runtime's time"] if a > b else []
    line = f"| {file.stem} | {a:.2f} | {b:.2f} | **{a / b:.2f}** | {far:.0f} ({own:.0f}) | {islands} | {slowest} |"
    return line, faults


def work(file: Path, given: Path) -> None:
    """The side of ONNX Runtime."""
    run = session(file, True)
    value = run.get_inputs()[0]
    kind = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}[value.type]
    inputs = {value.name: np.fromfile(given, kind).reshape(value.shape)}
    print("ready", flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line.split()[1])):
            start = time.perf_counter()
            run.run(None, inputs)
            times.append(f"{(time.perf_counter() - start) * 1e3:.4f}")
        print(" ".join(times), flush=True)


def main() -> int:
    """The command: 0 if no network is wrong or slower than in ONNX Runtime."""
    if sys.argv[1] == "worker":
        work(Path(sys.argv[2]), Path(sys.argv[3]))
        return 0
    binary, folder, names = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    print("| network | edgeclip ms | ORT ms | ratio | LSB (ORT self) | islands | slowest step: ms, kernel, shape, node |")
    print("|---|---|---|---|---|---|---|")
    faults = []
    for file in sorted(folder.glob("*.onnx")):
        if not names or any(file.name.startswith(name) for name in names):
            try:
                line, found = compare(binary, file, folder)
                print(line, flush=True)
                faults += found
            except RuntimeError as error:
                print(f"| {file.stem} | {error} | | | | | |", flush=True)
                faults.append(f"{file.stem} {error}")
    print("\n".join(["", *faults] if faults else ["", "none wrong, none slower than ONNX Runtime"]))
    return len(faults) > 0


if __name__ == "__main__":
    sys.exit(main())
