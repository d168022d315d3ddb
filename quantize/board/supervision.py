"""What the points of each picture should say, as tensors that a step indexes: texts, tags, labels, soft labels."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from quantize.board.split import is_held_out
from quantize.board.texts import Texts, load_texts
from quantize.data.words import imagenet_names
from quantize.settings.board import BoardRecipe

NEAR_NAME = 0.8


@dataclass
class Supervision:
    """Rows of `texts` unless said otherwise; picture lists are in the order of `samples.json`."""

    texts: Texts
    names: list[str]
    name_rows: Tensor  # [K] the bank
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

    def class_choice(self, generator: torch.Generator) -> Tensor:
        """One synonym per class, at random."""
        draw = torch.rand(len(self.class_rows), generator=generator)
        return torch.tensor([rows[int(d * len(rows))] for rows, d in zip(self.class_rows, draw.tolist(), strict=True)])


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
    texts = load_texts(
        [*names, *(s for g in classes for s in g), *clip_names, *(c for s in samples for c in s["captions"])], cache
    )
    soft = load_file(cache / "soft.safetensors")
    first = soft["first"]
    position = {n: i for i, n in enumerate(names)}
    name_rows = torch.tensor([texts.index[n] for n in names])
    unit = F.normalize(texts.vectors[name_rows, 0], dim=1)
    alike = (unit @ unit.T > NEAR_NAME) & ~torch.eye(len(names), dtype=torch.bool)
    return Supervision(
        texts=texts, names=names, name_rows=name_rows, alike=alike,
        class_rows=[[texts.index[s] for s in g] for g in classes],
        keys=[s["key"] for s in samples], sources=[s["source"] for s in samples],
        captions=[[texts.index[c] for c in s["captions"]] for s in samples],
        labels=[[position[x] for x in s["labels"]] for s in samples],
        tags=[[position[t] for t in s["tags"]] for s in samples],
        box_names=[[position[b[4]] for b in s["boxes"]] for s in samples],
        first_soft=first, soft_rows=torch.diff(first, append=torch.tensor([len(soft["probability"])])), soft=soft["probability"],
        clip_rows=torch.tensor([texts.index[n] for n in clip_names]), clip=F.normalize(clip - clip.mean(0), dim=1),
        dev=torch.tensor([is_held_out(s["key"], s["source"], recipe.data) for s in samples]),
    )  # fmt: skip
