"""A finished bundle → the same with a new head of regions, and the scores of boxes that were learned beside it."""

import logging
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from quantize.board.names import labeler_names
from quantize.board.samples import left_out
from quantize.board.supervision import NEAR_NAME, synonym_groups
from quantize.bundle.manifest import Manifest
from quantize.bundle.manifest import Score as Weights
from quantize.bundle.write import sha256, write_manifest
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.onnx import OnnxPredictor
from quantize.renew.boxes.candidates import Candidates, shard
from quantize.renew.boxes.head import RegionsHead
from quantize.renew.boxes.learn import Boxes, Plan, Score, Words, learn
from quantize.renew.boxes.targets import Boxed, given_boxes, known_boxes, targets
from quantize.renew.head import Graph
from quantize.renew.pictures import records
from quantize.renew.supervision import embedded, label_of
from quantize.settings.board import BoardRecipe

log = logging.getLogger(__name__)
RANGES = 20000
"""Region vectors that give the int8 ranges."""


def renew(recipe: BoardRecipe, bundle: Path, out: Path, plan: Plan) -> None:
    """Writes the bundle with its new head into `out`."""
    predictor, graph = OnnxPredictor(bundle), Graph(onnx.load(bundle / "prompt.onnx"))
    cache, network, absent = Path(recipe.data.cache), sha256(bundle / "vision.onnx"), left_out(recipe)
    shards = [Path(path) for path in recipe.data.shards]
    told = {key: record for path in shards for key, record in records(path) if key not in absent}
    known = {key: boxed for key, boxed in known_boxes(recipe, told).items() if key in told}
    seen = without(Candidates.cat([shard(predictor, path, given_boxes(known), network, cache) for path in shards]), told)
    names, words = vocabulary(recipe, predictor, bundle, known, told)
    facts = targets(recipe, seen, known, told, names)
    log.info(
        "%d pictures, %d boxes; %d with a detector's answer, %d of a single thing",
        len(seen.keys), len(seen.boxes), int(facts.judged.sum()), int((facts.label >= 0).sum()),
    )  # fmt: skip
    head, vectors = RegionsHead(graph), torch.from_numpy(seen.vectors)
    boxes = Boxes.of(head, vectors, torch.from_numpy(seen.objectness), torch.from_numpy(seen.counts))
    score = Score(predictor.manifest.region.scale, predictor.manifest.region.weights)
    learn(head, boxes, facts, words, plan, score, recipe.seed)
    if out != bundle:
        shutil.copytree(bundle, out, dirs_exist_ok=True)
    chosen = torch.randperm(len(vectors), generator=torch.Generator().manual_seed(recipe.seed))[:RANGES]
    head.write(graph, vectors[chosen].float())
    onnx.save(graph.model, out / "prompt.onnx")
    metrics = tomllib.loads((bundle / "model.toml").read_text()).get("metrics", {})
    write_manifest(out, rescaled(predictor.manifest, score), metrics)


def rescaled(manifest: Manifest, score: Score) -> Manifest:
    """With the learned numbers."""
    weights = tuple(round(w, 4) for w in score.weights.tolist())
    return replace(manifest, region=Weights(round(float(score.log_scale.exp().detach()), 6), weights))


def without(seen: Candidates, told: Mapping[str, object]) -> Candidates:
    """Only pictures that there are records of."""
    kept = np.array([key in told for key in seen.keys.tolist()], bool)
    if kept.all():
        return seen
    rows = np.repeat(kept, seen.counts)
    return Candidates(seen.keys[kept], seen.counts[kept], seen.boxes[rows], seen.objectness[rows], seen.vectors[rows])


def vocabulary(
    recipe: BoardRecipe, predictor: OnnxPredictor, bundle: Path, known: Mapping[str, Boxed], told: Mapping[str, Mapping[str, Any]]
) -> tuple[list[str], Words]:
    """All names that count against each other: the teachers', people's, labels and everyday ones, with their other words."""
    labels = [label_of(str(record["label"])) for record in told.values() if "label" in record]
    with np.load(recipe.data.clip_names) as arrays:
        everyday = [str(name).lower() for name in arrays["names"]]
    boxed = [name for each in known.values() for name in each.names]
    other = synonym_groups(recipe)
    first = [*COCO_NAMES, *boxed, *labels, *labeler_names(recipe), *everyday]
    names = [name for name in dict.fromkeys([*first, *(x for name in first for x in other.get(name, []))]) if name]
    vectors = embedded(predictor, bundle, names, Path(recipe.data.cache))
    at = {name: i for i, name in enumerate(names)}
    alike = vectors @ vectors.T > NEAR_NAME
    for name, synonyms in other.items():
        same = [at[x] for x in (name, *synonyms) if x in at]
        alike[np.ix_(same, same)] = True
    alike.fill_diagonal_(False)
    coco, bank = torch.tensor([at[name] for name in COCO_NAMES]), torch.from_numpy(predictor.bank)
    return names, Words(vectors, alike, coco, bank, predictor.manifest.max_similarity)
