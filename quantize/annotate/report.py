"""`report.md`: what a run did, with score histograms and the sample sheet beside it."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from quantize.annotate.engine import Outcome
from quantize.annotate.settings import Settings
from quantize.annotate.sheet import sheet
from quantize.annotate.stats import BINS, Stats

MOST_NAMES = 30
COLUMNS = 3


def write_report(outcome: Outcome, out: Path, settings: Settings) -> None:
    """Writes report.md, scores.png and samples.jpg into `out`."""
    total = outcome.total()
    frequent = Counter(dict(total.names.most_common(MOST_NAMES)))
    lines = [
        "# Annotation report", "",
        f"{len(outcome.shards)} shards, {len(outcome.skipped)} of them from earlier runs: {total.read} pictures read, "
        f"{total.written} written.", "",
        *table("Written", total.counts), *table("Pictures left out", total.dropped), *table("Removed", total.removed),
        *_times(total, outcome), *table(f"Most frequent of {len(total.names)} box names", frequent),
    ]  # fmt: skip
    if total.histograms:
        histograms(total, out / "scores.png")
        lines += ["## Scores", "", "![Histograms of scores](scores.png)", ""]
    samples = sheet([out / f"{name}.tar" for name in outcome.shards], settings.sheet) if settings.sheet > 0 else None
    if samples:
        samples.save(out / "samples.jpg", quality=88)
        lines += ["## Samples", "", "![Pictures with boxes, phrases, masks and captions](samples.jpg)", ""]
    lines += ["## Settings", "", "```toml", *_toml(settings), "```", ""]
    (out / "report.md").write_text("\n".join(lines))


def table(title: str, counts: Counter[str]) -> list[str]:
    """Counts above 0 as Markdown; nothing when there are none."""
    rows = [f"| {name} | {count} |" for name, count in counts.items() if count > 0]
    return [f"## {title}", "", "| | |", "|---|---:|", *rows, ""] if rows else []


def _times(total: Stats, outcome: Outcome) -> list[str]:
    """Process time of each stage over all pictures; how many pictures per second this run did."""
    rows = [f"| {name} | {1000 * seconds / max(1, total.read):.1f} |" for name, seconds in total.seconds.items()]
    pictures = sum(stats.read for name, stats in outcome.shards.items() if name not in outcome.skipped)
    rate = [f"This run: {pictures} pictures in {outcome.seconds:.0f} s, {pictures / outcome.seconds:.1f} a second.", ""]
    return [
        "## Time",
        "",
        *(rate if pictures else []),
        "| second pass, stage | ms a picture and process |",
        "|---|---:|",
        *rows,
        "",
    ]


def histograms(total: Stats, path: Path) -> None:
    """One plot for each kind of score."""
    rows = -(-len(total.histograms) // COLUMNS)
    columns = min(COLUMNS, len(total.histograms))
    figure = Figure(figsize=(4.2 * columns, 2.8 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for i, (name, bins) in enumerate(sorted(total.histograms.items())):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.bar([(b + 0.5) / BINS for b in range(BINS)], bins, width=0.9 / BINS)
        axes.set(title=f"{name} ({sum(bins)})", xlabel="score", xlim=(0, 1))
        axes.title.set_fontsize(9)
    figure.savefig(path, dpi=110)


def _toml(settings: Settings) -> list[str]:
    """Settings that differ from the defaults."""
    plain = asdict(Settings())
    return [f"{key} = {_value(value)}" for key, value in asdict(settings).items() if value != plain[key]]


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
