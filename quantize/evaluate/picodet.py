"""PP-PicoDet-S (Yu et al., 2021), the better and dearer supervised detector."""

import re

import ncnn

from quantize.evaluate.coco_detector import CocoDetector


class PicoDet(CocoDetector):
    """At 416 pixels, in RGB: fed BGR, it loses two points of AP50."""

    FILES = "picodet-s-416"
    SIDE = 416
    INPUT = "image"
    HEADS = {  # noqa: RUF012
        stride: (f"save_infer_model/scale_{level}.tmp_1", f"save_infer_model/scale_{level + 4}.tmp_1")
        for level, stride in enumerate((8, 16, 32, 64))
    }
    PIXELS = ncnn.Mat.PixelType.PIXEL_RGB
    MEAN, NORM = (123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375)

    def graph(self, param: str) -> str:
        """Convolutions of a single cell, which ncnn computes but warns of at each picture, become the products that they are."""
        single: set[str] = set()
        lines = []
        for line in param.splitlines():
            kind, *rest = line.split()
            if kind == "Pooling" and {"0=1", "4=1"} <= set(rest):  # the mean over the whole map
                single.add(rest[4])
            elif kind in ("Convolution", "ReLU") and rest[3] in single:
                single.add(rest[4])
                line = _product(line) if kind == "Convolution" else line
            lines.append(line)
        return "\n".join(lines) + "\n"


def _product(convolution: str) -> str:
    """The line of an InnerProduct with the weights of a 1 × 1 convolution."""
    outputs, weights = re.search(r" 0=(\d+) ", convolution), re.search(r" 6=(\d+)", convolution)
    assert outputs
    assert weights
    _, name, *blobs = convolution.split()[:6]
    return " ".join(["InnerProduct", name, *blobs, f"0={outputs[1]}", "1=1", f"2={weights[1]}"])
