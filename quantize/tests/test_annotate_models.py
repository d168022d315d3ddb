"""Other people's networks behind our interfaces: random ones of the same classes, loaded from folders as published ones are."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quantize.annotate.errors import AnnotateError
from quantize.annotate.models import deeplab
from quantize.annotate.models.captioner import load_captioner
from quantize.annotate.models.detector import Detector, load_detector
from quantize.annotate.models.grounding_dino import GroundingDino
from quantize.annotate.models.nanodet import NanoDetector
from quantize.annotate.models.segmenter import load_segmenter
from quantize.annotate.record import Picture, PseudoBox
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Detections
from quantize.tests import tiny_models


def picture(seed: int, height: int = 40, width: int = 60) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


PICTURES = [picture(0), picture(1), picture(2, 50, 30)]
QUERIES = [["red dog", "cat"], [], ["bus", "man in a shirt", "two red shirt"]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes each network once."""
    root = tmp_path_factory.mktemp("models")
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = getattr(tiny_models, kind)(root / kind)
        return made[kind]

    return folder


@pytest.mark.parametrize("kind", ["owlv2", "grounding_dino"])
def test_open_detectors_answer_with_their_own_pictures_queries(kind: str, folders: Callable[[str], Path]) -> None:
    detector = load_detector(f"{kind}:{folders(kind)}", "cpu", {kind: 0.0})
    assert detector.open
    assert detector.name == f"{kind}:{folders(kind)}"
    found = detector(PICTURES, QUERIES)
    assert [len(boxes) for boxes in found] == [len(found[0]), 0, len(found[0])]
    assert len(found[0]) > 0
    for boxes, queries in zip(found, QUERIES, strict=True):
        assert {box.name for box in boxes} <= set(queries)
        assert all(0 <= box.score <= 1 for box in boxes)
    assert detector([PICTURES[1]], [[]]) == [[]]


@pytest.mark.parametrize("kind", ["owlv2", "grounding_dino"])
def test_only_boxes_of_the_least_score_are_kept(kind: str, folders: Callable[[str], Path]) -> None:
    everything = scores(load_detector(f"{kind}:{folders(kind)}", "cpu", {kind: 0.0}))
    middle = (everything[4] + everything[5]) / 2
    some = scores(load_detector(f"{kind}:{folders(kind)}", "cpu", {kind: middle}))
    assert some == pytest.approx([score for score in everything if score > middle], abs=1e-6)


def scores(detector: Detector) -> list[float]:
    return sorted((box.score for box in detector(PICTURES[:1], QUERIES[:1])[0]), reverse=True)


def test_owlv2_undoes_its_padding_to_a_square(folders: Callable[[str], Path]) -> None:
    """60 x 40 pixels are padded at the bottom: what is at 1/8 of the square is at 1/8 · 60/40 of the height."""
    detector: Any = load_detector(f"owlv2:{folders('owlv2')}", "cpu", {"owlv2": 0.0})
    with torch.no_grad():  # then boxes lie at the grid's centres
        detector.model.box_head.dense2.weight.zero_()
        detector.model.box_head.dense2.bias.zero_()
    (boxes,) = detector(PICTURES[:1], [["cat"]])
    xs = sorted({round((box.box[0] + box.box[2]) / 2, 3) for box in boxes})
    ys = sorted({round((box.box[1] + box.box[3]) / 2, 3) for box in boxes})
    assert len(xs) == len(ys) == 4
    assert ys == pytest.approx([1.5 * x for x in xs], abs=2e-3)


def test_owlv2s_padding_queries_change_nothing(folders: Callable[[str], Path]) -> None:
    detector = load_detector(f"owlv2:{folders('owlv2')}", "cpu", {"owlv2": 0.0})
    together, alone = detector(PICTURES, QUERIES)[0], detector(PICTURES[:1], QUERIES[:1])[0]
    assert [box.name for box in together] == [box.name for box in alone]
    assert [box.score for box in together] == pytest.approx([box.score for box in alone], abs=1e-5)


