"""The sum of losses over one batch of supervision points: which loss looks at which point."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize import losses
from quantize.board.points import NO_NAME, Points
from quantize.board.supervision import Supervision
from quantize.model.edgeclip import EdgeClip
from quantize.training.distributed import gather

WEIGHTS = {
    "image_caption": 1.0, "image_label": 0.5, "image_tags": 0.3, "image_soft": 0.5,
    "region_name": 1.0, "region_caption": 0.3, "region_label": 0.5, "region_tags": 0.15, "region_soft": 0.5,
    "image_objects": 0.1, "image_object_tags": 0.5, "region_objects": 0.1, "region_object_tags": 0.5, "image_geometry": 0.3,
    "pixel_name": 0.5, "pixel_soft": 0.1, "text_relations": 0.5, "objectness": 1.0, "box": 0.2,
}  # fmt: skip
RELATIONS = 384
NO_BOX = -1
"""Stands for the whole picture."""


@dataclass
class Words:
    """Text vectors of one step in the joint space."""

    names: Tensor  # [K,dim]
    classes: Tensor  # [1000,dim]
    objects: Tensor | None  # [C,dim], the labeler's


def words(model: EdgeClip, supervision: Supervision, generator: torch.Generator) -> Words:
    """The bank's names, and one synonym of each class of the classifier."""
    device = model.projection.linear.weight.device
    vectors = supervision.texts.vectors
    return Words(
        model.projection(vectors[supervision.name_choice(generator)].to(device)),
        model.projection(vectors[supervision.class_choice(generator)].to(device)),
        model.projection(vectors[supervision.objects.name_rows].to(device)) if supervision.objects else None,
    )


