"""Names without a training picture: which name is nearest to a picture, among those names and among all training names."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.shard_sets import ShardSets
from quantize.evaluate.statistics import Doubles, bootstrap, class_mean, share
from quantize.progress import track


def measure(predictor: Predictor, data: ShardSets, settings: Settings) -> Outcome:
    """Top-1, its mean over the names, and its mean over the names that no teacher has."""
    images = predictor.embed_images(single.sample.picture() for single in track(data.unseen, "unseen names"))
    said = np.array([single.name for single in data.unseen])
    metrics = {}
    for title, names in (("among them", data.unseen_names), ("among all names", data.every_name)):
        best = (images @ predictor.embed_texts(names).T).argmax(axis=1)
        right = np.array(names)[best] == said
        metrics[f"unseen names {title}, top-1"] = share(right)
        for group, chosen in (("mean over names", frozenset(said.tolist())), ("mean over those no teacher has", data.neither)):
            inside = np.array([name in chosen for name in said])
            if inside.any():
                (mean,) = bootstrap(mean_over(right[inside], said[inside]), int(inside.sum()), settings.replicates)
                metrics[f"unseen names {title}, {group}"] = mean
    return Outcome(metrics, {"pictures of unseen names": len(images), "unseen names": len(data.unseen_names)})


def mean_over(right: NDArray[np.bool_], names: NDArray[np.str_]) -> Callable[[Doubles], Doubles]:
    """The mean over names of the share of their pictures that are right, from the pictures' weights."""
    _, of = np.unique(names, return_inverse=True)

    def statistic(weights: Doubles) -> Doubles:
        hits, count = (np.bincount(of, part).astype(np.float64) for part in (weights * right, weights))
        return np.array([class_mean(hits, count, count > 0)])

    return statistic
