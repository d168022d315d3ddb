"""Quantised TensorFlow Lite files on one thread."""

import hashlib
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from PIL import Image

from quantize.evaluate.predictor import Picture


def version(path: Path) -> str:
    """The beginning of a weights file's hash; raises FileNotFoundError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


class SquareNet:
    """A network of one input, a squashed square of RGB bytes, and one output."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError."""
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing, expected a teacher's weights (model.teachers of the recipe)")
        self.net = Interpreter(str(path), num_threads=1)
        self.net.allocate_tensors()
        self.input, self.output = self.net.get_input_details()[0], self.net.get_output_details()[0]
        _, self.high, self.wide, _ = (int(side) for side in self.input["shape"])

    def raw(self, picture: Picture) -> NDArray[np.generic]:
        """The output as it is stored, without axes of length one."""
        squashed = Image.fromarray(picture).resize((self.wide, self.high), Image.Resampling.BILINEAR)
        self.net.set_tensor(self.input["index"], np.asarray(squashed)[None])
        self.net.invoke()
        return np.asarray(np.squeeze(self.net.get_tensor(self.output["index"])))

    def scores(self, picture: Picture) -> NDArray[np.float32]:
        """The output as numbers."""
        scale, zero = self.output["quantization"]
        return np.asarray((self.raw(picture).astype(np.float32) - zero) * scale, np.float32)
