"""What `python -m quantize.export` does: float ONNX of trained weights, int8, and comparisons that must hold."""

import json
import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from quantize.bundle.manifest import Detection, Manifest, Score
from quantize.bundle.write import sha256, spread, write_manifest, write_vocabulary
from quantize.data.shards import Sample
from quantize.data.words import imagenet_names
from quantize.export.graphs import VISION_OUTPUTS, PromptGraph, VisionGraph
from quantize.export.text import float_embedding, write_text
from quantize.export.vocabulary import write_tokenizer
from quantize.int8.bundles import float_folder
from quantize.int8.calibration import calibration_inputs, calibration_samples, picture_regions
from quantize.int8.graph import dequantise_input, fold, macs
from quantize.int8.ptq import static_int8
from quantize.model.edgeclip import EdgeClip
from quantize.model.nanodet import BINS
from quantize.model.pooling import REGION_POOLS
from quantize.model.registry import STRIDES
from quantize.model.text import MAX_TOKENS, TEMPLATES, MiniLM, minilm_folder
from quantize.model.trunk import Trunk, load_trunk
from quantize.progress import track
from quantize.settings.board import BoardRecipe

log = logging.getLogger(__name__)
NEGATIVES = 384
EVERYDAY_PICTURES = 15
EVERYDAY_NAMES = Path(__file__).with_name("everyday_names.txt")
"""Those of the default model's bank, which fill that of a smaller set."""
OPSET = 17
INPUT_SCALE = 1 / 127.5
MAX_MACS = 1_000_000_000
MAX_BYTES = {"vision.onnx": 8_000_000, "text.onnx": 25_000_000}
# least mean cosine between the float and the int8 output over calibration pictures
BOUNDS = {"image_embedding": 0.97, "dense": 0.97, "region": 0.97, "text": 0.995}
FLOAT_BOUND = 1e-3


@dataclass
class Trained:
    """Everything that export needs, in evaluation mode on the CPU."""

    trunk: Trunk
    model: EdgeClip
    classes: Tensor
    tower: MiniLM


def load_trained(recipe: BoardRecipe) -> Trained:
    path = Path(recipe.out) / "model.pt"
    if not path.exists():
        raise SystemExit(f"{path} is missing; run `python -m quantize.train` with this recipe first")
    trunk = load_trunk(recipe.model)
    model = EdgeClip(trunk, recipe.model.dim, recipe.model.hidden, recipe.model.drop)
    parts = nn.ModuleDict({"model": model} if recipe.model.frozen else {"model": model, "trunk": trunk})
    parts.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["weights"])
    tower = MiniLM.load()
    groups = imagenet_names(Path(recipe.model.teachers) / "imagenet_labels.txt")
    vectors = tower.encode_templated([s for g in groups for s in g])
    with torch.no_grad():
        each = model.projection(vectors)
    owner = torch.tensor([i for i, g in enumerate(groups) for _ in g])
    classes = F.normalize(torch.zeros(len(groups), recipe.model.dim).index_add(0, owner, each), dim=1)
    return Trained(trunk.eval(), model.eval(), classes, tower)


def calibration_regions(
    t: Trained, samples: list[Sample], inputs: list[NDArray[np.float32]], size: int
) -> list[NDArray[np.float32]]:
    """Region vectors of the calibration pictures."""
    with torch.no_grad():
        return [picture_regions(s, t.trunk(torch.from_numpy(x)), size) for s, x in zip(samples, inputs, strict=True)]


