"""What the renewed head is told of each picture, in the bundle's own space of texts, which stays as it is."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantize.board.names import labeler_names
from quantize.board.regions import DETECTORS
from quantize.board.split import is_held_out
from quantize.board.supervision import LABELER, NEAR_NAME, synonym_groups
from quantize.bundle.write import sha256
from quantize.data.soft_labels import Answers
from quantize.data.words import TagParser, synonyms
from quantize.evaluate.onnx import OnnxPredictor
from quantize.files import whole_file
from quantize.settings.board import BoardRecipe

SURE_THING = 0.5
"""Score from which on the name of a detector's box is a tag of its picture."""
CAPTIONS = 2
"""Of a picture, that are learned."""


def label_of(text: str) -> str:
    """A label's first synonym as a user types it."""
    return synonyms(text)[0].lower().replace("_", " ").replace("-", " ") if synonyms(text) else ""


@dataclass(frozen=True)
class Known:
    """About N pictures; names are positions among K."""

    names: list[str]
    vectors: Tensor
    """`[K, D]`"""
    alike: Tensor
    """`[K, K]`: too near to count against each other, or other words for the same."""
    labels: list[list[int]]
    """Each label with its other words."""
    tags: list[list[int]]
    """What captions mention, and names of people's boxes."""
    things: list[list[int]]
    """What the detector is sure to see where people drew no boxes."""
    captions: list[list[int]]
    """Positions in `caption_vectors`."""
    caption_vectors: Tensor
    objects: Tensor
    """Positions of the labeler's names."""
    said: Tensor
    """`[N, C]`: its scores of whole pictures."""
    asked: Tensor
    """`[N]`: whether there are any."""
    weight: Tensor
    """`[N]`: how often a picture is drawn; 0 if it is set aside."""


def embedded(predictor: OnnxPredictor, bundle: Path, texts: Sequence[str], cache: Path) -> Tensor:
    """Unit vectors of texts by the bundle, kept beside the features."""
    digest = hashlib.sha256(json.dumps([list(texts), sha256(bundle / "text.onnx")]).encode()).hexdigest()[:16]
    kept = cache / f"renew-texts-{digest}.npy"
    if not kept.exists():
        with whole_file(kept) as draft, draft.open("wb") as file:
            np.save(file, predictor.embed_texts(list(texts)))
    return torch.from_numpy(np.load(kept))


def known(
    recipe: BoardRecipe, predictor: OnnxPredictor, bundle: Path, keys: Sequence[str], records: Mapping[str, Mapping[str, Any]]
) -> Known:
    """Of the pictures `keys`; `predictor` runs the `bundle`."""
    said = [records[key] for key in keys]
    labels = [[label_of(str(r[k])) for k in ("label", "coarse") if k in r] for r in said]
    parser = TagParser(Path(recipe.data.tag_list).read_text().split("\n"))
    tags = [parser(r.get("captions", [])) for r in said]
    other = synonym_groups(recipe)
    labeler = labeler_names(recipe)
    boxed = [[str(b["name"]) for b in r.get("boxes", [])] for r in said]
    detected = things(recipe)
    sure = [[] if mine else detected.get(key, []) for key, mine in zip(keys, boxed, strict=True)]
    first = [*labeler, *(x for each in (*labels, *tags, *boxed, *sure) for x in each)]
    with np.load(recipe.data.clip_names) as arrays:
        every = [*first, *(str(name).lower() for name in arrays["names"]), *(x for name in first for x in other.get(name, []))]
    names = list(dict.fromkeys(x for x in every if x))
    at = {name: i for i, name in enumerate(names)}
    cache = Path(recipe.data.cache)
    vectors = embedded(predictor, bundle, names, cache)
    alike = vectors @ vectors.T > NEAR_NAME
    for name, words in other.items():
        same = [at[x] for x in (name, *words) if x in at]
        alike[np.ix_(same, same)] = True
    alike.fill_diagonal_(False)
    captions = [[f"{c}" for c in r.get("captions", [])][:CAPTIONS] for r in said]
    texts = list(dict.fromkeys(c for each in captions for c in each))
    place = {text: i for i, text in enumerate(texts)}
    scores, asked = labeler_scores(recipe, keys, len(labeler))
    sources = [str(r.get("source", "")) for r in said]
    weights = [
        0.0 if is_held_out(key, source, recipe.data) else recipe.data.source_weights.get(source, 1.0)
        for key, source in zip(keys, sources, strict=True)
    ]
    return Known(
        names, vectors, alike, [[at[w] for x in each if x for w in (x, *other.get(x, [])) if w in at] for each in labels],
        [[at[x] for x in dict.fromkeys([*mine, *drawn])] for mine, drawn in zip(tags, boxed, strict=True)],
        [[at[x] for x in each] for each in sure],
        [[place[c] for c in each] for each in captions], embedded(predictor, bundle, texts, cache),
        torch.tensor([at[name] for name in labeler]), scores, asked, torch.tensor(weights),
    )  # fmt: skip


def things(recipe: BoardRecipe) -> dict[str, list[str]]:
    """What the detector is sure to see in each picture it was asked about."""
    folder = Path(recipe.soft.folder)
    if not recipe.soft.folder or not (folder / DETECTORS[0]).exists():
        return {}
    answers = Answers(folder, DETECTORS[0])
    names = answers.names()
    return {
        key: list(dict.fromkeys(names[i] for i in told["labels"][told["scores"] >= SURE_THING].tolist()))
        for key, told in answers.pictures()
    }


def labeler_scores(recipe: BoardRecipe, keys: Sequence[str], count: int) -> tuple[Tensor, Tensor]:
    """Scores of whole pictures, and of which pictures there are any."""
    told = dict(Answers(Path(recipe.soft.folder), LABELER).pictures()) if recipe.soft.folder else {}
    scores, asked = torch.zeros(len(keys), count), torch.tensor([key in told for key in keys])
    for i, key in enumerate(keys):
        if key in told:
            scores[i, torch.from_numpy(told[key]["names"][0].astype(np.int64))] = torch.from_numpy(
                told[key]["values"][0].astype(np.float32)
            )
    return scores, asked
