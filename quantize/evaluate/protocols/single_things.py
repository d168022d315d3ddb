"""Whether a single large thing gets a box when its name is the only prompt, and whether an absent name gets one."""

from collections.abc import Callable, Sequence

import numpy as np

from quantize.arithmetic.geometry import Floats, pairwise_iou
from quantize.evaluate.predictor import Look, Predictor, look
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.shard_sets import ShardSets, Single
from quantize.evaluate.statistics import Estimate, share
from quantize.progress import track

MATCH_IOU = 0.5
FALSE_SHARE = 0.005
"""Share of pictures in which an absent name may get a box, for the recall at that threshold."""


def measure(predictor: Predictor, data: ShardSets, settings: Settings) -> Outcome:
    """Shares with a box and with a tag, at the model's thresholds and at that which lets absent names through in one of 200."""
    absent = [data.absent[i % len(data.absent)] for i in range(len(data.things))]
    own = best_scores(predictor, data.things, [single.name for single in data.things], "single things")
    others = best_scores(predictor, data.things, absent, "absent names on single things")
    known = np.array([single.box is not None for single in data.things])
    boxes, tags = predictor.thresholds.boxes, predictor.thresholds.tags
    fair = float(np.quantile(others[:, 0], 1 - FALSE_SHARE))
    metrics: dict[str, Estimate] = {}
    for title, chosen in (("COCO's names", known), ("other names", ~known)):
        metrics[f"single things of {title}: box"] = share(own[chosen, 0] >= boxes)
        metrics[f"single things of {title}: box, absent names in {100 * FALSE_SHARE:.1f} %"] = share(own[chosen, 0] > fair)
        metrics[f"single things of {title}: tag"] = share(own[chosen, 1] >= tags)
    metrics["absent name on single things: box"] = share(others[:, 0] >= boxes)
    metrics["absent name on single things: tag"] = share(others[:, 1] >= tags)
    return Outcome(metrics, {"single things": len(data.things)})


def best_scores(predictor: Predictor, things: Sequence[Single], names: Sequence[str], what: str) -> Floats:
    """`[N, 2]`: the best box's score, of a known box that overlaps it, and the tag's, of one name a picture."""
    found = np.zeros((len(things), 2), np.float32)
    order = sorted(range(len(things)), key=lambda i: names[i])  # a vocabulary is embedded once for equal names in a row
    for i in track(order, what):
        (seen,) = look(predictor, [things[i].sample.picture()], [names[i]], 0.0)
        found[i] = _fitting(things[i])(seen), seen.tags[0]
    return found


def _fitting(single: Single) -> Callable[[Look], float]:
    """The score of the best box; where the thing's own is known, of the best that overlaps it."""

    def best(seen: Look) -> float:
        scores = seen.detections.scores
        if single.box is not None:
            height, width = single.sample.picture().shape[:2]
            own = np.array([single.box], np.float32) * np.array([width, height, width, height], np.float32)
            scores = scores[pairwise_iou(seen.detections.boxes, own)[:, 0] >= MATCH_IOU]
        return float(scores.max(initial=0.0))

    return best
