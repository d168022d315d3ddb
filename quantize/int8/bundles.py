"""Float twins in, int8 bundles out."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from quantize.bundle.manifest import read_manifest
from quantize.bundle.write import Metrics, files_of, write_manifest
from quantize.data.shards import Sample
from quantize.int8.calibration import calibration_inputs, calibration_samples, maps_of, picture_regions
from quantize.int8.ranges import session
from quantize.settings.board import BoardRecipe

Array = NDArray[np.float32]
NETWORKS = ("vision.onnx", "prompt.onnx")


@dataclass
class Twin:
    """A float network, its float calibration inputs, and the pictures they are of."""

    path: Path
    inputs: list[Array]
    samples: list[Sample]


def float_folder(recipe: BoardRecipe) -> Path:
    """Where `quantize.export` keeps the float twin of the bundle."""
    return Path(recipe.out) / "float"


def float_path(recipe: BoardRecipe, network: str) -> Path:
    """A float twin. Raises FileNotFoundError that says what makes it."""
    path = float_folder(recipe) / network
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; run `python -m quantize.export` with this recipe first")
    return path


class Runner:
    """Runs a graph of one input."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.names = [o.name for o in model.graph.output]
        self.input = model.graph.input[0].name
        self.session = session(model, self.names)

    def __call__(self, x: NDArray[np.generic]) -> dict[str, Array]:
        """The outputs by name."""
        return dict(zip(self.names, self.session.run(None, {self.input: x}), strict=True))


def outputs_of(model: onnx.ModelProto, inputs: Sequence[NDArray[np.generic]]) -> list[dict[str, Array]]:
    """The outputs of a graph by name, for each input."""
    run = Runner(model)
    return [run(x) for x in inputs]


def stored(inputs: Sequence[Array], scale: float | None) -> list[NDArray[np.generic]]:
    """Float inputs as an int8 graph takes them; as they are where its input is float."""
    return [x if scale is None else np.rint(x / scale).astype(np.int8) for x in inputs]


def twins(recipe: BoardRecipe, input_scale: float) -> dict[str, Twin]:
    """The float twins of both networks with their calibration inputs; regions are those that the float vision network gives."""
    vision, prompt = (float_path(recipe, name) for name in NETWORKS)
    samples = calibration_samples(recipe)
    inputs = calibration_inputs(samples, recipe.model.size)
    seen = outputs_of(onnx.load(vision), stored(inputs, input_scale))
    regions = [picture_regions(s, maps_of(o), recipe.model.size) for s, o in zip(samples, seen, strict=True)]
    return {"vision.onnx": Twin(vision, inputs, samples), "prompt.onnx": Twin(prompt, regions, samples)}


def write_bundle(like: Path, target: Path, networks: dict[str, onnx.ModelProto], metrics: Metrics) -> None:
    """A copy of the bundle `like` with other networks; its scores stay as they were calibrated."""
    manifest = read_manifest(like)
    target.mkdir(parents=True, exist_ok=True)
    for name in files_of(manifest):
        if name not in networks and (like / name).resolve() != (target / name).resolve():
            shutil.copyfile(like / name, target / name)
    for name, model in networks.items():
        onnx.save(model, target / name)
    write_manifest(target, manifest, metrics)
