"""Measurements as a Markdown table, as JSON and as a chart."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

from quantize.evaluate.protocols.outcome import Outcome
from quantize.evaluate.statistics import Estimate

matplotlib.use("Agg")
from matplotlib import pyplot as plt

NOTHING = "–"
BAR, ROW = 0.8, 0.55
"""Share of a metric's row that its bars fill, and its height in inches for one runtime."""


def percent(estimate: Estimate | None) -> str:
    """One decimal of a percentage, two of a number a picture, and the interval in brackets where there is one."""
    if estimate is None or math.isnan(estimate.value):
        return NOTHING
    unit, digits = (100, 1) if estimate.share else (1, 2)
    value, low, high = (f"{unit * number:.{digits}f}" for number in (estimate.value, estimate.low, estimate.high))
    return value if math.isnan(estimate.low) else f"{value} ({low}–{high})"


def metric_names(columns: Mapping[str, Outcome]) -> list[str]:
    """All metrics, in the order of their first occurrence."""
    return list(dict.fromkeys(name for outcome in columns.values() for name in outcome.metrics))


def markdown(title: str, columns: Mapping[str, Outcome]) -> str:
    """A table with a row for each metric and a column for each runtime, and what it was measured on."""
    rows = [["percent", *columns], ["---", *("---:" for _ in columns)]]
    for name in metric_names(columns):
        rows.append([name, *(percent(outcome.metrics.get(name)) for outcome in columns.values())])
    counted = {name: ", ".join(f"{count} {what}" for what, count in outcome.counts.items()) for name, outcome in columns.items()}
    same = len(set(counted.values())) == 1
    on = next(iter(counted.values())) if same else "; ".join(f"{name}: {text}" for name, text in counted.items())
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"## {title}\n\n{table}\n\nOn {on}; in brackets the 95 % interval.\n"


def as_json(title: str, columns: Mapping[str, Outcome], settings: Mapping[str, Any]) -> str:
    """The same as JSON, shares from 0 to 1; null where nothing was measured."""

    def number(value: float) -> float | None:
        return None if math.isnan(value) else value

    def plain(estimate: Estimate) -> dict[str, float | None]:
        return {"value": number(estimate.value), "low": number(estimate.low), "high": number(estimate.high)}

    found = {
        name: {"metrics": {key: plain(value) for key, value in outcome.metrics.items()}, "counts": dict(outcome.counts)}
        for name, outcome in columns.items()
    }
    return json.dumps({"title": title, "settings": dict(settings), "runtimes": found}, indent=2) + "\n"


def plot(title: str, columns: Mapping[str, Outcome], path: Path) -> None:
    """Bars with intervals, one group per metric, into a PNG file."""
    names = metric_names(columns)
    height = BAR / len(columns)
    figure, axes = plt.subplots(figsize=(8, 1.2 + ROW * len(names) * (1 + 0.4 * (len(columns) - 1))), layout="constrained")
    for i, (runtime, outcome) in enumerate(columns.items()):
        shown = [(row, outcome.metrics[name]) for row, name in enumerate(names) if name in outcome.metrics]
        shown = [(row, estimate) for row, estimate in shown if not math.isnan(estimate.value)]
        at = [row + (i - (len(columns) - 1) / 2) * height for row, _ in shown]
        values = [100 * estimate.value for _, estimate in shown]
        axes.barh(at, values, height * 0.9, label=runtime)
        for place, (_, estimate) in zip(at, shown, strict=True):
            low, high = (100 * (estimate.value if math.isnan(end) else end) for end in (estimate.low, estimate.high))
            axes.plot([low, high], [place, place], color="black", linewidth=1.2, marker="|")
            axes.annotate(
                f"{100 * estimate.value:.1f}", (max(high, 100 * estimate.value), place),
                xytext=(5, 0), textcoords="offset points", va="center", fontsize=8,
            )  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("percent, with the 95 % interval")
    axes.margins(x=0.08)
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    if len(columns) > 1:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(path, dpi=150)
    plt.close(figure)
