"""From a labelled set to a bundle: read, split, look, learn, write, calibrate, measure, report."""

import copy
import hashlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from quantize.bundle.manifest import read_manifest
from quantize.bundle.write import sha256, write_manifest
from quantize.evaluate.onnx import OnnxPredictor
from quantize.labels import recognise
from quantize.labels.labelled import Labelled
from quantize.progress import track
from quantize.renew.boxes.head import RegionsHead
from quantize.tune import bundle, plan, report, scores
from quantize.tune.learn import Facts, Plan, Words, embedded, learn, loss_on, mixed
from quantize.tune.measure import measure
from quantize.tune.seen import Boxes, kept

log = logging.getLogger(__name__)
CANVASES = 800
"""That are looked at in all, from `FEWEST` to `MOST` of each picture."""
FEWEST, MOST = 2, 8
MOST_OTHERS = 300
"""Pictures of other things that keep the head as it was."""
RANGES = 20_000
"""Region vectors that give the int8 ranges."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    data: Path
    out: Path
    base: Path
    work: Path
    images: Path | None = None
    others: Sequence[Path] = ()
    held_out: float = plan.HELD_OUT
    seed: int = 0
    force: bool = False
    plan: Plan = field(default_factory=Plan)


def tune(asked: Asked) -> report.Told:
    """Writes the bundle and `report.html`; what is said goes to the log.

    Raises:
        LabelError: the set cannot be used.
        BundleError: the base cannot, or the result is there already.
    """
    begun = time.monotonic()
    manifest = bundle.check(asked.base, asked.out, asked.force)
    data = recognise.read(asked.data, asked.images)
    log.info("%s", data)
    names = plan.check_names(data)
    split = plan.split(data.pictures, asked.seed, asked.held_out)
    counts = {"learned": len(split.learned), "for scores": len(split.calibration), "held out": len(split.held_out)}
    log.info("%d names; pictures: %s", len(names), ", ".join(f"{count} {what}" for what, count in counts.items()))
    predictor, (graph, head) = OnnxPredictor(asked.base), bundle.head_of(asked.base)
    look = _Look(predictor, names, asked)
    views = int(np.clip(CANVASES // len(split.learned), FEWEST, MOST))
    learned = look(split.learned, views, "pictures to learn")
    other = [p for place in asked.others for p in recognise.read(place).pictures][:MOST_OTHERS]
    parts, labelled = [learned], [True] * len(learned.counts)
    if other:
        parts.append(look([_bare(p) for p in other], 1, "other pictures"))
        labelled += [False] * len(parts[1].counts)
    facts = Facts.of(head, Boxes.cat(parts), torch.tensor(labelled))
    checked = Facts.of(
        head, look(split.calibration, 1, "pictures for scores"), torch.ones(len(split.calibration), dtype=torch.bool)
    )
    prompts = predictor.embed_texts(names)
    words = Words(
        torch.from_numpy(prompts), torch.from_numpy(predictor.bank), manifest.max_similarity, manifest.region.scale,
        manifest.region.weights,
    )  # fmt: skip
    start = {name: value.clone() for name, value in head.state_dict().items()}

    def worth(each: RegionsHead) -> float:
        return loss_on(each, checked, words)

    learn(head, facts, words, asked.plan, asked.seed, asked.work / f"head-{look.digest(asked.plan)}.pt", worth)
    share = mixed(head, start, worth)
    log.info("the new head counts %.0f %%, the shipped one the rest", 100 * share)
    chosen = torch.randperm(len(facts.vectors), generator=torch.Generator().manual_seed(asked.seed))[:RANGES]
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    folder = bundle.draft(asked.base, asked.out, graph, head, facts.vectors[chosen].float(), manifest)
    told = [scores.rows(each, split.calibration, names, asked.seed) for each in (predictor, OnnxPredictor(folder))]
    fitted = scores.fitted(read_manifest(folder), *told)
    write_manifest(folder, fitted, {})
    log.info(
        "scores of boxes: %s from %.3f on, before %s from %.3f on",
        fitted.region.weights, fitted.threshold, manifest.region.weights, manifest.threshold,
    )  # fmt: skip
    before = measure(predictor, split.held_out, names, "before")
    after = measure(OnnxPredictor(folder), split.held_out, names, "after")
    still = keeps(head, Facts.of(_as(head, start), look(split.held_out, 1, "pictures held out"), torch.zeros(0)), words)
    notes = [
        f"the result is {100 * share:.0f} % of the way from the shipped weights to the trained ones",
        f"{views} canvases of each picture, {asked.plan.steps} steps, {time.monotonic() - begun:.0f} s in all",
        f"names as typed: {', '.join(names[:40])}{' …' if len(names) > 40 else ''}",
    ]
    result = report.Told(data, names, counts, split.held_out, before, after, still, notes)
    report.write(result, asked.work / "report.html")
    metrics = {"tuned": {k.replace(" ", "_"): v for k, v in after.figures.items()}}
    metrics |= {"before": {k.replace(" ", "_"): v for k, v in before.figures.items()}}
    bundle.finish(folder, asked.out, fitted, metrics, card(result, asked))
    (asked.work / "figures.json").write_text(
        json.dumps({"before": before.figures, "after": after.figures, "kept": still}, indent=1)
    )
    return result


class _Look:
    """Looks at pictures once, and knows by what the result would change."""

    def __init__(self, predictor: OnnxPredictor, names: Sequence[str], asked: Asked) -> None:
        self.predictor, self.names, self.asked = predictor, names, asked
        self.network = sha256(asked.base / "vision.onnx")
        self.looked: list[str] = []

    def __call__(self, pictures: Sequence[Labelled], views: int, what: str) -> Boxes:
        folder = self.asked.work / "seen"
        self.looked += [f"{p.content.path} {p.content.offset} {views} {p.things}" for p in pictures]
        asked = self.asked
        found = [kept(self.predictor, p, self.names, views, asked.seed, folder, self.network) for p in track(pictures, what)]
        return Boxes.cat(found)

    def digest(self, how: Plan) -> str:
        """Of all that a training depends on."""
        about = [*self.looked, *self.names, self.network, sha256(self.asked.base / bundle.PROMPT), str(how), str(self.asked.seed)]
        return hashlib.sha256("\n".join(about).encode()).hexdigest()[:12]


def _bare(picture: Labelled) -> Labelled:
    return Labelled(picture.key, picture.content, picture.size)


def _as(head: RegionsHead, weights: dict[str, torch.Tensor]) -> RegionsHead:
    """A copy of the head with other weights."""
    other = copy.deepcopy(head)
    other.load_state_dict(weights)
    return other


@torch.no_grad()
def keeps(head: RegionsHead, facts: Facts, words: Words) -> dict[str, float]:
    """How much of what the shipped head says of boxes without the set's things still stands; `facts` are the shipped head's."""
    other = facts.wanted.amax(1) == 0
    if not other.any():
        return {}
    v = embedded(head, facts.vectors[other].float(), facts.concepts[other].float())
    before = facts.before[other].float()
    same = (v @ words.bank.T).argmax(1) == (before @ words.bank.T).argmax(1)
    return {
        "boxes of other things: cosine of the new embedding to the shipped one": float((v * before).sum(1).mean()),
        "boxes of other things: the same best of the bundle's everyday names as before": float(same.float().mean()),
    }


def card(told: report.Told, asked: Asked) -> str:
    """What the bundle is, for people."""
    rows = "\n".join(f"| {name} | {before} | {after} |" for name, before, after, _ in report.table(told))
    kept_lines = "\n".join(f"- {name}: {100 * value:.1f} %" for name, value in told.kept.items())
    parts = ", ".join(f"{count} {what}" for what, count in told.counts.items())
    return f"""# {asked.out.name}

`{asked.base.name}` (its card and terms hold here, too), its head of regions tuned by `python -m quantize.tune` on
`{told.data.place.name}`: {parts}. Names: {", ".join(told.names)}.

On the pictures held out, before and after:

| | before | after |
|---|---|---|
{rows}

{kept_lines}
"""