@dataclass
class Step:
    """What the losses of one step share; `bf16`: the heads' products are in bfloat16."""

    model: EdgeClip
    supervision: Supervision
    words: Words
    generator: torch.Generator
    bf16: bool = True

    def pick(self, lists: list[list[int]], chosen: Tensor) -> Tensor:
        """One entry at random of each chosen list, NO_NAME where it is empty."""
        draw = torch.rand(len(chosen), generator=self.generator).tolist()
        return torch.tensor(
            [lists[i][int(d * len(lists[i]))] if lists[i] else NO_NAME for i, d in zip(chosen.tolist(), draw, strict=True)],
            dtype=torch.long,
        )

    def captions(self, kind: str, vectors: Tensor, sample: Tensor) -> dict[str, Tensor]:
        """One caption per picture against those of all processes' pictures; every process calls it, even without a picture."""
        texts = self.supervision.texts.vectors
        row = self.pick(self.supervision.captions, sample)
        has = row >= 0
        mine, theirs = gather(vectors[has]), gather(self.model.projection(texts[row[has]].to(vectors.device)))
        return {f"{kind}_caption": losses.info_nce(mine, theirs, self.model.scale(kind))} if len(mine) > 1 else {}

    def labels(self, kind: str, vectors: Tensor, sample: Tensor) -> dict[str, Tensor]:
        """Labels and tags of points that show a whole picture."""
        label = self.pick(self.supervision.labels, sample)
        out = self.names(f"{kind}_label", kind, vectors, label)
        hot = torch.zeros(len(sample), len(self.supervision.names))
        for i, j in enumerate(sample.tolist()):
            hot[i, self.supervision.tags[j]] = 1.0
        out[f"{kind}_tags"] = losses.multi_tag(vectors, self.words.names, hot.to(vectors.device), self.model.scale(kind))
        return out

    def names(self, term: str, kind: str, vectors: Tensor, name: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Points that have a name against the bank; no term if none has."""
        has = name >= 0
        if not has.any():
            return {}
        device = vectors.device
        given = () if weight is None else (weight[has].float().to(device),)
        alike = self.supervision.alike.to(device)
        scale = self.model.scale(kind)
        return {term: losses.names_cross_entropy(vectors[has], self.words.names, name[has].to(device), scale, alike, *given)}

    def soft(self, kind: str, vectors: Tensor, probability: Tensor) -> Tensor:
        """The classifier's distribution over its classes."""
        return losses.soft_names(vectors, self.words.classes, probability.float().to(vectors.device), self.model.scale(kind))

    def objects(self, kind: str, vectors: Tensor, sample: Tensor, box: Tensor) -> dict[str, Tensor]:
        """What the labeler said of these boxes of samples (-1: the whole picture): each name by itself, and all as tags."""
        told, names = self.supervision.objects, self.words.objects
        if told is None or names is None:
            return {}
        rows = told.row(sample, box)
        asked = rows >= 0
        if not asked.any():
            return {}
        seen, scores = vectors[asked.to(vectors.device)], told.scores(rows[asked]).to(vectors.device)
        return {
            f"{kind}_objects": losses.true_names(seen, names, scores, self.model.scale("objects"), self.model.object_bias),
            f"{kind}_object_tags": losses.multi_tag(seen, names, scores, self.model.scale(kind)),
        }


def embed(bf16: bool, head: nn.Module, *inputs: Tensor) -> Tensor:
    """Unit vectors of a head; its products in bf16 or not, everything after in float."""
    with torch.autocast(inputs[0].device.type, torch.bfloat16, enabled=bf16):
        out: Tensor = head(*inputs)
    return F.normalize(out.float(), dim=1)


def image_losses(step: Step, points: Points) -> dict[str, Tensor]:
    """Captions, labels, tags and the classifiers' answers of whole pictures."""
    supervision, sample = step.supervision, points.image_sample
    vectors = embed(step.bf16, step.model.image, points.image.float(), step.words.classes)
    out = step.captions("image", vectors, sample)
    if len(vectors):
        out |= step.labels("image", vectors, sample)
        out["image_soft"] = step.soft("image", vectors, supervision.soft[supervision.first_soft[sample]])
        out |= step.objects("image", vectors, sample, torch.full_like(sample, NO_BOX))
        # pictures that the trunk's features tell apart stay apart in the joint space, whatever words they have
        features = step.model.image.standardise(points.image.float())
        out["image_geometry"] = losses.relational(vectors, F.normalize(features, dim=1))
    return out


def region_losses(step: Step, points: Points) -> dict[str, Tensor]:
    """The same for regions that are a whole picture; names and the classifier's answer of boxes."""
    supervision = step.supervision
    vectors = embed(step.bf16, step.model.region, points.region.float(), step.words.classes)
    whole = points.region_sample >= 0
    out = step.captions("region", vectors[whole], points.region_sample[whole])
    if whole.any():
        out |= step.labels("region", vectors[whole], points.region_sample[whole])
    out |= step.names("region_name", "region", vectors, points.region_name, points.region_weight)
    out |= step.objects("region", vectors, points.region_owner, points.region_box)
    looked_at = points.region_box + 1 < supervision.soft_rows[points.region_owner]
    if looked_at.any():
        rows = supervision.first_soft[points.region_owner[looked_at]] + points.region_box[looked_at] + 1
        out["region_soft"] = step.soft("region", vectors[looked_at], supervision.soft[rows])
    return out


def pixel_losses(step: Step, points: Points) -> dict[str, Tensor]:
    """Names of pixels inside of masks; elsewhere the classifier's answer at the pixel."""
    features = points.pixel.float()
    vectors = embed(step.bf16, step.model.dense, features)
    out = step.names("pixel_name", "pixel", vectors, points.pixel_name)
    bare = points.pixel_name < 0
    if bare.any():
        classifier = step.model.image.concepts.classifier
        with torch.no_grad():
            probability = classifier(features[bare][:, : classifier.in_features]).softmax(1)
        out["pixel_soft"] = step.soft("pixel", vectors[bare], probability)
    return out


def anchor_losses(model: EdgeClip, points: Points) -> dict[str, Tensor]:
    """Objectness of the detector's cells, and the box of those that belong to one."""
    objectness, box, levels = [], [], 0
    for level in points.anchor_level.unique().tolist():  # type: ignore[no-untyped-call]
        here = points.anchor_level == level
        logit, bins = model.anchor(points.anchor[here].float(), level)
        objectness.append(losses.objectness(logit, points.anchor_target[here].float().to(logit.device)))
        distance = points.anchor_distance[here].float().to(logit.device)
        boxed = ~distance.isnan().any(1)
        if boxed.any():
            box.append(losses.distance_bins(bins[boxed], distance[boxed]))
        levels += 1
    out = {"objectness": torch.stack(objectness).sum() / levels} if objectness else {}
    return out | ({"box": torch.stack(box).mean()} if box else {})


def text_losses(step: Step) -> dict[str, Tensor]:
    """Similarities among texts are CLIP's."""
    supervision, projection = step.supervision, step.model.projection
    chosen = torch.randperm(len(supervision.clip_rows), generator=step.generator)[:RELATIONS]
    device = projection.linear.weight.device
    vectors = projection(supervision.texts.vectors[supervision.clip_rows[chosen]].to(device))
    return {"text_relations": losses.relational(vectors, supervision.clip[chosen].to(device))}


def all_losses(model: EdgeClip, points: Points, supervision: Supervision, generator: torch.Generator) -> dict[str, Tensor]:
    """Named losses, unweighted; WEIGHTS holds their weights. Autocast, if it is on, is for the heads' products alone."""
    device = model.projection.linear.weight.device.type
    bf16 = torch.is_autocast_enabled(device)
    with torch.autocast(device, enabled=False):
        step = Step(model, supervision, words(model, supervision, generator), generator, bf16)
        found = image_losses(step, points) | region_losses(step, points)
        found |= pixel_losses(step, points) if len(points.pixel) else {}
        found |= anchor_losses(model, points) if len(points.anchor) else {}
        return found | text_losses(step)


def weighted(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weighted losses; their sum is minimised."""
    return {name: WEIGHTS[name] * value for name, value in found.items()}
