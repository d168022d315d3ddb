"""Every setting of one run: a TOML file with a few flags over it."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from quantize.annotate.errors import AnnotateError
from quantize.settings.toml import build, read_toml

SURVEY = ("check", "fingerprint", "caption", "parse")
"""First pass: what vocabulary and duplicates are counted from."""
ANNOTATE = ("check", "parse", "detect", "assign", "filter", "tag", "describe", "segment")
STAGES = tuple(dict.fromkeys([*SURVEY, *ANNOTATE]))
ALWAYS = ("check", "parse", "tag")


@dataclass(frozen=True)
class Settings:
    """Models are `KIND:WHERE`, where WHERE is a folder or a name on the Hugging Face hub (README.md, Annotate)."""

    stages: list[str] = field(default_factory=list)  # empty: all those whose models are set
    parser: str = "auto"  # spaCy's small model if installed, else the lexicon; or lexicon, spacy:NAME
    captioner: str = ""  # blip:WHERE
    captions: str = "missing"  # which pictures get one: missing, all
    detectors: list[str] = field(default_factory=list)  # nanodet:FOLDER, owlv2:WHERE, grounding_dino:WHERE
    segmenter: str = ""  # sam:WHERE, mask2former:WHERE, deeplab:FOLDER
    region_captions: int = 0  # of the largest boxes of a picture, by the captioner

    max_side: int = 0  # larger pictures without masks are scaled down; 0 keeps all
    min_side: int = 32
    duplicate_distance: int = 4  # bits of 64 by which perceptual hashes of near duplicates differ; -1 keeps all
    exclude: list[str] = field(default_factory=list)  # shards or folders whose pictures must not come in, such as val.tar

    max_queries: int = 20  # CLOC asks the detector for at most so many phrases
    min_scores: dict[str, float] = field(default_factory=dict)  # by kind of detector, over its own default
    min_area: float = 0.0004  # of the picture
    max_area: float = 0.95
    max_aspect: float = 12.0
    max_iou: float = 0.7  # two boxes of one name above it are one
    max_boxes: int = 50

    vocabulary: str = ""  # an earlier run's vocabulary.json; empty: counted from these pictures
    least_pictures: int = 4
    max_tags: int = 4000  # of each kind
    synonyms: str = ""  # a JSON list of {"synonyms": [...]}, such as LVIS's categories

    device: str = "cpu"
    batch: int = 8
    chunk: int = 64
    shard_size: int = 1000  # pictures of a folder in one shard
    runner: str = "local"  # local, ray
    workers: int = 1
    ray_address: str = ""  # empty: a Ray of this machine alone
    gpus_per_worker: float = 0.0
    sheet: int = 24  # pictures on the sample sheet

    def identity(self) -> str:
        """Hash of the settings that change what is written."""
        return _hash({key: value for key, value in asdict(self).items() if key not in HOW})

    def survey_identity(self) -> str:
        """The same for the first pass, so that a new threshold of boxes does not caption every picture again."""
        return _hash(
            {key: value for key, value in asdict(self).items() if key in SURVEY_SETTINGS} | {"stages": self.order(SURVEY)}
        )

    def order(self, steps: tuple[str, ...]) -> list[str]:
        """Those of `steps` that this run takes."""
        chosen = self.stages or [*ALWAYS, *self._possible()]
        unwanted = () if self.duplicate_distance >= 0 else ("fingerprint",)
        return [stage for stage in steps if stage in chosen and stage not in unwanted]

    def _possible(self) -> list[str]:
        wanted = {
            "fingerprint": True,
            "caption": bool(self.captioner),
            "detect": bool(self.detectors),
            "assign": bool(self.detectors),
            "filter": True,
            "describe": bool(self.captioner) and self.region_captions > 0,
            "segment": bool(self.segmenter),
        }
        return [stage for stage, possible in wanted.items() if possible]


HOW = frozenset({"runner", "workers", "ray_address", "gpus_per_worker", "device", "batch", "sheet"})
"""Settings that change how the work is done, not its result."""
SURVEY_SETTINGS = frozenset({"parser", "captioner", "captions", "max_side", "min_side", "synonyms", "chunk", "shard_size"})


def _hash(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


CHOICES = {"captions": ("missing", "all"), "runner": ("local", "ray")}
NEEDS = {"caption": "captioner", "detect": "detectors", "describe": "captioner", "segment": "segmenter"}
LEAST = {
    "batch": 1,
    "chunk": 1,
    "shard_size": 1,
    "workers": 1,
    "max_queries": 1,
    "max_boxes": 1,
    "least_pictures": 1,
    "min_side": 1,
}
MOST_BITS = 32


def load(path: Path | None, flags: dict[str, Any]) -> Settings:
    """Reads the file, if any, and puts `flags` over it.

    Raises:
        AnnotateError: it is missing, no TOML, or a setting is unknown, of another type or out of range.
    """
    where = path or Path("command line")
    try:
        values = read_toml(path, "settings") if path else {}
        settings = build(values | flags, Settings, where)
    except ValueError as error:
        raise AnnotateError(str(error)) from None
    _check(settings, str(where))
    return settings


def _check(settings: Settings, where: str) -> None:
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            raise AnnotateError(f"{where}: {name} is {getattr(settings, name)!r}, expected one of {', '.join(choices)}")
    for name, least in LEAST.items():
        if getattr(settings, name) < least:
            raise AnnotateError(f"{where}: {name} is {getattr(settings, name)}, expected at least {least}")
    if not -1 <= settings.duplicate_distance <= MOST_BITS:
        raise AnnotateError(
            f"{where}: duplicate_distance is {settings.duplicate_distance}, expected -1 (keep all) to {MOST_BITS}"
        )
    for stage in settings.stages:
        if stage not in STAGES:
            raise AnnotateError(f"{where}: unknown stage {stage!r}, expected some of {', '.join(STAGES)}")
        if stage in NEEDS and not getattr(settings, NEEDS[stage]):
            raise AnnotateError(f"{where}: stage {stage} has no model, expected the setting {NEEDS[stage]}")
    if settings.stages and "check" not in settings.stages:
        raise AnnotateError(f"{where}: stages lack check, expected it, because the others rely on sound pictures")
