"""The JSON beside a picture in a shard: `boxes`, `label`, `labels`, `captions` as ours are, `caption` as img2dataset's are."""

from typing import Any

from quantize.labels.gathered import Gathered
from quantize.labels.labelled import Labelled


def add(gathered: Gathered, picture: Labelled, told: Any) -> None:
    """Adds what a record says; raises KeyError, TypeError or ValueError if it is built otherwise."""
    if not isinstance(told, dict):
        raise ValueError(f"found a {type(told).__name__}, expected a table")
    for box in told.get("boxes", []):
        x0, y0, x1, y1 = (float(v) for v in box["box"])
        gathered.box(picture, str(box["name"]), (x0, y0, x1, y1))
    for name in (*(told[key] for key in ("label", "coarse") if key in told), *told.get("labels", [])):
        gathered.whole(picture, str(name))
    for text in (*told.get("captions", []), *([told["caption"]] if isinstance(told.get("caption"), str) else [])):
        gathered.caption(picture, str(text))
