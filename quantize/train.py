"""Trains the heads (and, if the recipe says so, the trunk): `python -m quantize.train quantize/recipes/cpu.toml`.

Resumes from `<out>/checkpoint.pt` when there is one; the result is `<out>/model.pt` (an exponential average of the weights).
"""

import copy
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter

from quantize.batches import CachedSites, LiveSites
from quantize.data.shards import Shards
from quantize.model.edgeclip import EdgeClip
from quantize.model.trunk import Trunk, load_trunk
from quantize.objective import all_losses, total
from quantize.progress import track
from quantize.recipe import Recipe, from_command_line, missing_files_end_it
from quantize.sites import Sites
from quantize.supervision import Supervision, load_supervision

log = logging.getLogger(__name__)
EMA_DECAY = 0.998
CLIP_NORM = 5.0


def learning_rate_factor(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then a cosine to zero."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    return 0.5 * (1 + math.cos(math.pi * (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)))


def parameter_groups(model: EdgeClip, trunk: Trunk, recipe: Recipe) -> list[dict[str, object]]:
    """The classifier's names and NanoDet's layers start trained and move slowly; scales are not decayed."""
    started = {
        id(p) for m in (model.image.concepts.classifier, model.region.concepts.classifier, model.anchor) for p in m.parameters()
    }
    fresh = [p for p in model.parameters() if p.dim() > 1 and id(p) not in started]
    free = [p for p in model.parameters() if p.dim() <= 1 and id(p) not in started]
    slow = [p for p in model.parameters() if id(p) in started]
    groups: list[dict[str, object]] = [
        {"params": fresh, "lr": recipe.learning_rate, "weight_decay": recipe.weight_decay},
        {"params": free, "lr": recipe.learning_rate, "weight_decay": 0.0},
        {"params": slow, "lr": recipe.trunk_learning_rate, "weight_decay": 0.0},
    ]
    if not recipe.frozen:
        groups.append({"params": list(trunk.parameters()), "lr": recipe.trunk_learning_rate, "weight_decay": 1e-4})
    return groups


def start(model: EdgeClip, sites: Sites, supervision: Supervision) -> None:
    """Data-dependent starting points: standardisation and the text projection's axes."""
    model.image.standardise.measure(sites.image[:20000])
    model.region.standardise.measure(sites.region[:20000])
    model.dense.standardise.measure(sites.pixel[:20000])
    model.projection.start_from(supervision.texts.vectors[:, 0])


def batches(
    recipe: Recipe, supervision: Supervision, model: EdgeClip, trunk: Trunk, teacher: Trunk, g: torch.Generator, first: int
) -> Iterator[Sites]:
    """The batches of steps `first` to the last; those of step 0 also set the model's starting points."""
    if recipe.frozen:
        cached = CachedSites(recipe, supervision)
        if first == 0:
            start(model, cached.sites, supervision)
        for _ in range(first, recipe.steps):
            yield cached.batch(g).vectors_to(recipe.device)
        return
    live = LiveSites(recipe, supervision, list(Shards([Path(p) for p in recipe.shards])), trunk, teacher)
    for step, sites in enumerate(live.batches(first), first):
        if step == 0:
            start(model, sites.map(lambda t: t.detach()), supervision)
        yield sites


class Checkpoint:
    """Everything that a step depends on, in one file."""

    def __init__(
        self, path: Path, model: nn.Module, average: AveragedModel, optimiser: torch.optim.Optimizer, g: torch.Generator
    ) -> None:
        self.path, self.g = path, g
        self.parts: dict[str, nn.Module | torch.optim.Optimizer] = {"model": model, "average": average, "optimiser": optimiser}

    def save(self, step: int) -> None:
        state = {k: p.state_dict() for k, p in self.parts.items()} | {
            "step": step,
            "generator": self.g.get_state(),
            "torch": torch.get_rng_state(),
        }
        torch.save(state, self.path.with_suffix(".tmp"))
        self.path.with_suffix(".tmp").replace(self.path)

    def load(self) -> int:
        """The step to go on with; 0 without a checkpoint."""
        if not self.path.exists():
            return 0
        state = torch.load(self.path, weights_only=True)
        for k, p in self.parts.items():
            p.load_state_dict(state[k])
        self.g.set_state(state["generator"])
        torch.set_rng_state(state["torch"])
        return int(state["step"])


def train(recipe: Recipe) -> Path:
    """Runs the recipe to its end; returns the trained weights' path."""
    torch.manual_seed(recipe.seed)
    g = torch.Generator().manual_seed(recipe.seed)
    out = Path(recipe.out)
    out.mkdir(parents=True, exist_ok=True)
    supervision = load_supervision(recipe)
    trunk = load_trunk(recipe).to(recipe.device)
    teacher = copy.deepcopy(trunk).requires_grad_(False)
    trunk.requires_grad_(not recipe.frozen)
    model = EdgeClip(trunk, recipe.dim, recipe.hidden, recipe.drop).to(recipe.device)
    both = nn.ModuleDict({"model": model} if recipe.frozen else {"model": model, "trunk": trunk})
    optimiser = torch.optim.AdamW(parameter_groups(model, trunk, recipe))
    base = [group["lr"] for group in optimiser.param_groups]
    ema = get_ema_multi_avg_fn(EMA_DECAY)  # type: ignore[no-untyped-call]
    average = AveragedModel(both, multi_avg_fn=ema, use_buffers=True)
    checkpoint = Checkpoint(out / "checkpoint.pt", both, average, optimiser, g)
    first = checkpoint.load()
    if first:
        log.info("going on from step %d", first)
    board = SummaryWriter(str(out / "tensorboard"), purge_step=first)
    supply = batches(recipe, supervision, model, trunk, teacher, g, first)
    begun = time.monotonic()
    for step, sites in enumerate(track(supply, f"train {recipe.name}", recipe.steps - first), first):
        for group, lr in zip(optimiser.param_groups, base, strict=True):
            group["lr"] = lr * learning_rate_factor(step, recipe)
        found = all_losses(model, sites, supervision, g)
        loss = total(found)
        if not loss.isfinite():
            torch.save(sites, out / "bad-batch.pt")
            raise SystemExit(f"loss is {loss.item()} at step {step} ({describe(found)}); the batch is in {out / 'bad-batch.pt'}")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(both.parameters(), CLIP_NORM)
        optimiser.step()
        average.update_parameters(both)
        if step % 20 == 0:
            for name, value in found.items():
                board.add_scalar(f"loss/{name}", value.item(), step)
        if step % 250 == 0:
            log.info("step %d loss %.3f: %s", step, loss.item(), describe(found))
        if (step + 1) % recipe.checkpoint_every == 0:
            checkpoint.save(step + 1)
    board.close()
    log.info("trained in %.0f s", time.monotonic() - begun)
    state = {k.removeprefix("module."): v for k, v in average.state_dict().items() if k.startswith("module.")}
    torch.save({"recipe": vars(recipe), "weights": state}, out / "model.pt")
    return out / "model.pt"


def describe(found: dict[str, Tensor]) -> str:
    return " ".join(f"{k}={v.item():.2f}" for k, v in found.items())


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = from_command_line(__doc__)
    with missing_files_end_it():
        log.info("weights: %s", train(recipe))


if __name__ == "__main__":
    main()
