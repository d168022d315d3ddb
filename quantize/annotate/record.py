"""One picture with all that is known and guessed about it, and its form in a shard (quantize/README.md, Annotate)."""

import io
import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from quantize.annotate.parser.phrase import Phrase

Rect = tuple[float, float, float, float]
Picture = NDArray[np.uint8]

PSEUDO_MASK = "pseudo_mask.png"
DECIMALS = 4
"""Of what is written."""
NO_MASK = "null"
"""Name of index 0."""


@dataclass(frozen=True)
class Caption:
    """A machine's caption; `score` is its mean token probability."""

    text: str
    model: str
    score: float


@dataclass(frozen=True)
class Tag:
    """`kind` is "object" or "attribute"; `of` the objects that an attribute belongs to."""

    name: str
    kind: str
    score: float
    model: str
    of: tuple[str, ...] = ()


@dataclass(frozen=True)
class PseudoBox:
    """A machine's box: `box` x0, y0, x1, y1 as fractions; `name` a head noun's lemma, `phrase` what it was found by."""

    box: Rect
    name: str
    score: float
    model: str
    phrase: str = ""
    attributes: tuple[str, ...] = ()
    caption: str = ""


@dataclass(frozen=True)
class PseudoMask:
    """`index` [h, w] into `names` and `scores`; index 0 is nothing."""

    index: NDArray[np.uint16]
    names: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Step:
    """Which stage and model changed a record."""

    stage: str
    model: str
    version: str


@dataclass(frozen=True)
class Record:
    """Stages take records and give changed copies. `dropped` says why a picture is left out, `removed` what it lost."""

    key: str
    jpeg: bytes
    given: dict[str, Any] = field(default_factory=dict)
    companions: dict[str, bytes] = field(default_factory=dict)
    pseudo_captions: tuple[Caption, ...] = ()
    tags: tuple[Tag, ...] = ()
    pseudo_boxes: tuple[PseudoBox, ...] = ()
    pseudo_mask: PseudoMask | None = None
    provenance: tuple[Step, ...] = ()
    phrases: tuple[tuple[Phrase, ...], ...] = ()
    fingerprint: int | None = None
    removed: tuple[str, ...] = ()
    dropped: str = ""

    def picture(self) -> Picture:
        """RGB pixels `[h, w, 3]`."""
        return np.array(Image.open(io.BytesIO(self.jpeg)).convert("RGB"))

    def given_texts(self) -> list[str]:
        """People's captions, and their questions with the right answers."""
        asked = [f"{qa['question']} {qa['answer']}" for qa in self.given.get("qa", [])]
        return [*self.given.get("captions", []), *asked]

    def texts(self) -> list[str]:
        """All texts about the picture, in the order of `phrases`."""
        return [*self.given_texts(), *(c.text for c in self.pseudo_captions)]

    def done(self, stage: str, model: str, version: str, **changes: Any) -> "Record":
        """A changed copy that records what changed it."""
        return replace(self, provenance=(*self.provenance, Step(stage, model, version)), **changes)


def earlier(given: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Takes out of an input's JSON what an earlier run guessed: fields of the record, and what was unusable.

    Tags are always made again; a pseudo-mask passes through as a companion until a segmenter replaces it.
    """
    kept: dict[str, Any] = {}
    removed: list[str] = []
    given.pop("tags", None)
    for key, reader in (("pseudo_captions", _read_caption), ("pseudo_boxes", _read_box), ("provenance", _read_step)):
        found = []
        entries = given.pop(key, [])
        for entry in entries if isinstance(entries, list) else [entries]:
            try:
                found.append(reader(entry))
            except (KeyError, TypeError, ValueError):
                removed.append(f"{key} of the input: unusable")
        kept[key] = tuple(found)
    return kept, tuple(removed)


def _read_caption(entry: dict[str, Any]) -> Caption:
    return Caption(str(entry["text"]), str(entry.get("model", "input")), float(entry.get("score", 1.0)))


def _read_box(entry: dict[str, Any]) -> PseudoBox:
    x0, y0, x1, y1 = (float(v) for v in entry["box"])
    said = str(entry.get("phrase", "")), tuple(map(str, entry.get("attributes", ()))), str(entry.get("caption", ""))
    model = str(entry.get("model", "input"))
    return PseudoBox((x0, y0, x1, y1), str(entry["name"]), float(entry.get("score", 1.0)), model, *said)


def _read_step(entry: dict[str, Any]) -> Step:
    return Step(str(entry["stage"]), str(entry["model"]), str(entry["version"]))


def parts(record: Record) -> dict[str, bytes]:
    """Extension → content, in the order of the shard."""
    meta = dict(record.given)
    meta["pseudo_captions"] = [
        {"text": c.text, "model": c.model, "score": round(c.score, DECIMALS)} for c in record.pseudo_captions
    ]
    meta["tags"] = [_tag(t) for t in record.tags]
    meta["pseudo_boxes"] = [_box(b) for b in record.pseudo_boxes]
    meta["provenance"] = [{"stage": s.stage, "model": s.model, "version": s.version} for s in record.provenance]
    found = {"jpg": record.jpeg} | record.companions
    if record.pseudo_mask is not None:
        meta["pseudo_mask_names"] = list(record.pseudo_mask.names)
        meta["pseudo_mask_scores"] = [round(s, DECIMALS) for s in record.pseudo_mask.scores]
        found[PSEUDO_MASK] = _png(record.pseudo_mask.index)
    return found | {"json": json.dumps(meta, ensure_ascii=False).encode()}


def _tag(tag: Tag) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": tag.name, "kind": tag.kind, "score": round(tag.score, DECIMALS), "model": tag.model}
    return entry | ({"of": list(tag.of)} if tag.of else {})


def _box(box: PseudoBox) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "box": [round(v, DECIMALS) for v in box.box],
        "name": box.name,
        "score": round(box.score, DECIMALS),
        "model": box.model,
    }
    said = {"phrase": box.phrase, "attributes": list(box.attributes), "caption": box.caption}
    return entry | {key: value for key, value in said.items() if value}


def _png(index: NDArray[np.uint16]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(index.astype(np.uint8) if index.max(initial=0) < 256 else index).save(buffer, "PNG")
    return buffer.getvalue()
