"""The kinds of sets: what each protocol takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quantize.arithmetic.geometry import Integers
from quantize.evaluate.average_precision import LabelledBoxes
from quantize.evaluate.datasets.files import Problems


@dataclass(frozen=True)
class BoxItem:
    """A picture with labelled boxes."""

    path: Path
    width: int
    height: int
    truth: LabelledBoxes


@dataclass(frozen=True)
class BoxSet:
    """Pictures with labelled boxes."""

    items: Sequence[BoxItem]
    names: Sequence[str]
    problems: Problems
    groups: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Classes that are averaged apart, such as LVIS's rare ones."""


@dataclass(frozen=True)
class MapItem:
    """A picture with a label map."""

    path: Path
    labels: Path


@dataclass(frozen=True)
class MapSet:
    """Pictures with label maps."""

    items: Sequence[MapItem]
    names: Sequence[str]
    """Of the classes, without the background."""
    classes: Mapping[int, int]
    """From id in a label map to class, or IGNORED; where there is a background, its class is `len(names)`."""
    background: bool
    problems: Problems


@dataclass(frozen=True)
class Segment:
    """A segment of a panoptic map."""

    id: int
    label: int
    crowd: bool


@dataclass(frozen=True)
class PanopticItem:
    """A picture with a panoptic map, whose ids are colours: R + 256 G + 65536 B."""

    path: Path
    map: Path
    segments: Sequence[Segment]


@dataclass(frozen=True)
class PanopticSet:
    """Pictures with panoptic maps."""

    items: Sequence[PanopticItem]
    names: Sequence[str]
    things: frozenset[int]
    """Classes whose segments are single things; of other classes a picture has one segment."""
    problems: Problems


@dataclass(frozen=True)
class LabelItem:
    """A picture of one class."""

    path: Path
    label: int


@dataclass(frozen=True)
class LabelSet:
    """Pictures of one class each."""

    items: Sequence[LabelItem]
    names: Sequence[str]
    problems: Problems


@dataclass(frozen=True)
class CaptionItem:
    """A picture with captions."""

    path: Path
    captions: Sequence[str]


@dataclass(frozen=True)
class CaptionSet:
    """Pictures with captions."""

    items: Sequence[CaptionItem]
    problems: Problems


@dataclass(frozen=True)
class AttributeItem:
    """A picture with boxes whose attributes are known."""

    path: Path
    boxes: LabelledBoxes
    attributes: Integers
    """`[N, A]`: 1 has it, 0 has it not, -1 is not known."""


@dataclass(frozen=True)
class AttributeSet:
    """Pictures with boxes and attributes."""

    items: Sequence[AttributeItem]
    prompts: Sequence[Sequence[str]]
    """Texts of each attribute."""
    groups: Mapping[str, frozenset[int]]
    problems: Problems
