"""What a step of distillation minimises: the student against each teacher, and how teachers are weighted."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize import losses
from quantize.distillation.student import StudentOutputs
from quantize.settings.distil import DistilSettings
from quantize.training.distributed import gather


@dataclass
class Targets:
    """One teacher's targets for a batch, in float32: [B,D], [R,D], [P,D], and the step's names [K,D]."""

    image: Tensor
    region: Tensor
    pixel: Tensor
    names: Tensor
    image_scale: float
    region_scale: float


def row_weights(rows: list[Tensor], targets: list[Targets], scales: list[float], shares: Tensor, how: str) -> Tensor:
    """[T,N]: how much each teacher counts for each of its `rows` [N,D]."""
    fixed = losses.fixed_weights(shares, len(rows[0]))
    if how == "fixed":
        return fixed
    answers = [(s * v @ target.names.T).softmax(1) for v, target, s in zip(rows, targets, scales, strict=True)]
    weigh = losses.certainty_weights if how == "certainty" else losses.agreement_weights
    both = fixed * weigh(torch.stack(answers))
    return both / both.sum(0)


def terms(
    seen: StudentOutputs,
    names: Tensor,
    scales: tuple[Tensor, Tensor],
    targets: list[Targets],
    maps: nn.ModuleList,
    s: DistilSettings,
) -> dict[str, Tensor]:
    """Weighted terms of `settings.distil.LOSSES`; `names` [K,dim] are the student's, `maps` lead into each teacher's space."""
    found: dict[str, Tensor] = {}
    shares = torch.tensor(list(s.teachers.values()), device=names.device)
    shares = shares / shares.sum()
    weights = {
        "image": row_weights([x.image for x in targets], targets, [x.image_scale for x in targets], shares, s.weighting),
        "region": row_weights([x.region for x in targets], targets, [x.region_scale for x in targets], shares, s.weighting),
        "pixel": losses.fixed_weights(shares, len(seen.pixel)),
    }
    for kind, weight in weights.items():
        rows = [
            1 - F.cosine_similarity(apply(getattr(seen, kind)), getattr(target, kind), dim=1)
            for apply, target in zip(maps, targets, strict=True)
        ]
        found[kind] = losses.weighted(torch.stack(rows), weight)
    pictures = gather(seen.image)
    parts: dict[str, list[Tensor]] = {"relations": [], "affinity": [], "answers": []}
    for target in targets:
        theirs = gather(target.image)
        scale = names.new_tensor(target.image_scale), names.new_tensor(target.region_scale)
        parts["relations"].append(losses.relational(pictures, theirs))
        parts["affinity"].append(losses.affinity(pictures, names, scales[0], theirs, target.names, scale[0]))
        parts["answers"].append(losses.prompted_regions(seen.region, names, scales[1], target.region, target.names, scale[1]))
    found |= {name: (torch.stack(each) * shares).sum() for name, each in parts.items()}
    return {name: s.weight(name) * value for name, value in found.items()}
