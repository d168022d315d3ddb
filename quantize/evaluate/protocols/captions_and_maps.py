"""Retrieval by captions and label maps of shards."""

import numpy as np

from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.retrieval import RANKS, both_ranks, similarities
from quantize.evaluate.segmentation import camvid_truth, confusions, mean_iou, panoptic_truth
from quantize.evaluate.shard_sets import ShardSets
from quantize.evaluate.statistics import Doubles, Estimate, bootstrap, share


def retrieval(predictor: Predictor, data: ShardSets, settings: Settings) -> Outcome:
    """Recall among 1, 5 and 10, both ways; captions of one picture are not independent, so they are resampled by picture."""
    similarity, owner = similarities(predictor, data.validation.flickr)
    of_text, of_image = both_ranks(similarity, owner)
    pictures = len(similarity)
    found = np.array([[(of_text[owner == i] < k).mean() for k in RANKS] for i in range(pictures)])
    estimates = bootstrap(lambda weights: weights @ found / weights.sum(), pictures, settings.replicates)
    metrics = {f"Flickr8k text → image R@{k}": each for k, each in zip(RANKS, estimates, strict=True)}
    metrics |= {f"Flickr8k image → text R@{k}": share(of_image < k) for k in RANKS}
    return Outcome(metrics, {"captioned pictures": pictures})


def label_maps(predictor: Predictor, data: ShardSets, settings: Settings) -> Outcome:
    """Mean IoU of CamVid's and COCO's panoptic names."""
    panoptic = [sample for sample in data.validation.coco if "panoptic.png" in sample.files]
    camvid = data.validation.camvid
    metrics: dict[str, Estimate] = {}
    for title, samples, (names, truth) in (
        ("CamVid, 11 classes, mIoU", camvid, camvid_truth(camvid)),
        ("COCO panoptic, mIoU", panoptic, panoptic_truth(panoptic)),
    ):
        each = np.array(list(confusions(predictor, samples, names, truth)), np.float64)

        def statistic(weights: Doubles, each: Doubles = each) -> Doubles:
            return np.array([mean_iou(np.tensordot(weights, each, 1).round().astype(np.int64))])

        (metrics[title],) = bootstrap(statistic, len(each), settings.replicates)
    return Outcome(metrics, {})
