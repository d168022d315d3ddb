"""Which part of a tower is trained: all, nothing, low-rank updates (LoRA, arXiv 2106.09685) or bottleneck adapters (arXiv
1902.00751).

UMG-CLIP adapts its towers to tasks this way. Both start as the pretrained tower: the second factor is zero.
"""

import re
from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

BLOCK_LISTS = {"resblocks", "blocks", "layers", "layer", "stages"}
STAGE = re.compile(r"layer\d")


class Attention(nn.Module):
    """`nn.MultiheadAttention` with linear layers, which LoRA can update without rebuilding its weights at every step."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        width = attention.embed_dim
        self.heads, self.batch_first = attention.num_heads, attention.batch_first
        bias = attention.in_proj_bias is not None
        self.in_proj = nn.Linear(width, 3 * width, bias)
        self.out_proj = nn.Linear(width, width, attention.out_proj.bias is not None)
        self.in_proj.load_state_dict(
            {"weight": attention.in_proj_weight, "bias": attention.in_proj_bias} if bias else {"weight": attention.in_proj_weight}
        )
        self.out_proj.load_state_dict(attention.out_proj.state_dict())

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, **_: object
    ) -> tuple[Tensor, None]:
        if key is query and value is query:
            qkv = self.in_proj(query).chunk(3, -1)
        else:
            qkv = tuple(self.in_proj(x).chunk(3, -1)[i] for i, x in enumerate((query, key, value)))
        order = (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3)
        q, k, v = (x.unflatten(-1, (self.heads, -1)).permute(order) for x in qkv)
        mask = None
        if attn_mask is not None:
            mask = ~attn_mask if attn_mask.dtype == torch.bool else attn_mask.to(q.dtype)
        x = F.scaled_dot_product_attention(q, k, v, mask)
        x = x.transpose(1, 2) if self.batch_first else x.permute(2, 0, 1, 3)
        return self.out_proj(x.flatten(2)), None


class Adapted(nn.Module):
    """A block and its adapter: `y + up(gelu(down(y)))` over the channels of the block's output y."""

    def __init__(self, block: nn.Module, channels: int, width: int, axis: int) -> None:
        super().__init__()
        self.block = block
        self.axis = axis
        self.down = nn.Linear(channels, width)
        self.up = nn.Linear(width, channels)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:  # towers ask their blocks for more than a forward pass
            return getattr(super().__getattr__("block"), name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        out = self.block(*args, **kwargs)
        y = out[0] if isinstance(out, tuple) else out
        cells = y.movedim(self.axis, -1)
        adapted = y + self.up(F.gelu(self.down(cells))).movedim(-1, self.axis)
        return (adapted, *out[1:]) if isinstance(out, tuple) else adapted


def blocks(tower: nn.Module) -> dict[str, nn.Module]:
    """A tower's outermost repeated blocks or stages by their names."""
    found: dict[str, nn.Module] = {}
    for name, module in tower.named_modules():
        if any(name.startswith(f"{outer}.") for outer in found):
            continue
        last = name.rpartition(".")[2]
        if isinstance(module, (nn.ModuleList, nn.Sequential)) and last in BLOCK_LISTS:
            found |= {f"{name}.{child}": block for child, block in module.named_children()}
        elif STAGE.fullmatch(last):
            found[name] = module
    return found


def _replace(tower: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(tower.get_submodule(parent), last, module)


def add_lora(tower: nn.Module, rank: int, what: str) -> None:
    """Low-rank updates beside every linear layer of the tower's blocks; all else is frozen."""
    tower.requires_grad_(False)
    for name, block in blocks(tower).items():
        for inner, module in list(block.named_modules()):
            if isinstance(module, nn.MultiheadAttention):
                _replace(tower, f"{name}.{inner}", Attention(module).requires_grad_(False))
    targets = [
        f"{name}.{inner}" if inner else name
        for name, block in blocks(tower).items()
        for inner, module in block.named_modules()
        if isinstance(module, nn.Linear)
    ]
    if not targets:
        raise ValueError(f"{what} has no linear layers in its blocks, expected a transformer for tuning by lora")
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets), tower)


def merge_lora(tower: nn.Module) -> None:
    """Adds the low-rank updates to the weights: the tower computes the same with the layers it had."""
    for name, module in list(tower.named_modules()):
        if isinstance(module, LoraLayer):
            cast(Any, module).merge(safe_merge=True)
            _replace(tower, name, module.get_base_layer())


def add_adapters(tower: nn.Module, width: int, what: str, run: Callable[[], object]) -> None:
    """An adapter behind every block; all else is frozen. `run` calls the tower once, which shows the blocks' channels."""
    tower.requires_grad_(False)
    found = blocks(tower)
    outputs: dict[str, Tensor] = {}
    if not found:
        raise ValueError(f"{what} has no blocks that are known, expected one with {', '.join(sorted(BLOCK_LISTS))}")

    def note(name: str) -> Callable[[nn.Module, object, Any], None]:
        return lambda _module, _inputs, out: outputs.__setitem__(name, out[0] if isinstance(out, tuple) else out)

    hooks = [block.register_forward_hook(note(name)) for name, block in found.items()]
    training = tower.training
    tower.eval()
    with torch.no_grad():
        run()
    tower.train(training)
    for hook in hooks:
        hook.remove()
    for name, out in outputs.items():
        axis = 1 if out.ndim == 4 and not getattr(tower, "channels_last", False) else -1
        _replace(tower, name, Adapted(found[name], out.shape[axis], width, axis))


def tune(tower: nn.Module, how: str, what: str, rank: int, width: int, run: Callable[[], object]) -> None:
    """`how` is one of settings.TUNING; `what` names the tower in errors."""
    if how == "lora":
        add_lora(tower, rank, what)
    elif how == "adapter":
        add_adapters(tower, width, what, run)
    else:
        tower.requires_grad_(how == "full")


def hold_still(tower: nn.Module, how: str) -> None:
    """What is not trained must not change in training mode either: statistics of batch norms, and dropout in a frozen tower."""
    if how == "frozen":
        tower.eval()
    elif how != "full":
        for module in tower.modules():
            if isinstance(module, _BatchNorm):
                module.eval()


def parameter_counts(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Trained and all parameters of each part of the model, and of the whole under `total`."""
    counts = {}
    for name, part in [*model.named_children(), ("total", model)]:
        sizes = [(p.numel(), p.requires_grad) for p in part.parameters()]
        counts[name] = (sum(n for n, trained in sizes if trained), sum(n for n, _ in sizes))
    return counts
