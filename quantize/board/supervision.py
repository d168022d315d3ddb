"""What the points of each picture should say, as tensors that a step indexes: texts, tags, labels, soft labels."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from quantize.board.names import labeler_names
from quantize.board.points import NO_NAME
from quantize.board.split import is_held_out
from quantize.board.texts import Texts, load_texts
from quantize.data.soft_labels import Answers
from quantize.data.words import imagenet_names
from quantize.settings.board import BoardRecipe

NEAR_NAME = 0.8
OWN_NAME = 0.5
"""Share of steps in which a name with synonyms stands for itself."""
LABELER = "labeler"


@dataclass
class Supervision:
    """Rows of `texts` unless said otherwise; picture lists are in the order of `samples.json`."""

    texts: Texts
    names: list[str]
    name_rows: Tensor  # [K] the bank
    synonym_rows: list[list[int]]  # of the bank, each name's own row first
    alike: Tensor  # [K,K] names too near to count against each other
    class_rows: list[list[int]]  # the classifier's classes, all synonyms
    keys: list[str]
    sources: list[str]
    captions: list[list[int]]
    labels: list[list[int]]  # positions in the bank
    tags: list[list[int]]  # positions in the bank
    box_names: list[list[int]]
    first_soft: Tensor
    soft_rows: Tensor  # how many rows of `soft` a picture has
    soft: Tensor  # [rows,1000]
    clip_rows: Tensor  # names that have a CLIP text vector …
    clip: Tensor  # … and the vectors, centred, unit length
    dev: Tensor  # [N] held-out pictures, for calibration
    objects: "Objects | None"  # what the labeler of everyday things said

    def name_choice(self, generator: torch.Generator) -> Tensor:
        """Each name of the bank as itself in half of the steps, else as one of its synonyms."""
        draw = torch.rand(len(self.synonym_rows), generator=generator).tolist()
        return torch.tensor([rows[own_first(d, len(rows))] for rows, d in zip(self.synonym_rows, draw, strict=True)])

    def class_choice(self, generator: torch.Generator) -> Tensor:
        """One synonym per class, at random."""
        draw = torch.rand(len(self.class_rows), generator=generator)
        return torch.tensor([rows[int(d * len(rows))] for rows, d in zip(self.class_rows, draw.tolist(), strict=True)])


@dataclass
class Objects:
    """Scores of a labeler's names, true or not each, for pictures and their boxes: rows `first[i]` are a whole picture."""

    name_rows: Tensor  # [C]
    first: Tensor  # [N], -1 where nothing was said
    rows: Tensor  # [N] how many rows a picture has
    names: Tensor  # [rows,B] the best ones
    values: Tensor  # [rows,B] their scores

    def row(self, sample: Tensor, box: Tensor) -> Tensor:
        """The row of a box of a sample, -1 for the whole picture; -1 where nothing was said."""
        has = (self.first[sample] >= 0) & (box + 1 < self.rows[sample])
        return torch.where(has, self.first[sample] + box + 1, -1)

    def scores(self, rows: Tensor) -> Tensor:
        """[R,C]; names that are not among the best have 0."""
        every = torch.zeros(len(rows), len(self.name_rows))
        return every.scatter_(1, self.names[rows], self.values[rows].float())


def load_objects(recipe: BoardRecipe, keys: list[str], texts: Texts) -> Objects | None:
    """None without the labeler's answers."""
    if not recipe.soft.folder or not (Path(recipe.soft.folder) / LABELER).exists():
        return None
    told = dict(Answers(Path(recipe.soft.folder), LABELER).pictures())
    counts = torch.tensor([len(told[key]["names"]) if key in told else 0 for key in keys])
    first = torch.where(counts > 0, counts.cumsum(0) - counts, -1)
    said = [told[key] for key in keys if key in told]
    return Objects(
        torch.tensor([texts.index[name] for name in labeler_names(recipe)]), first, counts,
        torch.from_numpy(np.concatenate([each["names"] for each in said]).astype(np.int64)),
        torch.from_numpy(np.concatenate([each["values"] for each in said])),
    )  # fmt: skip