def test_grounding_dino_reads_scores_at_the_querys_tokens(folders: Callable[[str], Path]) -> None:
    detector = GroundingDino.load(str(folders("grounding_dino")), "cpu", min_score=0.0)
    text = "red dog. bus. two red shirt."
    spans = detector._spans(["red dog", "bus", "two red shirt"], text, 64)
    assert spans == [[1, 2], [4], [6, 7, 8]]  # [CLS] red dog . bus . two red shirt . [SEP]
    assert detector._spans(["red dog", "bus", "two red shirt"], text, 8) == [[1, 2], [4], [6]]  # cut at eight tokens
    inputs = detector.processor(text="red dog. cat.", images=[PICTURES[0]], return_tensors="pt")
    with torch.inference_mode():
        outputs = detector.model(**inputs)
    probabilities = outputs.logits.sigmoid()[0]
    by_query = torch.stack([probabilities[:, 1:3].amax(1), probabilities[:, 4]], 1)
    (found,) = detector(PICTURES[:1], [["red dog", "cat"]])
    assert [box.score for box in found] == pytest.approx(by_query.amax(1).tolist(), abs=1e-5)
    assert [box.name for box in found] == [("red dog", "cat")[i] for i in by_query.argmax(1).tolist()]
    centres = [((b.box[0] + b.box[2]) / 2, (b.box[1] + b.box[3]) / 2) for b in found]
    assert np.allclose(centres, outputs.pred_boxes[0, :, :2].numpy(), atol=1e-5)


BOXES = [PseudoBox((0.1, 0.2, 0.5, 0.6), "cat", 0.5, "m"), PseudoBox((0.0, 0.0, 0.9, 0.9), "dog", 0.8, "m")]


def test_sam_makes_a_mask_of_each_box(folders: Callable[[str], Path]) -> None:
    sam = load_segmenter(f"sam:{folders('sam')}", "cpu")
    found = sam(PICTURES, [BOXES, [], BOXES[:1]])
    assert [[s.name for s in segments] for segments in found] == [["cat", "dog"], [], ["cat"]]
    assert [[s.mask.shape for s in segments] for segments in found] == [[(40, 60)] * 2, [], [(50, 30)]]
    assert all(s.mask.dtype == np.bool_ and 0 <= s.score <= 1 for segments in found for s in segments)
    (other,) = sam(PICTURES[:1], [BOXES[1:]])
    # prompts do not disturb one another, but the sums of another batch may round a pixel to the other side
    assert np.mean(other[0].mask != found[0][1].mask) < 0.01
    assert np.mean(found[0][0].mask != found[0][1].mask) > 0.01


def test_mask2former_names_its_segments(folders: Callable[[str], Path]) -> None:
    found = load_segmenter(f"mask2former:{folders('mask2former')}", "cpu")(PICTURES, [[], [], []])
    for segments, shown in zip(found, PICTURES, strict=True):
        assert {s.name for s in segments} == {"grass"}
        assert sum(s.mask.sum() for s in segments) <= shown[..., 0].size  # panoptic: no pixel twice
        assert all(s.mask.shape == shown.shape[:2] and s.score > 0.9 for s in segments)


def test_blip_says_words_with_probabilities(folders: Callable[[str], Path]) -> None:
    captioner = load_captioner(f"blip:{folders('blip')}", "cpu")
    together = captioner(PICTURES)
    assert all(text and "[" not in text and 0 < score < 1 for text, score in together)
    alone = [captioner([each])[0] for each in PICTURES]
    assert [text for text, _ in alone] == [text for text, _ in together]
    assert [score for _, score in alone] == pytest.approx([score for _, score in together], abs=1e-5)


def test_blips_score_is_the_mean_probability_of_its_tokens(folders: Callable[[str], Path]) -> None:
    captioner: Any = load_captioner(f"blip:{folders('blip')}", "cpu")
    inputs = captioner.processor(images=PICTURES[:1], return_tensors="pt")
    with torch.inference_mode():
        said = captioner.model.generate(**inputs, max_new_tokens=40, do_sample=False)[0]
        start = captioner.model.vision_model(inputs["pixel_values"])[0]
        logits = captioner.model.text_decoder(input_ids=said[None, :-1], encoder_hidden_states=start).logits[0].double()
    expected = logits.softmax(1).gather(1, said[1:, None]).mean()
    assert captioner(PICTURES[:1])[0][1] == pytest.approx(float(expected), rel=1e-3)


def test_blip2_is_the_same_kind(folders: Callable[[str], Path]) -> None:
    found = load_captioner(f"blip:{folders('blip2')}", "cpu")(PICTURES[:2])
    assert [text for text, _ in found] == ["", ""]  # this one ends at once
    assert all(0 < score < 1 for _, score in found)


