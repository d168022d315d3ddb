"""Milliseconds per frame on boards, estimated from instruction counts: `python cross/perf/estimate.py COUNTS.json PROGRAM`.

The int8 products go at the rate that llvm-mca gives the pointwise convolution's largest loop (cross/perf/cycles.py); everything
else goes at an assumed number of instructions a cycle, a low and a high one. Nothing is added for cache misses, other programs or
heat. For an A53 the loop's rate is a low one: the model lets each accumulation wait for the whole of the one before.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from cycles import PRODUCTS, Loop, loops

# Instructions per cycle outside the int8 loops, low and high: assumed. The cores decode more: 4, 3 and 2.
RATES = {"a76": (1.0, 2.5), "a72": (0.7, 1.6), "a53": (0.4, 0.9)}
# An A53 runs the same instructions as an A72: neither has dotprod.
COUNTED = {"a53": "a72"}
# GHz as sold; the A78AE of an Orin is modelled as an A76, whose multipliers are the same.
BOARDS = {
    "Pi Zero 2 W": ("a53", 1.0), "Pi 3": ("a53", 1.2), "Pi 4": ("a72", 1.8), "Pi 5": ("a76", 2.4), "Orin Nano": ("a76", 1.5),
}  # fmt: skip
PRODUCTS_OF = {"sdot": 16} | {name: count for (name, arrangement), count in PRODUCTS.items() if arrangement == "8h"}


@dataclass(frozen=True)
class Estimate:
    """One network on one core of one board."""

    network: str
    board: str
    fastest: float
    slowest: float


def hot(program: Path, core: str) -> Loop:
    """The pointwise convolution's loop with the most products that the core would choose."""
    found = [loop for loop in loops(program) if "conv_pointwise" in loop.function and loop.runs_on(core)]
    found = [loop for loop in found if loop.needs_dotprod == (core == "a76")]
    return max(found, key=lambda loop: (loop.products / loop.cycles(core), loop.products))


def estimate(counts: list[dict], program: Path) -> list[Estimate]:  # type: ignore[type-arg]
    """Estimates of edgeclip for all boards."""
    found = []
    for board, (core, clock) in BOARDS.items():
        loop = hot(program, core)
        for count in counts:
            if (count["core"], count["engine"]) != (COUNTED.get(core, core), "edgeclip"):
                continue
            products = sum(count["histogram"].get(name, 0) * each for name, each in PRODUCTS_OF.items())
            inside = products / loop.products
            rest = max(0.0, count["instructions"] - inside * len(loop.body))
            low, high = (inside * loop.cycles(core) + rest / rate for rate in RATES[core])
            found.append(Estimate(count["network"], board, high / clock / 1e6, low / clock / 1e6))
    return found


def table(found: list[Estimate]) -> list[str]:
    """A Markdown table."""
    lines = ["| network or picture | board, one core | ms a pass |", "|---|---|---|"]
    return lines + [f"| {e.network} | {e.board} | {e.fastest:.1f} to {e.slowest:.1f} |" for e in found]


if __name__ == "__main__":
    print("\n".join(table(estimate(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])))))
