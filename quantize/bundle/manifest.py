"""Reads a bundle's manifest, `model.toml`, as docs/architecture.md describes it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1


class BundleError(Exception):
    """The bundle is missing or not what it should be; the message is one line."""


@dataclass(frozen=True)
class Detection:
    """How candidates are chosen."""

    strides: tuple[int, ...]
    bins: int
    max_candidates: int
    min_objectness: float
    candidate_iou: float
    label_iou: float


@dataclass(frozen=True)
class Pool:
    """One part of the region vector."""

    maps: tuple[str, ...]
    limits: tuple[float, ...]
    expand: float
    square: bool
    samples: int


@dataclass(frozen=True)
class Score:
    """From cosines to a probability."""

    scale: float
    weights: tuple[float, ...]


@dataclass(frozen=True)
class ExamplePool:
    """How a region or a picture becomes an example's vector, and how its evidence counts."""

    pool: Pool
    embedding: float
    """Length of the joint embedding beside what the trunk sees, which has length 1."""
    beside_words: tuple[tuple[float, ...], ...]
    """Weights of words, examples, one, and their agreement: with one example, and with endlessly many."""
    alone: tuple[tuple[float, ...], ...]
    """Weights of examples and one, for entries without words."""
    trust: tuple[float, ...] | None = None
    """Weights of the agreement, one, and one over the number of examples, in the logit of words' fitting their examples; those
    that do not fit give way to examples alone. None to believe them always."""


@dataclass(frozen=True)
class Examples:
    """Examples beside words (docs/architecture.md, "Examples")."""

    scale: float
    floor: float
    counter_scale: float
    sharpness: float
    region: ExamplePool
    picture: ExamplePool
    ridge: float | None = None
    """Of the regression that makes a prototype of examples and the bank; None where prototypes are unit means."""


@dataclass(frozen=True)
class Classes:
    """How the detector's own classes count beside words (docs/architecture.md, "Classes")."""

    maps: tuple[str, ...]
    """The map that the class head reads, one for each stride."""
    ramp: tuple[float, ...]
    """Cosine of a name and its nearest class up to which the class does not count, and from which on it counts in full."""
    weights: tuple[float, ...]
    """Of a constant, the margin, objectness and the logit of the class."""


@dataclass(frozen=True)
class Manifest:
    """What the numpy specification needs of `model.toml`."""

    name: str
    size: int
    embedding: int
    text_max_tokens: int
    templates: tuple[str, ...]
    detection: Detection
    pools: tuple[Pool, ...]
    threshold: float
    tag_threshold: float
    max_similarity: float
    region: Score
    image: Score
    examples: Examples | None = None
    classes: Classes | None = None


def read_manifest(folder: Path) -> Manifest:
    """Reads `model.toml` of a bundle.

    Raises:
        BundleError: it is missing, of another format, or lacks a setting.
    """
    path = folder / "model.toml"
    try:
        values = tomllib.loads(path.read_text())
        return _manifest(values)
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}, expected the manifest of a model bundle (--model)") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{path}: {error!r}, expected a manifest of format {FORMAT}") from error


def _manifest(values: dict[str, Any]) -> Manifest:
    if values["format"] != FORMAT:
        raise ValueError(f"format {values['format']}")
    score = values["score"]
    pools = tuple(_pool(pool) for pool in values["region"]["pool"])
    detection = values["detection"] | {"strides": tuple(values["detection"]["strides"])}
    return Manifest(
        name=values["name"],
        size=values["input"]["size"],
        embedding=values["embedding"],
        text_max_tokens=values["text_max_tokens"],
        templates=tuple(values["templates"]),
        detection=Detection(**detection),
        pools=pools,
        threshold=score["threshold"],
        tag_threshold=score.get("tag_threshold", score["threshold"]),
        max_similarity=score["max_similarity"],
        region=Score(score["region"]["scale"], tuple(score["region"]["weights"])),
        image=Score(score["image"]["scale"], tuple(score["image"]["weights"])),
        examples=_examples(values["examples"]) if "examples" in values else None,
        classes=Classes(**{key: tuple(value) for key, value in values["classes"].items()}) if "classes" in values else None,
    )


def _pool(table: dict[str, Any]) -> Pool:
    return Pool(tuple(table["maps"]), tuple(table.get("limits", ())), table["expand"], table["square"], table["samples"])


def _examples(table: dict[str, Any]) -> Examples:
    def pool(of: dict[str, Any]) -> ExamplePool:
        beside, alone = (tuple(tuple(row) for row in of[key]) for key in ("beside_words", "alone"))
        trust = tuple(of["trust"]) if "trust" in of else None
        return ExamplePool(_pool(of), of["embedding"], beside, alone, trust)

    numbers = {key: table[key] for key in ("scale", "floor", "counter_scale", "sharpness")}
    return Examples(**numbers, region=pool(table["region"]), picture=pool(table["picture"]), ridge=table.get("ridge"))