class PretendedNet:
    """One box of 15 x 20 pixels, a bicycle."""

    def detect(self, pictures: list[Picture], names: tuple[str, ...], threshold: float, top: int) -> list[Detections]:
        assert names == COCO_NAMES
        assert threshold == 0.4
        return [
            Detections(np.array([[15, 10, 30, 30]], np.float32), np.array([1]), np.array([0.7], np.float32)) for _ in pictures
        ]


def test_nanodets_boxes_become_fractions() -> None:
    detector = NanoDetector(PretendedNet(), "1", 0.4)  # type: ignore[arg-type]
    assert not detector.open
    ((box,), (other,)) = detector([picture(0), picture(1, 100, 30)], [[], ["dog"]])
    assert box.name == "bicycle"
    assert box.score == pytest.approx(0.7)
    assert box.box == pytest.approx((0.25, 0.25, 0.5, 0.75))
    assert other.box == pytest.approx((0.5, 0.1, 1.0, 0.3))


class PretendedInterpreter:
    """Class 8 where the squeezed picture is bright, class 3 never in the same place twice; details as LiteRT gives them."""

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0, "shape": np.array([1, 8, 8, 3])}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 1}]

    def set_tensor(self, index: int, value: Any) -> None:
        assert value.shape == (1, 8, 8, 3)
        assert value.dtype == np.uint8
        self.classes = np.where(value[..., 0] > 128, 8, 0)

    def invoke(self) -> None:
        self.classes[0, 0, 0] = 8  # always wrong in two corners, so that the mirrored picture disagrees
        self.classes[0, 7, 0] = 3

    def get_tensor(self, index: int) -> Any:
        return self.classes


def test_deeplabs_score_is_its_agreement_with_the_mirrored_picture() -> None:
    shown = np.zeros((16, 32, 3), np.uint8)
    shown[:, 16:] = 255
    net = deeplab.DeepLab(PretendedInterpreter(), [str(i) for i in range(21)], "1")
    ((segment,),) = net([shown], [[]])
    assert segment.name == "8"
    corner = 2 * 4  # pixels of one cell
    assert segment.mask.sum() == 16 * 16 + corner
    assert segment.score == pytest.approx((16 * 16 - corner) / (16 * 16 + corner))


def test_deeplab_through_litert_with_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / deeplab.NET).write_bytes(b"no model")
    (tmp_path / deeplab.LABELS).write_text("background\ncat\n")
    with pytest.raises(
        AnnotateError, match=r"deeplabv3_mnv2_pascal_quant\.tflite cannot be read.*expected a TensorFlow Lite file"
    ):
        load_segmenter(f"deeplab:{tmp_path}", "cpu")


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        (lambda: load_detector("yolo:x", "cpu", {}), "detectors is 'yolo:x', expected nanodet:WHERE or owlv2:WHERE or"),
        (lambda: load_detector("owlv2", "cpu", {}), "detectors is 'owlv2', expected"),
        (lambda: load_detector("nanodet:/absent", "cpu", {}), r"weights /absent/nanodet_m\.param are missing.*ncnn-assets"),
        (lambda: load_segmenter("deeplab:/absent", "cpu"), r"weights /absent/deeplab.*are missing.*google-coral"),
        (lambda: load_segmenter("sam:/absent", "cpu"), r"weights /absent cannot be loaded: .*`hf download /absent`"),
        (lambda: load_captioner("gpt:/absent", "cpu"), "captioner is 'gpt:/absent', expected blip:WHERE"),
    ],
)
def test_missing_weights_and_other_kinds(loader: Callable[[], Any], message: str) -> None:
    with pytest.raises(AnnotateError, match=message) as caught:
        loader()
    assert "\n" not in str(caught.value)


def test_another_model_in_the_folder(folders: Callable[[str], Path]) -> None:
    with pytest.raises(AnnotateError, match=r"cannot be loaded: .*expected a transformers model"):
        load_segmenter(f"sam:{folders('blip')}", "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has one")
def test_a_gpu_that_is_not_there(folders: Callable[[str], Path]) -> None:
    with pytest.raises(AnnotateError, match="device is cuda, but this machine has no usable CUDA GPU"):
        load_captioner(f"blip:{folders('blip')}", "cuda")


def test_a_package_that_is_not_installed() -> None:
    code = (
        "import sys; sys.modules['ncnn'] = None\n"
        "from quantize.annotate.models.detector import load_detector\n"
        "load_detector('nanodet:x', 'cpu', {})"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert "detectors nanodet:x: the Python package ncnn is missing; install it (`pip install ncnn`)" in done.stderr
