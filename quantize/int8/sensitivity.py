"""Which layers suffer from int8: one layer float among int8 ones, and one layer int8 among float ones.

The first shows what is gained by keeping a layer in float (its weights; its inputs and outputs stay int8), the second what the
layer costs by itself (weights, input and output).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import numpy as np
import onnx
from numpy.typing import NDArray

from quantize.int8.bundles import outputs_of, stored
from quantize.int8.graph import LAYERS, layer_macs
from quantize.int8.noise import Effect, effect
from quantize.int8.ptq import Method, Prepared, finish, qdq
from quantize.int8.ranges import METHODS
from quantize.progress import track

matplotlib.use("Agg")
from matplotlib import pyplot as plt

Array = NDArray[np.float32]
Outputs = list[dict[str, Array]]
Metric = Callable[[Outputs], float]
SHOWN = 30


@dataclass
class Row:
    """Some nodes: `alone`, `cosine`, `metric` with them int8 and all else float, `gain` the noise that goes with them float."""

    name: str
    macs: int
    alone: float
    cosine: float
    metric: float
    gain: float | None = None


class Bench:
    """Builds variants of one network and compares their outputs with float's on a few inputs."""

    def __init__(self, p: Prepared, method: Method, chosen: Sequence[int], metric: Metric | None = None) -> None:
        """Compares on the `chosen` calibration inputs; the metric looks at the outputs over these."""
        self.p, self.method, self.metric = p, method, metric
        self.ranges = {k: METHODS[method.ranges](h) for k, h in p.histograms.items()}
        self.inputs = [p.inputs[i] for i in chosen]
        self.wanted = outputs_of(p.model, self.inputs)
        self.nodes = [n.name for n in p.model.graph.node]
        self.macs = layer_macs(p.model)

    def build(self, kept: Iterable[str]) -> onnx.ModelProto:
        """The int8 form with the nodes `kept` in float."""
        keep = frozenset(kept)
        return finish(qdq(self.p, self.ranges, self.method.weights, keep), keep)

    def measure(self, kept: Iterable[str]) -> tuple[Effect, float]:
        """What is lost, and the metric (1 without one), with the nodes `kept` in float."""
        model = self.build(kept)
        found = outputs_of(model, stored(self.inputs, self.p.input_scale))
        return effect(self.wanted, found), self.metric(found) if self.metric else 1.0

    def groups(self, depth: int | None = None) -> dict[str, list[str]]:
        """Nodes by block: the first `depth` parts of the path in a node's name; without a depth each layer by itself."""
        if depth is None:
            return {n.name: [n.name] for n in self.p.model.graph.node if n.op_type in LAYERS}
        found: dict[str, list[str]] = {}
        for name in self.nodes:
            parts = name.strip("/").split("/")[:-1]
            found.setdefault("/".join(parts[:depth]) or name, []).append(name)
        return {k: names for k, names in found.items() if any(n in self.macs for n in names)}

    def cost(self, kept: Iterable[str]) -> int:
        """Multiply-accumulates that run in float."""
        return sum(self.macs.get(name, 0) for name in kept)


def sensitivity(bench: Bench, groups: dict[str, list[str]], gains: int = SHOWN) -> list[Row]:
    """One row per group, the noisiest alone first; the gain is measured for the first `gains` of them."""
    rows = []
    for name, nodes in track(list(groups.items()), "one layer int8"):
        found, metric = bench.measure(set(bench.nodes) - set(nodes))
        rows.append(Row(name, bench.cost(nodes), found.total, min(found.cosine.values()), metric))
    rows.sort(key=lambda r: -r.alone)
    whole = bench.measure(())[0].total
    for row in track(rows[:gains], "one layer float"):
        row.gain = whole - bench.measure(groups[row.name])[0].total
    return rows


def markdown(rows: list[Row], whole: Effect) -> str:
    """A table of the rows."""
    least = min(whole.cosine.values())
    columns = "layer | MMAC | int8 alone: noise, % | SQNR, dB | least cosine | same names, % | float alone: noise less, %"
    head = (
        f"All layers int8: noise-to-signal {100 * whole.total:.2f} % ({whole.sqnr:.1f} dB), least cosine {least:.4f}.\n\n"
        f"| {columns} |\n{'|---' * (columns.count('|') + 1)}|\n"
    )
    lines = [
        f"| `{r.name}` | {r.macs / 1e6:.1f} | {100 * r.alone:.3f} | {-10 * np.log10(max(r.alone, 1e-12)):.1f} | {r.cosine:.4f} "
        f"| {100 * r.metric:.1f} | {'–' if r.gain is None else f'{100 * r.gain:.3f}'} |"
        for r in rows
    ]
    return head + "\n".join(lines) + "\n"


def plot(rows: list[Row], path: Path) -> None:
    """Bars of the layers that cost most by themselves, and of what each gives back in float."""
    chosen = rows[:SHOWN][::-1]
    at = np.arange(len(chosen))
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.26 * len(chosen)), layout="constrained")
    axes.barh(at + 0.2, [100 * r.alone for r in chosen], 0.4, label="this layer int8, all else float")
    axes.barh(at - 0.2, [100 * (r.gain or 0.0) for r in chosen], 0.4, label="less noise with this layer float")
    axes.set_yticks(at, [r.name.strip("/").removesuffix("/Conv").removesuffix("/Gemm") for r in chosen], fontsize=8)
    axes.margins(y=0.01)
    axes.set_xlabel("noise-to-signal ratio of the outputs, %")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def write(rows: list[Row], whole: Effect, folder: Path) -> None:
    """`sensitivity.json`, `.md` and `.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sensitivity.json").write_text(json.dumps([asdict(r) for r in rows], indent=1) + "\n")
    (folder / "sensitivity.md").write_text(markdown(rows, whole))
    plot(rows, folder / "sensitivity.png")
