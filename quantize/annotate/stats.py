"""Counts and scores of a run, added up over chunks and shards."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from quantize.annotate.record import Record

BINS = 20
"""Of the score histograms, over 0..1."""
COUNTERS = ("counts", "dropped", "removed", "seconds", "names")


@dataclass
class Stats:
    """`counts` of what was written, `dropped` pictures and `removed` pieces by reason, `seconds` by stage, boxes by `names`."""

    read: int = 0
    written: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, list[int]] = field(default_factory=dict)

    def add(self, other: "Stats") -> None:
        """Adds another's numbers to these."""
        self.read += other.read
        self.written += other.written
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name, bins in other.histograms.items():
            mine = self.histograms.setdefault(name, [0] * BINS)
            self.histograms[name] = [a + b for a, b in zip(mine, bins, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        counters = {name: dict(getattr(self, name)) for name in COUNTERS}
        return {"read": self.read, "written": self.written, "histograms": self.histograms} | counters

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Stats":
        """What `to_json` gave."""
        counters = {name: Counter(values[name]) for name in COUNTERS}
        return cls(values["read"], values["written"], histograms=values["histograms"], **counters)


def stats_of(records: Iterable[Record], seconds: Counter[str]) -> Stats:
    """The statistics of one chunk."""
    stats = Stats(seconds=seconds)
    for record in records:
        stats.read += 1
        stats.removed.update(record.removed)
        if record.dropped:
            stats.dropped[record.dropped] += 1
            continue
        stats.written += 1
        _count(stats, record)
    return stats


def _count(stats: Stats, record: Record) -> None:
    masks = record.pseudo_mask.names[1:] if record.pseudo_mask else ()
    stats.counts.update(
        {
            "captions": len(record.given_texts()),
            "phrases": sum(map(len, record.phrases)),
            "boxes given": len(record.given.get("boxes", [])),
            "pseudo_captions": len(record.pseudo_captions),
            "tags, objects": sum(tag.kind == "object" for tag in record.tags),
            "tags, attributes": sum(tag.kind == "attribute" for tag in record.tags),
            "pseudo_boxes": len(record.pseudo_boxes),
            "pseudo_boxes with a phrase": sum(bool(box.phrase) for box in record.pseudo_boxes),
            "pseudo_boxes with attributes": sum(bool(box.attributes) for box in record.pseudo_boxes),
            "pseudo_boxes with a caption": sum(bool(box.caption) for box in record.pseudo_boxes),
            "pseudo_mask segments": len(masks),
        }
    )
    has = {
        "text": record.texts(), "a tag": record.tags, "a pseudo_box": record.pseudo_boxes,
        "a box with a phrase": [b for b in record.pseudo_boxes if b.phrase], "a pseudo_mask": masks,
    }  # fmt: skip
    stats.counts.update({f"pictures with {what}": bool(value) for what, value in has.items()})
    stats.names.update(box.name for box in record.pseudo_boxes)
    for caption in record.pseudo_captions:
        _bin(stats, f"captions, {caption.model}", caption.score)
    for box in record.pseudo_boxes:
        _bin(stats, f"boxes, {box.model}", box.score)
    if record.pseudo_mask:
        for score in record.pseudo_mask.scores[1:]:
            _bin(stats, "mask segments", score)


def _bin(stats: Stats, name: str, score: float) -> None:
    bins = stats.histograms.setdefault(name, [0] * BINS)
    bins[min(max(int(score * BINS), 0), BINS - 1)] += 1
