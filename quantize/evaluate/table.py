"""Prints measured numbers for people."""

from rich.console import Console
from rich.table import Table

from quantize.evaluate.measure import Metrics

NOTHING = "–"
LEAST_WIDTH = 90
"""Characters a line; in a log there is no terminal to ask."""
ROWS = {
    "coco_ap": "COCO-80 AP",
    "coco_ap50": "COCO-80 AP50",
    "gtbox_top1": "given boxes, top-1",
    "gtbox_mean_class": "given boxes, mean-class",
    "grocery_coarse_top1": "grocery, coarse, top-1",
    "grocery_fine_top1": "grocery, fine, top-1",
    "camvid_miou": "CamVid, 11 classes, mIoU",
    "panoptic_miou": "COCO panoptic, mIoU",
    "flickr_t2i_r1": "Flickr8k text → image R@1",
    "flickr_t2i_r5": "Flickr8k text → image R@5",
    "flickr_t2i_r10": "Flickr8k text → image R@10",
    "flickr_i2t_r1": "Flickr8k image → text R@1",
    "flickr_i2t_r5": "Flickr8k image → text R@5",
    "flickr_i2t_r10": "Flickr8k image → text R@10",
    "coco_ece": "detections, calibration error",
    "grocery_ece": "tags, calibration error",
}


def percent(metrics: Metrics, name: str) -> str:
    """One decimal, with the interval where there is one."""
    if name not in metrics:
        return NOTHING
    interval = [metrics.get(name.replace("top1", end)) for end in ("low", "high")] if "top1" in name else []
    bounds = [f"{100 * bound:.1f}" for bound in interval if bound is not None]
    return f"{100 * metrics[name]:.1f}" + (f" ({'–'.join(bounds)})" if bounds else "")


def print_table(columns: dict[str, Metrics]) -> None:
    """One row a metric, one column a model, in percent."""
    table = Table(caption="percent; in brackets the 95 % interval")
    table.add_column("", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for name, title in ROWS.items():
        table.add_row(title, *(percent(metrics, name) for metrics in columns.values()))
    Console(width=max(Console().width, LEAST_WIDTH)).print(table)
