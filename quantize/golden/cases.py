"""The golden cases, one function for each kind; `python -m quantize.golden` writes them all."""

import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from quantize.arithmetic import examples, reference, text, vision
from quantize.arithmetic.geometry import Floats
from quantize.arithmetic.preprocess import Letterbox, letterbox
from quantize.evaluate.onnx import OnnxPredictor
from quantize.evaluate.predictor import Picture
from quantize.golden import networks

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests/golden"
BUNDLE = ROOT / "models/default"
NETWORKS = ROOT / "crates/engine/tests/networks"
PREPROCESS_SIZE = 48

# name: width, height. Shrinking and enlarging, each axis alone, no resize at all, one pixel, and a sliver whose short side
# would round to zero. Tall ones tell the order of the passes.
PREPROCESS_CASES = {
    "shrunk_wide": (131, 57),
    "shrunk_tall": (23, 150),
    "shrunk_square": (97, 97),
    "enlarged": (20, 13),
    "untouched": (48, 31),
    "dot": (1, 1),
    "sliver": (193, 1),
}

MODEL_CASES = {"astronaut": ("person", "face", "rocket", "red bus"), "coffee": ("cup", "spoon", "wooden table", "dog")}
MODEL_LONG_SIDE = 240
DENSE_STEP = 5
EXAMPLE_REGIONS = 4

TEXT_PROMPTS = (
    "cat", "dog", "person", "red bus", "traffic light", "wooden table", "cup of coffee", "a person at the door", "fire truck",
    "two dogs play with a ball in the snow", "A woman in a blue dress walks her bicycle across a busy street .", "hot dog",
    "tennis racket", "remote", "empty parking lot at night", "orange", "man with an orange jacket", "wine glass", "X-ray",
    "the letter Q", "football", "an old photograph of a family standing in front of their house", "surfboard", "keyboard",
)  # fmt: skip


