"""What the shards of `../shared/data` are measured on: the validation shard and the held-out names, or the part set aside."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quantize.arithmetic.geometry import area
from quantize.data.set_aside import is_set_aside
from quantize.data.words import TagParser, frequent, phrases, synonyms
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.measure import ValidationSet
from quantize.evaluate.samples import Sample, ShardError, read_shard

OF_ONE_THING = frozenset(
    [
        "imagenet1k",
        "wordpics",
        "spellquest",
        "szepi_exp",
        "data_english",
        "ikea",
        "overinf",
        "animal_cutouts",
        "imagenet_det",
        "boss",
        "fruitveg",
        "flashcards",
        "spelling",
    ]
)
"""Training sources with one clear thing a picture."""
LEAST_SHARE = 0.15
"""Of a picture's area: the box of a single large thing."""
NEITHER = "-"
"""Mark of held-out names that no teacher has as a word."""
COMMON_TAGS = 200
ASIDE = {
    "coco128_val2017": ("coco128_train2017", "coco_mini"),
    "grocery_test": ("grocery_train",),
    "camvid_test": ("camvid_train",),
    "flickr8k": ("flickr8k",),
}
"""Sources of training pictures that stand for those of the validation shard."""


@dataclass(frozen=True)
class Single:
    """A picture of one thing; `box` in fractions is known for some."""

    sample: Sample
    name: str
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class ShardSets:
    """Everything that the protocols of shards look at."""

    validation: ValidationSet
    things: Sequence[Single]
    """Single large things of COCO's names, with boxes, and of other names, without."""
    unseen: Sequence[Single]
    """Pictures of names without a training picture; for the part set aside, of any names."""
    unseen_names: Sequence[str]
    """The names that they are told apart by."""
    neither: frozenset[str]
    """Those that no teacher has as a word."""
    every_name: Sequence[str]
    """The one-word names of all training pictures."""
    absent: Sequence[str]
    """Names of things that are in none of the pictures with captions or boxes, the rarest first."""
    common: Sequence[str]
    """Names that captions mention most often."""

    def captioned(self) -> Iterator[tuple[Sample, frozenset[str]]]:
        """Pictures with captions, and which of the `common` names these mention."""
        parser = TagParser(self.common)
        for sample in self.validation.flickr:
            yield sample, frozenset(parser(sample.record["captions"]))


def first_name(label: str) -> str:
    """The name in a label, without its synonyms."""
    return synonyms(label)[0].lower().replace("-", " ")


def of_shards(data: Path, aside: bool, limit: int | None) -> ShardSets:
    """From the validation shard `data` and the files beside it; `aside`: from the training pictures that are set aside.

    Raises:
        ShardError: a file is missing, or not what it should be.
    """
    folder = data.parent
    reported = None if aside else ValidationSet.of(read_shard(data), limit)
    held = _held_out(folder)
    names = [name for name, _ in held.names]
    training = _training(folder, lambda key, source: key in held.tested or (aside and is_set_aside(key, source)))
    found: dict[str, list[Sample]] = {}
    if aside:
        chosen = {source: [each for each in samples if each.key not in held.keys] for source, samples in training.items()}
        found = {new: [each for old in olds for each in chosen.get(old, [])] for new, olds in ASIDE.items()}
        named = [Single(s, first_name(s.record["label"])) for source in OF_ONE_THING for s in chosen.get(source, [])]
        named.sort(key=lambda single: single.sample.key)
        unseen_names = sorted({single.name for single in named})
    else:
        named = [Single(s, held.tested[s.key]) for samples in training.values() for s in samples if s.key in held.tested]
        unseen_names = names
    validation = reported or ValidationSet.of(found, limit)
    named = named[:limit]
    others = [single for single in named if single.name not in COCO_NAMES]
    said = frozenset(_said(validation))
    tags = TagParser(_lines(folder / "text" / "ram_tag_list.txt"))
    return ShardSets(
        validation,
        things=[*_large(validation.coco), *others],
        unseen=named,
        unseen_names=unseen_names,
        neither=frozenset(name for name, mark in held.names if mark == NEITHER),
        every_name=sorted({*_lines(folder / "text" / "label_names.txt"), *unseen_names}),
        absent=_absent(folder / "text" / "lvis_categories.json", said),
        common=frequent((tags(sample.record["captions"]) for sample in validation.flickr), 1)[:COMMON_TAGS],
    )


@dataclass(frozen=True)
class _HeldOut:
    names: Sequence[tuple[str, str]]
    tested: Mapping[str, str]
    keys: frozenset[str]


def _held_out(folder: Path) -> _HeldOut:
    """The held-out names with their marks, and the keys of their pictures."""
    names = [line.split("\t") for line in _lines(folder / "heldout_names.txt")]
    rows = [line.split("\t") for line in _lines(folder / "heldout_keys.txt")]
    tested = {key: name for key, _, name, use in rows if use == "test"}
    return _HeldOut([(name, mark) for name, _, mark in names], tested, frozenset(row[0] for row in rows))


def _training(folder: Path, kept: Callable[[str, str], bool]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for path in sorted(folder.glob("train-*.tar")):
        for source, samples in read_shard(path, kept).items():
            found.setdefault(source, []).extend(samples)
    if not found:
        raise ShardError(f"{folder}: found no training shards with held-out names, expected train-000.tar and others (--data)")
    return found


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]
    except OSError as error:
        raise ShardError(f"{path}: {error.strerror}, expected it beside the validation shard (--data)") from None


def _large(samples: Sequence[Sample]) -> list[Single]:
    """Things that fill a good part of their picture and are the only ones of their name there."""
    found = []
    for sample in samples:
        entries = sample.record.get("boxes", [])
        shares = area(np.array([entry["box"] for entry in entries], np.float32).reshape(-1, 4))
        for entry, share in zip(entries, shares, strict=True):
            if share >= LEAST_SHARE and sum(other["name"] == entry["name"] for other in entries) == 1:
                found.append(Single(sample, entry["name"], tuple(entry["box"])))
    return found


def _said(validation: ValidationSet) -> Iterator[str]:
    """All words that captions and boxes of the pictures use."""
    yield from COCO_NAMES
    for sample in [*validation.flickr, *validation.coco]:
        for caption in sample.record.get("captions", []):
            yield from phrases(caption)
        yield from (phrase for segment in sample.record.get("segments", []) for phrase in phrases(segment["name"]))


def _absent(path: Path, said: frozenset[str]) -> list[str]:
    """LVIS's rare names, then its less rare ones, in an order by chance; none of which is said of any picture."""
    try:
        categories = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ShardError(f"{path}: {error}, expected LVIS's categories beside the validation shard (--data)") from None
    ranked: list[str] = []
    rng = np.random.default_rng(0)
    for frequency in ("r", "c"):
        names = []
        for category in categories:
            forms = [form.replace("_", " ").lower() for form in category["synonyms"]]
            plain = [form for form in forms if re.fullmatch(r"[a-z ]+", form)]
            if category["frequency"] == frequency and plain and not said & set(forms):
                names.append(plain[0])
        ranked += rng.permutation(sorted(set(names) - set(ranked))).tolist()
    return ranked
