"""Tables of what was measured, for the terminal and for benches/record/."""

import datetime
import importlib.metadata
import os
import subprocess
from pathlib import Path

from result import Result

ROOT = Path(__file__).parents[2]
FAMILIES = ("ort", "ncnn", "tract")


def commit() -> str:
    """The commit, and whether files differ from it."""
    git = ["git", "-C", str(ROOT)]
    name = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout.strip()
    return f"{name}{' with changes' if changed else ''}"


def processor() -> str:
    """Model and the instruction sets that matter here."""
    lines = [line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line]
    values = {key.strip(): value.strip() for key, value in reversed(lines)}
    flags = values.get("flags", values.get("Features", "")).split()
    wanted = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "asimddp", "i8mm")
    family = f"family {values.get('cpu family', '?')} model {values.get('model', '?')}"
    return f"{values.get('model name', 'unknown')} ({family}; {', '.join(flag for flag in wanted if flag in flags)})"


def heading(level: str | None) -> str:
    """Date, machine, versions."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("onnxruntime", "ncnn"))
    locked = (ROOT / "Cargo.lock").read_text().split('name = "tract-core"\nversion = "')[1].split('"')[0]
    machine = f"{len(os.sched_getaffinity(0))} CPUs, load average {os.getloadavg()[0]:.1f}"
    lines = [
        f"{datetime.date.today()}, commit {commit()}, {processor()}, {machine}",
        f"edgeclip, stock tract {locked} (one thread), {versions}",
    ]
    if level:
        lines.append(f"All engines run as on a CPU with no more than {level}: their cpuid is answered by mask.c.")
    return "\n".join(lines)


def table(result: Result) -> str:
    """Markdown: medians, and edgeclip's time by each engine's."""
    threads = f"{result.threads} thread{'s' if result.threads > 1 else ''}"
    first = result.agreement["first layers"]
    lines = [
        "", f"### {result.case}, {threads}, {len(result.times['edgeclip'])} passes", "", f"First layers: {first}.", "",
        "| engine | median ms | min ms | edgeclip / engine | by the minima | deviation from ort-u8u8 | load ms |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    chosen = {result.best(family) for family in FAMILIES}
    for name, times in result.times.items():
        label = f"**{name}**" if name in chosen else name
        same = result.agreement.get(name, "the reference")
        ratio = result.median("edgeclip") / result.median(name)
        least = min(result.times["edgeclip"]) / min(times)
        values = f"{result.median(name):.2f} | {min(times):.2f} | {ratio:.3f} | {least:.3f}"
        lines.append(f"| {label} | {values} | {same} | {result.load[name]:.0f} |")
    exact = result.best_exact()
    if exact != result.best("ort"):
        ratio = result.median("edgeclip") / result.median(exact)
        lines += ["", f"{result.best('ort')} is not the same network, as it saturates; by {exact}, which is: **{ratio:.2f}**."]
    detail = {name: result.details[name] for name in ("edgeclip", "ort-s8", "ncnn-f32")}
    return "\n".join([*lines, "", "Said by the engines: " + ", ".join(f"{k} {v}" for k, v in detail.items()) + "."])


def summary(results: list[Result]) -> str:
    """One line a case: edgeclip by the best int8 form of ONNX Runtime, the best form of ncnn, and tract."""
    lines = []
    for result in results:
        ratios = " ".join(f"edgeclip/{family} {result.ratio(family):.2f}" for family in FAMILIES)
        name = (
            result.case.network if result.case.size == 320 or result.case.network != "default" else f"default@{result.case.size}"
        )
        lines.append(f"{name} {result.threads}T {ratios}")
    return "\n".join(lines)


def record(results: list[Result], level: str | None, arguments: list[str]) -> Path:
    """Writes the dated record."""
    name = f"{datetime.date.today()}-peers{f'-as-{level}' if level else ''}.md"
    path = ROOT / "benches/record" / name
    path.parent.mkdir(exist_ok=True)
    command = f"`benches/peers/run.sh {' '.join(arguments)}`"
    parts = ["# edgeclip beside its peers", "", heading(level), "", f"Command: {command}. Bold: the form that counts.", ""]
    body = [*parts, "```", summary(results), "```", *(table(result) for result in results)]
    path.write_text("\n".join(body) + "\n")
    return path.relative_to(ROOT)