def picture(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Gradients, noise and hard edges `[h, w, 3]`."""
    y, x = np.mgrid[:height, :width]
    ramps = np.stack([x * 255 // width, y * 255 // height, (x + y) * 7], axis=2)
    noise = rng.integers(0, 256, (height, width, 3))
    edges = ((x // 5 + y // 3) % 2 * 255)[..., None]
    return np.where((x * 3 // width == 0)[..., None], ramps, np.where((x * 3 // width == 1)[..., None], noise, edges)).astype(
        np.uint8
    )


def preprocess_cases(folder: Path) -> None:
    """Writes `<name>.png` and `<name>.safetensors`, the latter with `input` int8 `[3, S, S]` and `content` f32 `[4]`."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name, (width, height) in PREPROCESS_CASES.items():
        rgb = picture(width, height, rng)
        values, box = letterbox(rgb, PREPROCESS_SIZE)
        Image.fromarray(rgb).save(folder / f"{name}.png", optimize=True)
        save_file({"input": values, "content": np.array(box.content, np.float32)}, folder / f"{name}.safetensors")


class IntegerPredictor(OnnxPredictor):
    """The vision network by the integer reference, the others as the files are written in ONNX Runtime."""

    def __init__(self, model: Path) -> None:
        """Loads the bundle in the folder `model`."""
        super().__init__(model, rewrites=False)
        self.network = onnx.load(model / "vision.onnx")

    def run_vision(self, picture: Picture) -> tuple[dict[str, Floats], Letterbox]:
        """Same as in the base class."""
        pixels, placed = letterbox(picture, self.manifest.size)
        outputs = vision.run(self.network, pixels[None])
        return {name: value[0] for name, value in outputs.items()}, placed


def model_cases(folder: Path) -> None:
    """Writes `<photo>.png`, and in `<photo>.safetensors` what the committed bundle makes of it: see `IntegerPredictor`.

    Tensors: `image` `[D]`; `dense` `[D, rows, columns]`, every DENSE_STEP-th cell; candidates as `boxes` `[N, 4]` in input
    pixels, `objectness` `[N]` (logits), `cells` `[N, 2]` and `regions` `[N, D]`; `class_logits` `[N, C]`; `texts` `[K, D]`;
    `region_scores` `[N, K]`; `tag_scores` `[K]`.
    Embeddings have unit norm. Metadata: `prompts`, `input_sha256` of the int8 input, `files` (the manifest's hashes).
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = IntegerPredictor(BUNDLE)
    manifest = model.manifest
    for name, names in MODEL_CASES.items():
        photo = Image.open(ROOT / "tests/data" / f"{name}.jpg")
        photo.thumbnail((MODEL_LONG_SIDE, MODEL_LONG_SIDE))
        photo.save(folder / f"{name}.png", optimize=True)
        rgb = np.asarray(photo)
        outputs, placed = model.run_vision(rgb)
        boxes, objectness, cells = reference.proposals(outputs, manifest.detection, np.array(placed.content, np.float32))
        regions = model.embed_boxes(outputs, placed, boxes)
        image = reference.unit(outputs["image_embedding"])
        texts, negatives = model.vocabulary(names)
        called = model.called(outputs, cells, texts)
        assert model.classes is not None
        assert manifest.classes is not None
        tensors = {
            "image": image,
            "dense": reference.unit(outputs["dense"], axis=0)[:, ::DENSE_STEP, ::DENSE_STEP],
            "boxes": boxes,
            "objectness": objectness,
            "cells": cells.astype(np.float32),
            "class_logits": model.classes.logits(outputs, manifest.classes.maps, cells),
            "regions": regions,
            "texts": texts,
            "region_scores": reference.region_scores(regions, objectness, texts, negatives, manifest.region, called),
            "tag_scores": reference.tag_scores(image[None], texts, negatives, manifest.image)[0],
        }
        metadata = {
            "prompts": json.dumps(names),
            "input_sha256": hashlib.sha256(letterbox(rgb, manifest.size)[0].tobytes()).hexdigest(),
            "files": json.dumps(tomllib.loads((BUNDLE / "model.toml").read_text())["files"]),
        }
        contiguous = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
        save_file(contiguous, folder / f"{name}.safetensors", metadata)


def int8_cases(folder: Path) -> None:
    """Writes `<photo>.json`: sha256 of each vision output (f32) by the integer arithmetic, and of the network's file."""
    folder.mkdir(parents=True, exist_ok=True)
    network = (BUNDLE / "vision.onnx").read_bytes()
    model = onnx.load_from_string(network)
    size = model.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    for name in MODEL_CASES:
        values, _ = letterbox(np.asarray(Image.open(FOLDER / "model" / f"{name}.png")), size)
        outputs = vision.run(model, values[None])
        hashes = {key: hashlib.sha256(np.ascontiguousarray(value, "<f4").tobytes()).hexdigest() for key, value in outputs.items()}
        case = {"network": hashlib.sha256(network).hexdigest(), "outputs": hashes}
        (folder / f"{name}.json").write_text(json.dumps(case, indent=1) + "\n")


def small_cases(folder: Path) -> None:
    """Writes `<name>.onnx`, and in `<name>.safetensors` an `image` and the outputs by the integer arithmetic."""
    folder.mkdir(parents=True, exist_ok=True)
    for fixture in networks.networks():
        model = fixture.model()
        onnx.save(model, folder / f"{fixture.name}.onnx")
        outputs = {name: np.ascontiguousarray(value, "<f4") for name, value in vision.run(model, fixture.image).items()}
        save_file({"image": fixture.image} | outputs, folder / f"{fixture.name}.safetensors")


def kernel_cases(path: Path) -> None:
    """Writes inputs and results of the text tower's kernels: `product`, `gelu`, `layer_norm` and `attention`, see the names."""
    rng = np.random.default_rng(1)

    def normal(*shape: int) -> Floats:
        return rng.standard_normal(shape).astype(np.float32)

    x = normal(7, 194)
    x[1] = 0
    x[2, :64] *= 1e-32
    x[3, 70] = 500
    x[4, 3:9] = [0.5, 1.5, 2.5, -2.5, 127, -126.5]
    weights = rng.integers(-128, 128, (194, 37), dtype=np.int8)
    scale, bias = np.abs(normal(37)) / 50, normal(37)
    rows, factors, shifts = normal(5, 100) * 3, normal(100), normal(100)
    q, k, v = normal(3, 9, 2, 20) * 2
    mask = np.where(np.arange(9) < 8, 0, -1e4).astype(np.float32)
    logits = text.matmul(q.transpose(1, 0, 2), k.transpose(1, 2, 0)) * np.float32(0.3) + mask
    mixed = text.matmul(text.softmax(logits), v.transpose(1, 0, 2)).transpose(1, 0, 2)
    ramp = np.linspace(-9, 9, 2001, dtype=np.float32)
    half, root = np.float32(0.5), np.float32(0.5**0.5)
    tensors = {
        "product.x": x, "product.weights": weights, "product.scale": scale, "product.bias": bias,
        "product.y": text.product(x, weights, scale, bias),
        "gelu.x": ramp, "gelu.y": ramp * half * (np.float32(1) + text.erf(ramp * root)),
        "layer_norm.x": rows, "layer_norm.scale": factors, "layer_norm.bias": shifts,
        "layer_norm.y": text.layer_norm(rows, factors, shifts, 1e-12),
        "attention.q": q, "attention.k": k, "attention.v": v, "attention.mask": mask, "attention.y": mixed,
    }  # fmt: skip
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)


