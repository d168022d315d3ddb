"""The sum of losses over one batch of sites: which loss looks at which site."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize import losses
from quantize.model.edgeclip import EdgeClip
from quantize.sites import NO_NAME, Sites
from quantize.supervision import Supervision
from quantize.training.distributed import gather

WEIGHTS = {
    "image_caption": 1.0, "image_label": 0.5, "image_tags": 0.3, "image_soft": 0.5,
    "region_name": 1.0, "region_caption": 0.3, "region_label": 0.5, "region_tags": 0.15, "region_soft": 0.5,
    "pixel_name": 0.5, "pixel_soft": 0.1, "text_relations": 0.5, "objectness": 1.0, "box": 0.2,
}  # fmt: skip
RELATIONS = 384


@dataclass
class Words:
    """Text vectors of one step in the joint space."""

    names: Tensor  # [K,dim]
    classes: Tensor  # [1000,dim]


def words(model: EdgeClip, s: Supervision, generator: torch.Generator) -> Words:
    device = model.projection.linear.weight.device
    vectors = s.texts.vectors
    return Words(
        model.projection(vectors[s.name_rows].to(device)),
        model.projection(vectors[s.class_choice(generator)].to(device)),
    )


def _pick(lists: list[list[int]], chosen: Tensor, generator: torch.Generator) -> Tensor:
    """One entry at random of each chosen list, NO_NAME where it is empty."""
    draw = torch.rand(len(chosen), generator=generator).tolist()
    return torch.tensor(
        [lists[i][int(d * len(lists[i]))] if lists[i] else NO_NAME for i, d in zip(chosen.tolist(), draw, strict=True)],
        dtype=torch.long,
    )


def _captions(kind: str, model: EdgeClip, v: Tensor, sample: Tensor, s: Supervision, g: torch.Generator) -> dict[str, Tensor]:
    """One caption a picture against those of all processes' pictures; every process calls it, with no sites if it has none."""
    row = _pick(s.captions, sample, g)
    has = row >= 0
    mine, theirs = gather(v[has]), gather(model.projection(s.texts.vectors[row[has]].to(v.device)))
    return {f"{kind}_caption": losses.info_nce(mine, theirs, model.scale(kind))} if len(mine) > 1 else {}


def _labels(
    kind: str, model: EdgeClip, v: Tensor, sample: Tensor, w: Words, s: Supervision, g: torch.Generator
) -> dict[str, Tensor]:
    """Labels and tags of sites that show a whole picture."""
    out: dict[str, Tensor] = {}
    scale = model.scale(kind)
    label = _pick(s.labels, sample, g)
    has = label >= 0
    if has.any():
        out[f"{kind}_label"] = losses.names_cross_entropy(v[has], w.names, label[has].to(v.device), scale, s.alike.to(v.device))
    hot = torch.zeros(len(sample), len(s.names))
    for i, j in enumerate(sample.tolist()):
        hot[i, s.tags[j]] = 1.0
    out[f"{kind}_tags"] = losses.multi_tag(v, w.names, hot.to(v.device), scale)
    return out


def _soft(v: Tensor, w: Words, probability: Tensor, scale: Tensor) -> Tensor:
    return losses.soft_names(v, w.classes, probability.float().to(v.device), scale)


def embed(bf16: bool, head: nn.Module, *inputs: Tensor) -> Tensor:
    """Unit vectors of a head; its products in bf16 or not, everything after in float."""
    with torch.autocast(inputs[0].device.type, torch.bfloat16, enabled=bf16):
        out: Tensor = head(*inputs)
    return F.normalize(out.float(), dim=1)


def image_losses(model: EdgeClip, b: Sites, w: Words, s: Supervision, g: torch.Generator, bf16: bool = True) -> dict[str, Tensor]:
    v = embed(bf16, model.image, b.image.float(), w.classes)
    out = _captions("image", model, v, b.image_sample, s, g)
    if len(v):
        out |= _labels("image", model, v, b.image_sample, w, s, g)
        out["image_soft"] = _soft(v, w, s.soft[s.first_soft[b.image_sample]], model.scale("image"))
    return out


