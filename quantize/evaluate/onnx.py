"""A bundle's ONNX files run by ONNX Runtime, with the numpy specification around them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from quantize.arithmetic import reference
from quantize.arithmetic.classes import Called, load_classes
from quantize.arithmetic.geometry import Floats, Integers
from quantize.arithmetic.preprocess import Letterbox, letterbox
from quantize.bundle.manifest import BundleError, read_manifest
from quantize.bundle.write import CLASSES
from quantize.evaluate.predictor import DenseEmbeddings, Detections, Picture, Thresholds
from quantize.evaluate.texts import TextCutter

TEXT_BATCH = 64


def _session(path: Path, rewrites: bool) -> ort.InferenceSession:
    if not path.is_file():
        raise BundleError(f"{path}: no such file, expected a model bundle (--model)")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if not rewrites:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class OnnxPredictor:
    """Computes what the binary computes, from the same files."""

    def __init__(self, model: Path, rewrites: bool = True) -> None:
        """Loads the bundle in the folder `model`.

        With ONNX Runtime's `rewrites`, convolutions between quantised tensors run in int8, which is fast; without them in
        float, as the file is written.
        """
        self.manifest = read_manifest(model)
        self.thresholds = Thresholds(self.manifest.threshold, self.manifest.tag_threshold)
        self.vision = _session(model / "vision.onnx", rewrites)
        self.prompter = _session(model / "prompt.onnx", rewrites)
        self.text = _session(model / "text.onnx", rewrites)
        self.bank: Floats = load_file(model / "negatives.vocab.safetensors")["embeddings"]
        classes = self.manifest.classes
        self.classes = load_classes(model / CLASSES, classes) if classes else None
        self.cut = TextCutter(model, self.manifest)
        self.tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self.tokenizer.enable_truncation(self.manifest.text_max_tokens)
        self.tokenizer.enable_padding()

    def run_vision(self, picture: Picture) -> tuple[dict[str, Floats], Letterbox]:
        """The vision network's outputs without the batch axis, and how the picture lies in its input."""
        pixels, placed = letterbox(picture, self.manifest.size)
        names = [output.name for output in self.vision.get_outputs()]
        values = self.vision.run(names, {"image": pixels[None]})
        return {name: value[0] for name, value in zip(names, values, strict=True)}, placed

    def embed_boxes(self, outputs: Mapping[str, Floats], placed: Letterbox, boxes: Floats) -> Floats:
        """Unit-norm embeddings `[N, D]` of boxes in input pixels."""
        if len(boxes) == 0:
            return np.zeros((0, self.manifest.embedding), np.float32)
        content = np.array(placed.content, np.float32)
        pools, size = self.manifest.pools, self.manifest.size
        regions = np.stack([reference.region_vector(outputs, pools, size, content, box) for box in boxes])
        return reference.unit(self.prompter.run(["embedding"], {"region": regions})[0])

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """See `Predictor`."""
        texts = [self.cut(text) for text in texts]
        total = np.zeros((len(texts), self.manifest.embedding), np.float32)
        for template in self.manifest.templates:
            total += self._embed_plain([template.replace("{}", text) for text in texts])
        return reference.unit(total)

    def _embed_plain(self, texts: Sequence[str]) -> Floats:
        encoded = self.tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda i: sum(encoded[i].attention_mask))
        out = np.zeros((len(texts), self.manifest.embedding), np.float32)
        for start in range(0, len(order), TEXT_BATCH):
            rows = order[start : start + TEXT_BATCH]
            length = max(sum(encoded[i].attention_mask) for i in rows)
            ids = np.array([encoded[i].ids[:length] for i in rows], np.int64)
            mask = np.array([encoded[i].attention_mask[:length] for i in rows], np.int64)
            out[rows] = self.text.run(["embedding"], {"input_ids": ids, "attention_mask": mask})[0]
        return reference.unit(out)

    def embed_images(self, pictures: Iterable[Picture]) -> Floats:
        """See `Predictor`."""
        return reference.unit(np.stack([self.run_vision(picture)[0]["image_embedding"] for picture in pictures]))

    def embed_regions(self, pictures: Iterable[tuple[Picture, Floats]]) -> Iterator[Floats]:
        """See `Predictor`."""
        for picture, boxes in pictures:
            outputs, placed = self.run_vision(picture)
            inside = [placed.to_input(tuple(box)) for box in boxes.tolist()]
            yield self.embed_boxes(outputs, placed, np.array(inside, np.float32).reshape(-1, 4))

    def dense(self, pictures: Iterable[Picture]) -> Iterator[DenseEmbeddings]:
        """See `Predictor`."""
        for picture in pictures:
            outputs, placed = self.run_vision(picture)
            content = np.array([edge / self.manifest.size for edge in placed.content], np.float32)
            yield DenseEmbeddings(reference.unit(outputs["dense"], axis=0), content)

    def vocabulary(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Embeddings of the prompts, and of the bank's names that are not too close to any of them."""
        prompts = self.embed_texts(names)
        return prompts, reference.negatives_for(prompts, self.bank, self.manifest.max_similarity)

    def called(self, outputs: Mapping[str, Floats], cells: Integers, prompts: Floats) -> Called | None:
        """What the detector calls the boxes of these cells; None if the bundle has no class head."""
        settings = self.manifest.classes
        if settings is None or self.classes is None:
            return None
        return Called.of(self.classes.logits(outputs, settings.maps, cells), prompts, self.classes, settings)

    def detect(
        self, pictures: Iterable[Picture], names: Sequence[str], threshold: float, top: int | None
    ) -> Iterator[Detections]:
        """See `Detector`."""
        prompts, negatives = self.vocabulary(names)
        alike = reference.likeness(prompts)
        settings = self.manifest.detection
        for picture in pictures:
            outputs, placed = self.run_vision(picture)
            boxes, objectness, cells = reference.proposals(outputs, settings, np.array(placed.content, np.float32))
            regions = self.embed_boxes(outputs, placed, boxes)
            called = self.called(outputs, cells, prompts)
            scores = reference.region_scores(regions, objectness, prompts, negatives, self.manifest.region, called)
            scores = reference.discount_parts(boxes, scores, alike)
            rows, labels = reference.name_boxes(boxes, scores, threshold, settings.label_iou, alike)
            rows, labels = rows[:top], labels[:top]
            source = [placed.to_source(tuple(box)) for box in boxes[rows].tolist()]
            yield Detections(np.array(source, np.float32).reshape(-1, 4), labels, scores[rows, labels])

    def tag_scores(self, pictures: Iterable[Picture], names: Sequence[str]) -> Floats:
        """See `Predictor`."""
        prompts, negatives = self.vocabulary(names)
        return reference.tag_scores(self.embed_images(pictures), prompts, negatives, self.manifest.image)