def example_cases(path: Path) -> None:
    """Writes vectors of the photos and their best candidates, and what they are worth as examples, see the names.

    Of every row: `pooled`, `embedding`, and the vector `q`, `scale`. Row 0 of each photo is the whole picture. The first entry is
    taught by the first photo's rows 1 and 2, and its last row is a counter-example; the second by the second photo's row 0.
    """
    model, space = OnnxPredictor(BUNDLE), examples.load_space(BUNDLE / "features.safetensors")
    settings, network = model.manifest.examples, onnx.load(BUNDLE / "vision.onnx")
    assert settings is not None
    pooled: list[Floats] = []
    embeddings: list[Floats] = []
    boxes: list[Floats] = []
    rows: list[examples.Rows] = []
    for name in MODEL_CASES:
        values, placed = letterbox(np.asarray(Image.open(FOLDER / "model" / f"{name}.png")), model.manifest.size)
        outputs = {key: value[0] for key, value in vision.run(network, values[None]).items()}
        content = np.array(placed.content, np.float32)
        found = reference.candidates(outputs, model.manifest.detection, content)[0][:EXAMPLE_REGIONS]
        regions = model.embed_boxes(outputs, placed, found)
        for i, box in enumerate([content, *found]):
            pool, centre = (settings.region, space.region_centre) if i else (settings.picture, space.picture_centre)
            seen = reference.pooled(outputs, pool.pool, model.manifest.size, content, box)
            embedding = regions[i - 1] if i else reference.unit(outputs["image_embedding"])
            pooled, embeddings, boxes = [*pooled, seen], [*embeddings, embedding], [*boxes, box]
            rows.append(examples.vector(space, seen, embedding, centre, pool.embedding))
    each = EXAMPLE_REGIONS + 1
    all_rows, nothing = examples.joined(rows), rows[0].take([])
    names = [MODEL_CASES[name][0] for name in MODEL_CASES]
    texts, negatives = model.vocabulary(names)
    taught = [
        examples.Taught(all_rows.take([1, 2]), all_rows.take([each - 1]), texts[0]),
        examples.Taught(all_rows.take([each]), nothing, texts[1]),
        examples.Taught(all_rows.take([each + 1]), nothing, None),
    ]
    means = examples.joined([examples.mean(entry.examples) for entry in taught])
    compared = examples.joined([examples.prototype(space, settings.ridge, entry.examples) for entry in taught])
    above = []
    for i, (row, embedding) in enumerate(zip(rows, embeddings, strict=True)):
        whole = i % each == 0
        score, pool = (model.manifest.image, settings.picture) if whole else (model.manifest.region, settings.region)
        logits = score.scale * (embedding @ np.concatenate([texts, negatives]).T)
        words = np.append(logits[: len(texts)] - reference.log_sum_exp(logits[len(texts) :]), 0)
        above.append(examples.above_negatives(space, settings, pool, row, taught, words))
    tensors = {
        "pooled": np.stack(pooled), "embedding": np.stack(embeddings), "boxes": np.stack(boxes), "q": all_rows.q,
        "scale": all_rows.scale, "mean.q": means.q, "mean.scale": means.scale, "texts": texts,
        "prototype.q": compared.q, "prototype.scale": compared.scale,
        "cosines": np.stack([examples.cosines(compared, row) for row in rows]),
        "bank": np.stack([examples.cosines(space.bank, row) for row in rows]),
        "everyday": np.array([examples.everyday(space, row, settings.scale) for row in rows]), "above": np.stack(above),
        "agreement": np.array([examples.agreement(means.take([i]), texts[i]) for i in range(len(texts))]),
        "countered": np.array([examples.countered(settings, row, taught[0]) for row in rows]),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    files = json.dumps(tomllib.loads((BUNDLE / "model.toml").read_text())["files"])
    save_file(
        {key: np.ascontiguousarray(value) for key, value in tensors.items()}, path, {"prompts": json.dumps(names), "files": files}
    )


def text_cases(path: Path) -> None:
    """Writes `embeddings` `[N, D]` of TEXT_PROMPTS by `arithmetic.text`, unit norm; metadata `prompts` and `text_sha256`."""
    data = (BUNDLE / "text.onnx").read_bytes()
    network = onnx.load_from_string(data)
    manifest = tomllib.loads((BUNDLE / "model.toml").read_text())
    tokenizer = Tokenizer.from_file(str(BUNDLE / "tokenizer.json"))
    tokenizer.no_padding()
    total = np.zeros((len(TEXT_PROMPTS), manifest["embedding"]), np.float32)
    for template in manifest["templates"]:
        for row, prompt in zip(total, TEXT_PROMPTS, strict=True):
            ids = np.array([tokenizer.encode(template.replace("{}", prompt)).ids], np.int64)
            row += reference.unit(text.run(network, ids)[0])
    metadata = {"prompts": json.dumps(TEXT_PROMPTS), "text_sha256": hashlib.sha256(data).hexdigest()}
    save_file({"embeddings": reference.unit(total)}, path, metadata)
