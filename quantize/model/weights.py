"""Loading weights, and errors that say why they do not fit."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

MISMATCH = re.compile(
    r"size mismatch for (\S+): copying a param with shape torch\.Size\((\[.*?\])\) from checkpoint, "
    r"the shape in current model is torch\.Size\((\[.*?\])\)"
)
KEYS = re.compile(r'(Missing|Unexpected) key\(s\) in state_dict: "([^"]+)"((?:, "[^"]+")*)')


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Raises ValueError that names the first tensor that is missing, unknown or of another shape."""
    wanted = module.state_dict()
    for name, tensor in wanted.items():
        if name not in weights:
            raise ValueError(f"{source}: found no tensor {name} among {len(weights)}, expected one of shape {list(tensor.shape)}")
        if weights[name].shape != tensor.shape:
            raise ValueError(f"{source}: {name} has shape {list(weights[name].shape)}, expected {list(tensor.shape)}")
    unknown = [name for name in weights if name not in wanted]
    if unknown:
        raise ValueError(f"{source}: found {len(unknown)} tensors that this model has not, such as {unknown[0]}")
    module.load_state_dict(weights)


@contextmanager
def explained(what: str, *others: type[Exception]) -> Iterator[None]:
    """Turns what libraries raise about names, files and tensors, and `others`, into one line that begins with `what`."""
    caught: tuple[type[Exception], ...] = (ImportError, OSError, RuntimeError, KeyError, ValueError, *others)
    try:
        yield
    except caught as error:
        text = str(error)
        if found := MISMATCH.search(text):
            message = f"{found[1]} has shape {found[2]}, expected {found[3]}"
        elif found := KEYS.search(text):
            more = found[3].count('", "') + bool(found[3])
            message = f"{'found no tensor' if found[1] == 'Missing' else 'found unknown tensor'} {found[2]}" + (
                f" and {more} more" if more else ""
            )
        else:
            message = text.strip().split("\n")[0]
        raise ValueError(f"{what}: {message}") from None
