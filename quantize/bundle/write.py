"""Writes a bundle's manifest and bank of negatives (docs/architecture.md, "The bundle")."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from quantize.bundle.manifest import FORMAT, Classes, ExamplePool, Examples, Manifest, Pool, Score

HASHED = ("vision.onnx", "prompt.onnx", "text.onnx", "tokenizer.json", "negatives.vocab.safetensors")
FEATURES = "features.safetensors"
"""The space of examples; there where the manifest has `[examples]`."""
CLASSES = "classes.safetensors"
"""The detector's class head; there where the manifest has `[classes]`."""
Metrics = dict[str, dict[str, float]]


def files_of(manifest: Manifest) -> list[str]:
    """The files of a bundle with this manifest."""
    return [*HASHED, *([FEATURES] if manifest.examples else []), *([CLASSES] if manifest.classes else [])]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _value(v: Any) -> str:
    if isinstance(v, float):
        return repr(round(v, 6))
    return json.dumps(v)


def _score(s: Score) -> str:
    return f"{{ scale = {_value(s.scale)}, weights = [{', '.join(_value(w) for w in s.weights)}] }}"


def _pool(p: Pool) -> list[str]:
    limits = [f"limits = {list(p.limits)}"] if p.limits else []
    return [
        f"maps = {_value(list(p.maps))}",
        *limits,
        f"expand = {p.expand}",
        f"square = {_value(p.square)}",
        f"samples = {p.samples}",
    ]


def _examples(e: Examples) -> list[str]:
    def rows(weights: tuple[tuple[float, ...], ...]) -> str:
        return "[" + ", ".join(f"[{', '.join(_value(float(w)) for w in row)}]" for row in weights) + "]"

    def pool(kind: str, p: ExamplePool) -> list[str]:
        weights = [f"beside_words = {rows(p.beside_words)}", f"alone = {rows(p.alone)}"]
        weights += [f"trust = [{', '.join(_value(float(w)) for w in p.trust)}]"] if p.trust else []
        return [f"[examples.{kind}]", *_pool(p.pool), f"embedding = {p.embedding}", *weights, ""]

    own = [f"{key} = {getattr(e, key)}" for key in ("scale", "floor", "counter_scale", "sharpness")]
    own += [f"ridge = {e.ridge}"] if e.ridge else []
    return ["[examples]", *own, "", *pool("region", e.region), *pool("picture", e.picture)]


def _classes(c: Classes) -> list[str]:
    numbers = {key: ", ".join(_value(float(v)) for v in getattr(c, key)) for key in ("ramp", "weights")}
    return ["[classes]", f"maps = {_value(list(c.maps))}", *(f"{key} = [{row}]" for key, row in numbers.items()), ""]


def write_manifest(folder: Path, m: Manifest, metrics: Metrics) -> None:
    """Hashes the bundle's files and writes `model.toml`; `metrics` are tables of measured figures, for people."""
    d = m.detection
    lines = [
        f"name = {_value(m.name)}", f"format = {FORMAT}", f"embedding = {m.embedding}", f"text_max_tokens = {m.text_max_tokens}",
        f"templates = {_value(list(m.templates))}", "", "[input]", f"size = {m.size}", "", "[detection]",
        f"strides = {list(d.strides)}", f"bins = {d.bins}", f"max_candidates = {d.max_candidates}",
        f"min_objectness = {d.min_objectness}", f"candidate_iou = {d.candidate_iou}", f"label_iou = {d.label_iou}", "",
    ]  # fmt: skip
    for p in m.pools:
        lines += ["[[region.pool]]", *_pool(p), ""]
    lines += ["[score]", f"threshold = {m.threshold}"]
    lines += [f"tag_threshold = {m.tag_threshold}"] if m.tag_threshold != m.threshold else []
    lines += [f"max_similarity = {m.max_similarity}"]
    lines += [f"region = {_score(m.region)}", f"image = {_score(m.image)}", ""]
    lines += _classes(m.classes) if m.classes else []
    lines += _examples(m.examples) if m.examples else []
    lines += ["[files]"]
    lines += [f"{_value(name)} = {_value(sha256(folder / name))}" for name in files_of(m)]
    for kind, values in metrics.items():
        lines += ["", f"[metrics.{kind}]", *(f"{_value(k)} = {_value(float(v))}" for k, v in values.items())]
    (folder / "model.toml").write_text("\n".join(lines) + "\n")


def spread(vectors: Tensor, count: int) -> list[int]:
    """Farthest-point sampling: positions of `count` unit vectors that cover all of them, the first one first."""
    if len(vectors) == 0:
        return []
    chosen = [0]
    nearest = vectors @ vectors[0]
    while len(chosen) < min(count, len(vectors)):
        far = int(nearest.argmin())
        chosen.append(far)
        nearest = torch.maximum(nearest, vectors @ vectors[far])
    return chosen


def write_vocabulary(path: Path, names: list[str], vectors: Tensor, negatives: Tensor, text_sha256: str) -> None:
    """A `*.vocab.safetensors` file; `vectors` and `negatives` of unit length."""
    tensors = {
        "embeddings": vectors.contiguous(),
        "negatives": negatives.contiguous(),
        "thresholds": torch.full((len(names),), float("nan")),
    }
    listed = json.dumps(names)
    save_file(tensors, path, {"format": "edgeclip-vocab-1", "names": listed, "prompts": listed, "text_sha256": text_sha256})
