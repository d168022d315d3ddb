"""Names of groceries."""

from quantize.evaluate.grocery import names_of
from quantize.evaluate.predictor import Embedder
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.shard_sets import ShardSets
from quantize.evaluate.statistics import share
from quantize.progress import track


def measure(predictor: Embedder, data: ShardSets, settings: Settings) -> Outcome:
    """Top-1 among the coarse and among the fine names."""
    samples = data.validation.grocery
    images = predictor.embed_images(sample.picture() for sample in track(samples, "groceries"))
    metrics = {}
    for title, field in (("coarse", "coarse"), ("fine", "label")):
        names, truth = names_of(samples, field)
        metrics[f"groceries, {title}, top-1"] = share((images @ predictor.embed_texts(names).T).argmax(axis=1) == truth)
    return Outcome(metrics, {"groceries": len(samples)})
