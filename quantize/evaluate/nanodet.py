"""NanoDet-m, the supervised reference detector, whose weights the detection branch starts from."""

import ncnn

from quantize.evaluate.coco_detector import CocoDetector


class NanoDet(CocoDetector):
    """At 320 pixels.

    Letterboxed pictures give it a better average precision than the squashed ones of its own training (AP50 45 against 44 on
    the validation pictures).
    """

    FILES = "nanodet_m"
    SIDE = 320
    INPUT = "input.1"
    HEADS = {8: ("792", "795"), 16: ("814", "817"), 32: ("836", "839")}  # noqa: RUF012
    PIXELS = ncnn.Mat.PixelType.PIXEL_RGB2BGR
    MEAN, NORM = (103.53, 116.28, 123.675), (0.017429, 0.017507, 0.017125)
