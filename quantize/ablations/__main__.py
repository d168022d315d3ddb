"""Trains and measures every row for several seeds: the table of docs/ablations.md.

python -m quantize.ablations quantize/recipes/ablations.toml             three seeds, about two hours on 4 CPU cores
python -m quantize.ablations quantize/recipes/ablations.toml --seeds 1   one seed

The recipe is the last row's; the others leave out terms of its [losses]. Results go to <out>/results.json as they come, and an
interrupted run resumes with what is missing; then <out>/table.md and <out>/table.png are written.
"""

import argparse
import json
import logging
import sys
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from quantize.ablations.predictor import RowPredictor, SharedFeatures
from quantize.ablations.rows import ROWS, Row, recipe_of
from quantize.ablations.table import markdown, plot
from quantize.alignment.loader import CachedLoader
from quantize.alignment.task import AlignmentTask, load_parts
from quantize.alignment.texts import encode_once, said
from quantize.alignment.vocabulary import Vocabulary
from quantize.command_line import add_changes, missing_files_end_it, results_alone
from quantize.data.workers import workers
from quantize.evaluate.boxes import evaluate_boxes
from quantize.evaluate.coco_detection import evaluate_detection
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.measure import ValidationSet
from quantize.evaluate.nanodet import NanoDet
from quantize.evaluate.retrieval import evaluate_retrieval
from quantize.evaluate.samples import ShardError, read_shard
from quantize.evaluate.segmentation import camvid_truth, evaluate_segmentation, panoptic_truth
from quantize.model.region_clip import RegionClip
from quantize.model.text import TEMPLATES
from quantize.progress import track
from quantize.settings.region_clip import RegionClipRecipe, load_region_clip_recipe
from quantize.training.loop import run

log = logging.getLogger(__name__)
PROPOSALS = 100


def measure(predictor: RowPredictor, data: ValidationSet) -> dict[str, float]:
    """Shares from 0 to 1."""
    boxes = evaluate_boxes(predictor, data.coco)
    recall = evaluate_retrieval(predictor, data.flickr)
    panoptic = [sample for sample in data.coco if "panoptic.png" in sample.files]
    return {
        "gtbox_mean_class": boxes.mean_class,
        "gtbox_top1": boxes.top1,
        "camvid_miou": evaluate_segmentation(predictor, data.camvid, *camvid_truth(data.camvid)),
        "panoptic_miou": evaluate_segmentation(predictor, panoptic, *panoptic_truth(panoptic)),
        "t2i_r1": recall.text_to_image[1],
        "i2t_r1": recall.image_to_text[1],
        "ap50": evaluate_detection(predictor, data.coco).precision.ap50,
    }


@dataclass
class Ablation:
    """What every run shares (by fork): batches, texts, and the measured pictures' features."""

    recipe: RegionClipRecipe
    data: ValidationSet
    loader: CachedLoader
    vocabulary: Vocabulary
    texts: dict[str, Tensor]
    seen: SharedFeatures

    def result(self, row: Row, seed: int) -> dict[str, float]:
        """Trains one row with one seed and measures it."""
        recipe = recipe_of(row, self.recipe, seed)
        task = AlignmentTask(recipe, replace(self.loader, seed=seed), self.vocabulary, self.texts)
        weights = run(task, recipe.loop_settings(), Path(recipe.out) / f"{ROWS.index(row)}-{seed}")
        task.modules.load_state_dict(torch.load(weights, weights_only=True)["weights"])
        return measure(RowPredictor(task.model, self.texts, row, self.seen), self.data)


def prepare(recipe: RegionClipRecipe, data: ValidationSet) -> Ablation:
    """Computes what is not in the recipe's cache yet."""
    loader, vocabulary = load_parts(recipe)
    assert isinstance(loader, CachedLoader)
    model = RegionClip(recipe.model).eval()
    assert model.text_tower is not None
    captions = [str(c) for sample in data.flickr for c in sample.record["captions"]]
    prompts = [
        *COCO_NAMES,
        *camvid_truth(data.camvid)[0],
        *panoptic_truth([s for s in data.coco if "panoptic.png" in s.files])[0],
    ]
    asked = {template.format(text) for template in TEMPLATES for text in (*captions, *prompts)}
    asked |= said(loader.examples, vocabulary)
    texts = encode_once(model.text_tower, recipe.model.text, sorted(asked), Path(recipe.data.cache))
    seen = SharedFeatures(model, recipe.model.size, NanoDet(Path(recipe.model.teachers)), PROPOSALS)
    for sample in track([*data.coco, *data.camvid, *data.flickr], "measured pictures"):
        seen.dense(sample.picture())
    for sample in data.coco:
        seen.proposals(sample.picture())
    return Ablation(recipe, data, loader, vocabulary, texts, seen)


_ablation: Ablation


def _result(job: tuple[int, int]) -> dict[str, float]:
    return _ablation.result(ROWS[job[0]], job[1])


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("recipe", type=Path, help="for example quantize/recipes/ablations.toml")
    add_changes(made)
    made.add_argument("--seeds", type=int, default=3, help="how many seeds a row (%(default)s)")
    made.add_argument("--data", type=Path, default=Path("../shared/data/val.tar"), help="the validation shard (%(default)s)")
    return made


def main() -> None:
    results_alone()
    arguments = parser()
    args = arguments.parse_args()
    try:
        recipe = load_region_clip_recipe(args.recipe, args.changes)
        if not recipe.data.cached:
            raise ValueError(f"{args.recipe}: data.cached is false, expected true: rows share one frozen encoder's features")
        data = ValidationSet.of(read_shard(args.data))
    except (ValueError, ShardError) as error:
        arguments.error(str(error))
    kept = Path(recipe.out) / "results.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, float]] = json.loads(kept.read_text()) if kept.exists() else {}
    jobs = {f"{row.name}, seed {seed}": (i, seed) for seed in range(args.seeds) for i, row in enumerate(ROWS)}
    missing = {name: job for name, job in jobs.items() if name not in results}
    if missing:
        global _ablation
        with missing_files_end_it():
            _ablation = prepare(recipe, data)
        with workers() as pool:
            waiting = {pool.submit(_result, job): name for name, job in missing.items()}
            for done in as_completed(waiting):
                results[waiting[done]] = done.result()
                kept.write_text(json.dumps(results, indent=2) + "\n")
                log.info("%s: %s", waiting[done], " ".join(f"{k} {v:.3f}" for k, v in done.result().items()))
    results = {name: results[name] for name in jobs}
    table = markdown(results)
    (kept.parent / "table.md").write_text(table)
    plot(results, kept.parent / "table.png")
    sys.stdout.write(table)


if __name__ == "__main__":
    main()
