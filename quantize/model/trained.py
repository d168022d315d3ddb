"""A trained RegionClip, from the `model.pt` that `quantize.train` leaves."""

import pickle
from pathlib import Path

import torch

from quantize.model.region_clip import RegionClip
from quantize.model.weights import load_weights
from quantize.settings.model import ModelSettings


def load_region_clip(path: Path) -> RegionClip:
    """On the CPU; raises FileNotFoundError, or ValueError that says in one line what is wrong with the file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected the model.pt of a RegionClip")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model = RegionClip(ModelSettings(**state["recipe"]["model"]))
        load_weights(model, {k.removeprefix("model."): t for k, t in state["weights"].items()}, str(path))
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError, KeyError, TypeError, AttributeError) as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ValueError(f"{path}: found {found}; expected the model.pt of a RegionClip") from None
    return model