def region_losses(
    model: EdgeClip, b: Sites, w: Words, s: Supervision, g: torch.Generator, bf16: bool = True
) -> dict[str, Tensor]:
    v = embed(bf16, model.region, b.region.float(), w.classes)
    scale = model.scale("region")
    whole = b.region_sample >= 0
    out = _captions("region", model, v[whole], b.region_sample[whole], s, g)
    if whole.any():
        out |= _labels("region", model, v[whole], b.region_sample[whole], w, s, g)
    named = b.region_name >= 0
    if named.any():
        target, weight = b.region_name[named].to(v.device), b.region_weight[named].float().to(v.device)
        out["region_name"] = losses.names_cross_entropy(v[named], w.names, target, scale, s.alike.to(v.device), weight)
    taught = b.region_box + 1 < s.soft_rows[b.region_owner]
    if taught.any():
        rows = s.first_soft[b.region_owner[taught]] + b.region_box[taught] + 1
        out["region_soft"] = _soft(v[taught], w, s.soft[rows], scale)
    return out


def pixel_losses(model: EdgeClip, b: Sites, w: Words, s: Supervision, bf16: bool = True) -> dict[str, Tensor]:
    x = b.pixel.float()
    v = embed(bf16, model.dense, x)
    scale = model.scale("pixel")
    out: dict[str, Tensor] = {}
    named = b.pixel_name >= 0
    if named.any():
        out["pixel_name"] = losses.names_cross_entropy(
            v[named], w.names, b.pixel_name[named].to(v.device), scale, s.alike.to(v.device)
        )
    if (~named).any():
        classifier = model.image.concepts.classifier
        with torch.no_grad():
            probability = classifier(x[~named][:, : classifier.in_features]).softmax(1)
        out["pixel_soft"] = _soft(v[~named], w, probability, scale)
    return out


def anchor_losses(model: EdgeClip, b: Sites) -> dict[str, Tensor]:
    objectness, box, levels = [], [], 0
    for level in b.anchor_level.unique().tolist():  # type: ignore[no-untyped-call]
        here = b.anchor_level == level
        logit, bins = model.anchor(b.anchor[here].float(), level)
        objectness.append(losses.objectness(logit, b.anchor_target[here].float().to(logit.device)))
        distance = b.anchor_distance[here].float().to(logit.device)
        boxed = ~distance.isnan().any(1)
        if boxed.any():
            box.append(losses.distance_bins(bins[boxed], distance[boxed]))
        levels += 1
    out = {"objectness": torch.stack(objectness).sum() / levels} if objectness else {}
    return out | ({"box": torch.stack(box).mean()} if box else {})


def text_losses(model: EdgeClip, s: Supervision, g: torch.Generator) -> dict[str, Tensor]:
    chosen = torch.randperm(len(s.clip_rows), generator=g)[:RELATIONS]
    device = model.projection.linear.weight.device
    t = model.projection(s.texts.vectors[s.clip_rows[chosen]].to(device))
    return {"text_relations": losses.relational(t, s.clip[chosen].to(device))}


def all_losses(model: EdgeClip, b: Sites, s: Supervision, g: torch.Generator) -> dict[str, Tensor]:
    """Named losses, unweighted; WEIGHTS holds their weights. Autocast, if it is on, is for the heads' products alone."""
    device = model.projection.linear.weight.device.type
    bf16 = torch.is_autocast_enabled(device)
    with torch.autocast(device, enabled=False):
        w = words(model, s, g)
        found = image_losses(model, b, w, s, g, bf16)
        found |= region_losses(model, b, w, s, g, bf16)
        found |= pixel_losses(model, b, w, s, bf16) if len(b.pixel) else {}
        found |= anchor_losses(model, b) if len(b.anchor) else {}
        return found | text_losses(model, s, g)


def weighted(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is minimised is their sum."""
    return {name: WEIGHTS[name] * value for name, value in found.items()}
