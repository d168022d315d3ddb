"""Attributes of given boxes (OVAD's box-oracle setting, Bravo et al., 2023): mean average precision."""

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.geometry import Floats
from quantize.arithmetic.reference import unit
from quantize.evaluate.datasets.files import Reading, inside
from quantize.evaluate.datasets.kinds import AttributeSet
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.statistics import Doubles, bootstrap


def measure(predictor: Predictor, data: AttributeSet, settings: Settings) -> Outcome:
    """Ranks all boxes by their cosine to each attribute; boxes of which it is not known do not count."""
    texts = [text for each in data.prompts for text in each]
    ends = np.cumsum([len(each) for each in data.prompts])[:-1]
    parts = np.split(predictor.embed_texts(texts), ends)
    prompts = unit(np.stack([part.mean(axis=0) for part in parts]))
    reading = Reading([item for item in data.items if len(item.attributes)], data.problems, "boxes")
    given = ((picture, inside(item.boxes.boxes, picture)) for item, picture in reading.with_items())
    found = [(item.attributes, regions @ prompts.T) for item, regions in reading.joined(predictor.embed_regions(given))]
    known = np.concatenate([attributes for attributes, _ in found])
    scores = np.concatenate([cosines for _, cosines in found])
    owner = np.repeat(np.arange(len(found)), [len(attributes) for attributes, _ in found])
    groups = {"mAP": frozenset(range(len(prompts)))} | {f"mAP {name}": group for name, group in data.groups.items()}
    ranked = [Ranking.of(scores[:, i], known[:, i]) for i in range(len(prompts))]

    def statistic(weights: Doubles) -> Doubles:
        each = weights[owner]
        precision = np.array([ranking.precision(each) for ranking in ranked])
        return np.array([_mean(precision[sorted(group)]) for group in groups.values()])

    estimates = bootstrap(statistic, len(found), settings.replicates)
    return Outcome(dict(zip(groups, estimates, strict=True)), {"pictures": len(found), "boxes": len(known)})


def _mean(values: Doubles) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


class Ranking:
    """Boxes of which an attribute is known, by falling score."""

    def __init__(self, boxes: NDArray[np.intp], right: NDArray[np.bool_], last: NDArray[np.bool_]) -> None:
        """`boxes` are positions among all boxes; `last` marks the last of equal scores."""
        self.boxes, self.right, self.last = boxes, right, last

    @classmethod
    def of(cls, scores: Floats, known: NDArray[np.int64]) -> "Ranking":
        """From scores `[N]` and what is known: 1 right, 0 wrong, -1 nothing."""
        judged = np.flatnonzero(known >= 0)
        boxes = judged[np.argsort(-scores[judged], kind="stable")]
        ordered = scores[boxes]
        last = np.append(ordered[1:] != ordered[:-1], True)[: len(boxes)]
        return cls(boxes, known[boxes] == 1, last)

    def precision(self, weights: Doubles) -> float:
        """Average precision Σ (R_n − R_n₋₁) P_n over the distinct scores, from the boxes' weights; NaN without a right one."""
        each = weights[self.boxes]
        true = np.cumsum(each * self.right)
        if len(true) == 0 or true[-1] == 0:
            return float("nan")
        total = np.cumsum(each)
        true, total = true[self.last], total[self.last]
        gained = np.diff(true, prepend=0.0)
        return float((gained * true / np.maximum(total, 1e-300)).sum() / true[-1])
