"""A finished bundle → the same with a new head of pictures."""

import logging
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import onnx
import torch

from quantize.board.samples import left_out
from quantize.bundle.manifest import Score
from quantize.bundle.write import sha256, write_manifest
from quantize.evaluate.onnx import OnnxPredictor
from quantize.renew.head import Graph, Head
from quantize.renew.learn import Plan, learn_all
from quantize.renew.pictures import Pictures, records, shard
from quantize.renew.supervision import known
from quantize.settings.board import BoardRecipe

log = logging.getLogger(__name__)


def renew(recipe: BoardRecipe, bundle: Path, out: Path, plans: Sequence[Plan]) -> None:
    """Writes the bundle with its new head into `out`."""
    predictor, graph = OnnxPredictor(bundle), Graph(onnx.load(bundle / "vision.onnx"))
    cache, network, absent = Path(recipe.data.cache), sha256(bundle / "vision.onnx"), left_out(recipe)
    shards = [Path(path) for path in recipe.data.shards]
    seen = Pictures.cat([shard(predictor, path, network, cache) for path in shards])
    rows = [i for i, key in enumerate(seen.keys.tolist()) if key not in absent]
    seen = Pictures(seen.keys[rows], seen.views[rows], seen.image[rows])
    told = {key: record for path in shards for key, record in records(path)}
    facts = known(recipe, predictor, bundle, seen.keys.tolist(), told)
    log.info("%d pictures, %d names, %d asked of the labeler", len(rows), len(facts.names), int(facts.asked.sum()))
    head, views = Head(graph), torch.from_numpy(seen.views)
    scale = learn_all(head, views, torch.from_numpy(seen.image), facts, plans, predictor.manifest.image.scale, recipe.seed)
    if out != bundle:
        shutil.copytree(bundle, out, dirs_exist_ok=True)
    head.write(graph, views[:, 0].float())
    onnx.save(graph.model, out / "vision.onnx")
    manifest = replace(predictor.manifest, image=Score(scale, predictor.manifest.image.weights))
    write_manifest(out, manifest, tomllib.loads((bundle / "model.toml").read_text()).get("metrics", {}))
