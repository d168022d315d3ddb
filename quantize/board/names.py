"""The bank: every name that training scores against, with the tags that captions mention."""

from dataclasses import dataclass
from pathlib import Path

from quantize.board.samples import VOC_WORDS
from quantize.data.shards import IGNORED_MASK_NAMES, Sample
from quantize.data.soft_labels import Answers
from quantize.data.words import MAX_WORDS, TagParser, frequent, imagenet_names
from quantize.settings.board import BoardRecipe

LEAST_TAG_PICTURES = 4


@dataclass
class Bank:
    """`names` in order, `index` the other way. Names are compared in lower case."""

    names: list[str]
    parser: TagParser

    def __post_init__(self) -> None:
        self.index = {n: i for i, n in enumerate(self.names)}

    def tags_of(self, sample: Sample) -> list[str]:
        """Tags that its captions mention (TagAlign's multi-tag target)."""
        return [t for t in self.parser(sample.captions) if t in self.index]


def labeler_names(recipe: BoardRecipe) -> list[str]:
    """What the object labeler's answers are positions in."""
    return [name.lower() for name in (Path(recipe.model.teachers) / "object_labeler_names.txt").read_text().splitlines()]


def teachers_names(recipe: BoardRecipe) -> list[str]:
    """All words of the teachers of boxes, masks and everyday names, whether or not they have answered yet."""
    if not recipe.soft.folder:
        return []
    folder, names = Path(recipe.soft.folder), [*VOC_WORDS.values()]
    for teacher in recipe.soft.teachers:
        if teacher == "labeler":
            names += labeler_names(recipe)
        elif teacher != "classifier" and (folder / teacher).exists():
            names += [name for name in Answers(folder, teacher).names() if name not in VOC_WORDS]
    return [name for name in dict.fromkeys(names) if name not in IGNORED_MASK_NAMES and len(name.split()) <= MAX_WORDS]


def build_bank(samples: list[Sample], recipe: BoardRecipe) -> Bank:
    """The teachers' names first, then supervised ones, tags of at least LEAST_TAG_PICTURES pictures, and the classifier's first
    synonyms.
    """
    names: dict[str, None] = dict.fromkeys(teachers_names(recipe))
    for sample in samples:
        spoken = [*sample.labels, *(b.name for b in sample.boxes), *sample.mask_names]
        names |= dict.fromkeys(n for n in spoken if n and n not in IGNORED_MASK_NAMES)
    tags = Path(recipe.data.tag_list).read_text().splitlines()
    parser = TagParser([t.strip() for t in tags if t.strip()])
    names |= dict.fromkeys(frequent((parser(s.captions) for s in samples), LEAST_TAG_PICTURES))
    labels = Path(recipe.model.teachers) / "imagenet_labels.txt"
    names |= dict.fromkeys(group[0] for group in imagenet_names(labels))
    return Bank(list(names), parser)
