"""Cycles of the kernels' inner loops by llvm-mca: `python cross/perf/cycles.py PROGRAM` on an AArch64 program with symbols.

An inner loop is the stretch between a backward branch and its target that holds no other such stretch. Loops that multiply int8
are listed with products per iteration, cycles and products per cycle. llvm-mca assumes that all loads hit the first-level cache.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BIN = Path(os.environ.get("EDGECLIP_CACHE", Path.home() / ".cache/edgeclip")) / "cross/bin"
ITERATIONS = 300
# LLVM has no model of the A72; its cortex-a72 uses that of the A57, which issues as many multiplications per cycle.
# The A53 is modelled in order, and without the short cut from one accumulation to the next.
CORES = {"a76": ["-mcpu=neoverse-n1", "-mattr=+dotprod"], "a72": ["-mcpu=cortex-a72"], "a53": ["-mcpu=cortex-a53"]}
# Peak products per cycle: two SDOT of 16, or one SMULL or SMLAL of 8.
CEILING = {"a76": 32.0, "a72": 8.0, "a53": 8.0}
# Products of one instruction: by mnemonic, then by the arrangement of its first operand.
PRODUCTS = {
    ("sdot", "4s"): 16, ("sdot", "2s"): 8, ("udot", "4s"): 16, ("smmla", "4s"): 32,
    ("smull", "8h"): 8, ("smull2", "8h"): 8, ("smlal", "8h"): 8, ("smlal2", "8h"): 8,
    ("smull", "4s"): 4, ("smull2", "4s"): 4, ("smlal", "4s"): 4, ("smlal2", "4s"): 4,
    ("mul", "8h"): 8, ("mla", "8h"): 8, ("mul", "4s"): 4, ("mla", "4s"): 4,
}  # fmt: skip
BRANCH = re.compile(r"^(b|b\.\w+|cbn?z|tbn?z)\s.*?\b([0-9a-f]+) <")
LINE = re.compile(r"^\s+([0-9a-f]+):\t(\S+)(?:\s+(.*))?$")


@dataclass(frozen=True)
class Loop:
    """An inner loop that multiplies."""

    function: str
    body: tuple[str, ...]
    products: int

    @property
    def needs_dotprod(self) -> bool:
        """Whether an A72 or an A53 would trap."""
        return any(re.match(r"[su]dot\s", line) for line in self.body)

    @property
    def needs_i8mm(self) -> bool:
        """Whether an A76 would trap."""
        return any(line.startswith("smmla") for line in self.body)

    def runs_on(self, core: str) -> bool:
        """Whether `core` has its instructions."""
        return not self.needs_i8mm and (core == "a76" or not self.needs_dotprod)

    def cycles(self, core: str) -> float:
        """Cycles per iteration."""
        *rest, back = (re.sub(r"\b[0-9a-f]+ <.*", "1f", line) for line in self.body)
        text = "\n".join(["0:", *rest, back.replace("1f", "0b"), "1:", ""])
        command = [f"{BIN}/llvm-mca-19", "-mtriple=aarch64-linux-gnu", *CORES[core], f"-iterations={ITERATIONS}"]
        found = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        total = re.search(r"Total Cycles:\s+(\d+)", found.stdout)
        if not total:
            raise ValueError(f"{self.function}: llvm-mca says {found.stderr.strip()[:300]}")
        return int(total[1]) / ITERATIONS


def products(line: str) -> int:
    """Products of int8 (or of i16 made from int8) that an instruction adds up."""
    name, _, operands = line.partition(" ")
    arrangement = re.match(r"v\d+\.(\w+)", operands.strip())
    return PRODUCTS.get((name, arrangement[1]), 0) if arrangement else 0


def functions(program: Path) -> dict[str, list[tuple[int, str]]]:
    """Address and text of each instruction, by function."""
    command = [f"{BIN}/aarch64-linux-gnu-objdump", "-dC", "--no-show-raw-insn", str(program)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, list[tuple[int, str]]] = {}
    lines: list[tuple[int, str]] = []
    for line in listing.splitlines():
        if head := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            lines = found.setdefault(head[1], [])
        elif instruction := LINE.match(line):
            operands = re.sub(r"\s*//.*", "", instruction[3] or "")
            lines.append((int(instruction[1], 16), f"{instruction[2]} {operands}".strip()))
    return found


def loops(program: Path) -> list[Loop]:
    """The inner loops of convolutions and products that multiply, the longest of each function first."""
    found: dict[tuple[str, ...], Loop] = {}
    for name, lines in functions(program).items():
        if not re.search("kernels::(conv_|product)", name) or "tests" in name:
            continue
        index = {address: position for position, (address, _) in enumerate(lines)}
        spans = []
        for position, (address, text) in enumerate(lines):
            branch = BRANCH.match(text)
            if branch and int(branch[2], 16) <= address and int(branch[2], 16) in index:
                spans.append((index[int(branch[2], 16)], position))
        for first, last in spans:
            if any((a, b) != (first, last) and first <= a and b <= last for a, b in spans):
                continue
            body = tuple(text for _, text in lines[first : last + 1])
            total = sum(products(text) for text in body)
            if total:
                found.setdefault(body, Loop(name, body, total))
    return sorted(found.values(), key=lambda loop: (loop.function, -loop.products))


def table(program: Path) -> list[str]:
    """A Markdown table of all loops on all cores that have their instructions."""
    heads = ["function", "instructions", "products", "core", "cycles", "products a cycle", "of the ceiling"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for loop in loops(program):
        for core, ceiling in CEILING.items():
            # Cores with dotprod never run the loops for cores without it, nor the reverse.
            if not loop.runs_on(core) or (core == "a76") != loop.needs_dotprod:
                continue
            cycles = loop.cycles(core)
            rate = loop.products / cycles
            short = re.sub(r".*kernels::", "", loop.function)
            row = [f"`{short}`", len(loop.body), loop.products, core, f"{cycles:.1f}", f"{rate:.1f}", f"{rate / ceiling:.0%}"]
            lines.append("| " + " | ".join(map(str, row)) + " |")
    return lines


if __name__ == "__main__":
    print("\n".join(table(Path(sys.argv[1]))))
