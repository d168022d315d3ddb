"""DeepLabV3 for Pascal VOC as a quantised TensorFlow Lite file: 20 classes on a CPU."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from PIL import Image

from quantize.annotate.errors import AnnotateError
from quantize.annotate.models.segmenter import Segment
from quantize.annotate.record import Picture, PseudoBox

NET, LABELS = "deeplabv3_mnv2_pascal_quant.tflite", "pascal_voc_segmentation_labels.txt"
MIN_SHARE = 0.002
"""Of the picture; smaller patches are noise."""
MIN_AGREEMENT = 0.3
"""IoU with the mirrored picture's answer; segments below it are noise, too."""


@dataclass
class DeepLab:
    """The file gives one class per pixel and no scores: a segment's score is its IoU with what the mirrored picture gives."""

    net: Any
    names: list[str]
    version: str
    name: str = "deeplabv3_mnv2_pascal"

    @classmethod
    def load(cls, where: str, device: str) -> "DeepLab":
        """`where` is the folder of the file and its labels (background first); it always runs on the CPU."""
        net, labels = Path(where) / NET, Path(where) / LABELS
        for path in (net, labels):
            if not path.is_file():
                hint = "github.com/google-coral/test_data has both files"
                raise AnnotateError(f"weights {path} are missing, expected DeepLabV3 of TensorFlow Lite ({hint})")
        try:
            interpreter = Interpreter(str(net), num_threads=1)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise AnnotateError(
                f"weights {net} cannot be read: {str(error).splitlines()[0]}; expected a TensorFlow Lite file"
            ) from None
        return cls(interpreter, labels.read_text().split("\n"), hashlib.sha256(net.read_bytes()).hexdigest()[:12])

    def __call__(self, pictures: Sequence[Picture], boxes: Sequence[Sequence[PseudoBox]]) -> list[list[Segment]]:
        """The classes of each picture; boxes are ignored."""
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Picture) -> list[Segment]:
        classes, mirrored = self._classes(picture), self._classes(picture[:, ::-1])[:, ::-1]
        found = []
        for label in np.unique(classes).tolist():
            mask, again = classes == label, mirrored == label
            agreement = float((mask & again).sum() / (mask | again).sum())
            if label > 0 and mask.mean() >= MIN_SHARE and agreement >= MIN_AGREEMENT:
                found.append(Segment(mask, self.names[label], agreement))
        return found

    def _classes(self, picture: Picture) -> NDArray[np.int64]:
        """Class of each pixel; the picture is squeezed into the network's square."""
        entry, answer = self.net.get_input_details()[0], self.net.get_output_details()[0]
        _, high, wide, _ = entry["shape"]
        resized = Image.fromarray(np.ascontiguousarray(picture)).resize((int(wide), int(high)), Image.Resampling.BILINEAR)
        self.net.set_tensor(entry["index"], np.asarray(resized)[None])
        self.net.invoke()
        classes = np.squeeze(self.net.get_tensor(answer["index"])).astype(np.uint8)
        back = Image.fromarray(classes).resize((picture.shape[1], picture.shape[0]), Image.Resampling.NEAREST)
        return np.asarray(back).astype(np.int64)