def own_first(draw: float, count: int) -> int:
    """Which of `count` words a draw from 0 to 1 stands for."""
    return 0 if draw < OWN_NAME or count == 1 else 1 + int((draw - OWN_NAME) / (1 - OWN_NAME) * (count - 1))


def synonym_groups(recipe: BoardRecipe) -> dict[str, list[str]]:
    """Other words for names: ImageNet's, and those of the recipe's `synonyms`."""
    groups = imagenet_names(Path(recipe.model.teachers) / "imagenet_labels.txt")
    if recipe.data.synonyms:
        for category in json.loads(Path(recipe.data.synonyms).read_text()):
            words = [word.split("_(")[0].replace("_", " ") for word in category["synonyms"]]
            if "person" not in words:  # LVIS counts man, woman and child as this one
                groups.append(list(dict.fromkeys(words)))
    found: dict[str, list[str]] = {}
    for group in groups:
        for name in group:
            found.setdefault(name, []).extend(word for word in group if word != name)
    return found


def load_supervision(recipe: BoardRecipe) -> Supervision:
    """From what `quantize.features` wrote; raises FileNotFoundError that says which step to run."""
    cache = Path(recipe.data.cache)
    for name in ("samples.json", "names.json", "soft.safetensors"):
        if not (cache / name).exists():
            raise FileNotFoundError(f"{cache / name} is missing; run `python -m quantize.features` with this recipe first")
    samples = json.loads((cache / "samples.json").read_text())
    names: list[str] = json.loads((cache / "names.json").read_text())
    classes = imagenet_names(Path(recipe.model.teachers) / "imagenet_labels.txt")
    with np.load(recipe.data.clip_names) as arrays:
        clip_names, clip = [str(n) for n in arrays["names"]], torch.from_numpy(arrays["emb"].astype(np.float32))
    synonyms = synonym_groups(recipe)
    others = [word for name in names for word in synonyms.get(name, [])]
    labels = labeler_names(recipe) if recipe.soft.folder and LABELER in recipe.soft.teachers else []
    captions = [c for s in samples for c in s["captions"]]
    texts = load_texts([*names, *(s for g in classes for s in g), *clip_names, *captions, *labels, *others], cache)
    soft = load_file(cache / "soft.safetensors")
    first = soft["first"]
    position = {n: i for i, n in enumerate(names)}
    name_rows = torch.tensor([texts.index[n] for n in names])
    unit = F.normalize(texts.vectors[name_rows, 0], dim=1)
    alike = (unit @ unit.T > NEAR_NAME) & ~torch.eye(len(names), dtype=torch.bool)
    return Supervision(
        texts=texts, names=names, name_rows=name_rows, alike=alike,
        synonym_rows=[[texts.index[word] for word in (name, *synonyms.get(name, []))] for name in names],
        class_rows=[[texts.index[s] for s in g] for g in classes],
        keys=[s["key"] for s in samples], sources=[s["source"] for s in samples],
        captions=[[texts.index[c] for c in s["captions"]] for s in samples],
        labels=[[position[x] for x in s["labels"]] for s in samples],
        tags=[[position[t] for t in s["tags"]] for s in samples],
        box_names=[[position.get(b[4], NO_NAME) for b in s["boxes"]] for s in samples],
        first_soft=first, soft_rows=torch.diff(first, append=torch.tensor([len(soft["probability"])])), soft=soft["probability"],
        clip_rows=torch.tensor([texts.index[n] for n in clip_names]), clip=F.normalize(clip - clip.mean(0), dim=1),
        dev=torch.tensor([is_held_out(s["key"], s["source"], recipe.data) for s in samples]),
        objects=load_objects(recipe, [s["key"] for s in samples], texts),
    )  # fmt: skip