def run(path: Path, feed: dict[str, NDArray[np.generic]]) -> list[NDArray[np.float32]]:
    """ONNX Runtime without its rewrites, which are what the board computes."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [np.asarray(y) for y in session.run(None, feed)]


def cosine(a: NDArray[np.float32], b: NDArray[np.float32], axis: int) -> float:
    dot = (a * b).sum(axis) / np.maximum(np.linalg.norm(a, axis=axis) * np.linalg.norm(b, axis=axis), 1e-9)
    return float(dot.mean())


def export(recipe: BoardRecipe, bundle: Path) -> None:
    t = load_trained(recipe)
    bundle.mkdir(parents=True, exist_ok=True)
    samples = calibration_samples(recipe)
    inputs = calibration_inputs(samples, recipe.model.size)
    regions = calibration_regions(t, samples, inputs, recipe.model.size)
    reference = float_folder(recipe)
    reference.mkdir(parents=True, exist_ok=True)
    vision, prompt = reference / "vision.onnx", reference / "prompt.onnx"
    graph = VisionGraph(t.trunk, t.model, t.classes).eval()
    x = torch.from_numpy(inputs[0])
    torch.onnx.export(
        graph, (x,), vision, input_names=["image"], output_names=list(VISION_OUTPUTS), opset_version=OPSET, dynamo=False
    )
    fold(vision, vision)
    with torch.no_grad():
        expected = graph(x)
    worst = max(
        float(np.abs(y - e.numpy()).max() / e.abs().max())
        for y, e in zip(run(vision, {"image": inputs[0]}), expected, strict=True)
    )
    require("float ONNX against PyTorch, largest relative difference", worst, worst <= FLOAT_BOUND, f"at most {FLOAT_BOUND}")
    static_int8(vision, bundle / "vision.onnx", inputs, INPUT_SCALE)
    torch.onnx.export(
        PromptGraph(t.model, t.classes).eval(), (torch.from_numpy(regions[0]),), prompt, opset_version=OPSET, dynamo=False,
        input_names=["region"], output_names=["embedding"], dynamic_axes={"region": {0: "N"}, "embedding": {0: "N"}},
    )  # fmt: skip
    static_int8(prompt, bundle / "prompt.onnx", regions, None)
    found = compare(bundle, vision, prompt, inputs, regions)
    dequantise_input(vision, INPUT_SCALE)
    for folder in (bundle, reference):
        tokens = write_tokenizer(minilm_folder() / "tokenizer.json", folder / "tokenizer.json")
        write_text(folder / "text.onnx", t.tower, t.model.projection, tokens, int8=folder == bundle)
    found["text"] = compare_text(bundle, t)
    for name, bound in BOUNDS.items():
        require(f"int8 against float, mean cosine of {name}", found[name], found[name] >= bound, f"at least {bound}")
    count = macs(onnx.load(bundle / "vision.onnx"))
    require("vision MACs", count, count <= MAX_MACS, f"at most {MAX_MACS}")
    for name, most in MAX_BYTES.items():
        size = (bundle / name).stat().st_size
        require(f"bytes of {name}", size, size <= most, f"at most {most}")
    for folder in (bundle, reference):
        negatives(folder, t, recipe)
        write_manifest(folder, uncalibrated(t, recipe), {"int8_cosine": found})


def uncalibrated(t: Trained, recipe: BoardRecipe) -> Manifest:
    """The manifest before `quantize.calibrate` has fitted its scores."""
    scale = {k: float(t.model.scale(k).detach()) for k in ("region", "image")}
    return Manifest(
        name=recipe.name, size=recipe.model.size, embedding=recipe.model.dim, text_max_tokens=MAX_TOKENS, templates=TEMPLATES,
        detection=Detection(STRIDES, BINS, max_candidates=100, min_objectness=0.02, candidate_iou=0.65, label_iou=0.5),
        pools=REGION_POOLS, threshold=0.3, tag_threshold=0.3, max_similarity=0.6,
        region=Score(scale["region"], (0.0, 1.0, 1.0)), image=Score(scale["image"], (0.0, 1.0)),
    )  # fmt: skip


def compare(
    bundle: Path, vision: Path, prompt: Path, inputs: list[NDArray[np.float32]], regions: list[NDArray[np.float32]]
) -> dict[str, float]:
    """Mean cosine between float and int8 outputs."""
    image, dense, region = [], [], []
    for x, r in track(list(zip(inputs, regions, strict=True))[::4], "compare"):
        a = dict(zip(VISION_OUTPUTS, run(vision, {"image": x}), strict=True))
        b = dict(zip(VISION_OUTPUTS, run(bundle / "vision.onnx", {"image": np.rint(x * 127.5).astype(np.int8)}), strict=True))
        image.append(cosine(a["image_embedding"], b["image_embedding"], 1))
        dense.append(cosine(a["dense"], b["dense"], 1))
        region.append(cosine(run(prompt, {"region": r})[0], run(bundle / "prompt.onnx", {"region": r})[0], 1))
    return {"image_embedding": float(np.mean(image)), "dense": float(np.mean(dense)), "region": float(np.mean(region))}


def compare_text(bundle: Path, t: Trained) -> float:
    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    tokenizer.no_padding()
    texts = ["person", "a red bus", "two dogs play with a ball in the snow", "milk carton", "open gate"]
    expected = float_embedding(t.tower, t.model.projection, texts).numpy()
    rows = []
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        rows.append(run(bundle / "text.onnx", {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0])
    return cosine(np.concatenate(rows), expected, 1)


def negatives(bundle: Path, t: Trained, recipe: BoardRecipe) -> None:
    """A bank of everyday names that covers the joint space: what else a region may be.

    Rare names are left out: they are mostly kinds of something that a user would ask for ("espresso" in a "cup").
    """
    samples = json.loads((Path(recipe.data.cache) / "samples.json").read_text())
    counts = Counter(name for s in samples for name in {*s["labels"], *s["tags"], *(b[4] for b in s["boxes"])})
    names = [name for name, n in counts.most_common() if n >= EVERYDAY_PICTURES]
    if len(names) < NEGATIVES:
        names = list(dict.fromkeys([*names, *EVERYDAY_NAMES.read_text().split("\n")[:-1]]))[:NEGATIVES]
    with torch.no_grad():
        vectors = t.model.projection(t.tower.encode_templated(names))
    chosen = spread(vectors, NEGATIVES)
    write_vocabulary(
        bundle / "negatives.vocab.safetensors",
        [names[i] for i in chosen],
        vectors[chosen],
        torch.zeros(0, recipe.model.dim),
        sha256(bundle / "text.onnx"),
    )


def require(what: str, found: float, good: bool, expected: str) -> None:
    """Logs a check; a failed one ends the export with exit code 1."""
    log.info("%s: %s", what, f"{found:.5g}" if isinstance(found, float) else found)
    if not good:
        raise SystemExit(f"{what}: found {found:.5g}, expected {expected}")
