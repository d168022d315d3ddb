"""Results by row and seed → a Markdown table and a plot of means with standard deviations."""

import statistics
from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # the backend comes first

COLUMNS = {
    "gtbox_mean_class": "GT boxes, mean class",
    "gtbox_top1": "GT boxes, top-1",
    "camvid_miou": "CamVid mIoU",
    "panoptic_miou": "COCO panoptic names mIoU",
    "t2i_r1": "text → image R@1",
    "i2t_r1": "image → text R@1",
    "ap50": "AP50",
}
Results = Mapping[str, Mapping[str, float]]
"""By `ROW, seed N`; shares from 0 to 1."""


def by_row(results: Results) -> dict[str, dict[str, list[float]]]:
    """Row → metric → values of its seeds."""
    rows: dict[str, dict[str, list[float]]] = {}
    for name, found in results.items():
        row = rows.setdefault(name.rpartition(", seed ")[0], {})
        for metric, value in found.items():
            row.setdefault(metric, []).append(value)
    return rows


def spread(values: list[float]) -> float:
    """Standard deviation between seeds; 0 of one."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def markdown(results: Results) -> str:
    """Percent, mean ± standard deviation."""
    lines = ["| row | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for row, found in by_row(results).items():
        cells = [f"{100 * statistics.mean(found[m]):.1f} ± {100 * spread(found[m]):.1f}" for m in COLUMNS]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(results: Results, path: Path) -> None:
    """One panel per metric, one bar per row."""
    rows = by_row(results)
    figure, axes = plt.subplots(1, len(COLUMNS), figsize=(2.6 * len(COLUMNS), 3.2), sharey=True, layout="constrained")
    for axis, (metric, title) in zip(axes, COLUMNS.items(), strict=True):
        mean = [100 * statistics.mean(found[metric]) for found in rows.values()]
        deviation = [100 * spread(found[metric]) for found in rows.values()]
        axis.barh(list(rows), mean, xerr=deviation, color="#4477aa", ecolor="#222222", capsize=3)
        axis.set_title(title, fontsize=9)
        axis.set_xlim(left=0)
    axes[0].invert_yaxis()
    figure.supxlabel("percent, mean and standard deviation of the seeds", fontsize=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)
