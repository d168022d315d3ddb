"""Export end to end on the tiny model: what is in the bundle, and that a bad one is refused."""

import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, numpy_helper
from quantize.arithmetic.preprocess import letterbox
from quantize.bundle.manifest import read_manifest
from quantize.bundle.write import HASHED, spread, write_vocabulary
from quantize.data import canvas as cv
from quantize.evaluate.onnx import OnnxPredictor
from quantize.export import steps as exporter
from quantize.export.graphs import VISION_OUTPUTS
from quantize.export.text import float_embedding
from quantize.int8.ptq import static_int8
from quantize.model.pooling import REGION_POOLS, region_vectors
from quantize.model.registry import STRIDES
from quantize.model.text import TEMPLATES
from quantize.settings.board import BoardRecipe
from quantize.tests.conftest import LOOSE_BOUNDS
from quantize.tests.synthetic import changed, shape_picture
from safetensors import safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer

PICTURE, BOX, _ = shape_picture(np.random.default_rng(99), "blue", "ball", 48)


def test_the_manifest_says_what_is_there(bundle: Path, trained: BoardRecipe) -> None:
    manifest = read_manifest(bundle)
    assert (manifest.name, manifest.size, manifest.embedding) == ("tiny", trained.model.size, trained.model.dim)
    assert manifest.templates == TEMPLATES
    assert manifest.pools == REGION_POOLS
    assert manifest.detection.strides == STRIDES
    hashes = tomllib.loads((bundle / "model.toml").read_text())["files"]
    assert set(hashes) == set(HASHED)
    for name, found in hashes.items():
        assert found == hashlib.sha256((bundle / name).read_bytes()).hexdigest(), name


@pytest.mark.parametrize("name", ["vision", "prompt"])
def test_networks_are_int8_qdq(name: str, bundle: Path) -> None:
    model = onnx.load(bundle / f"{name}.onnx")
    onnx.checker.check_model(model, full_check=True)
    by_output = {n.output[0]: n for n in model.graph.node}
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    heavy = [n for n in model.graph.node if n.op_type in ("Conv", "Gemm", "MatMul")]
    assert len(heavy) > 6
    for node in heavy:
        weight = by_output[node.input[1]]
        assert weight.op_type == "DequantizeLinear", node.name
        assert constants[weight.input[0]].dtype == np.int8, node.name
        assert (constants[weight.input[2]] == 0).all(), node.name
        before = by_output[node.input[0]].op_type if node.input[0] in by_output else ""
        if node.op_type != "MatMul" and before != "Softmax":  # probabilities stay float
            assert before == "DequantizeLinear", node.name
            assert constants[by_output[node.input[2]].input[0]].dtype == np.int32, node.name
    kinds = {n.op_type for n in model.graph.node}
    assert "Pad" not in kinds
    assert not any(i.dtype == np.float32 and i.size > 2000 for i in constants.values())


def test_the_vision_network_takes_int8_pixels_and_pads_as_tensorflow(bundle: Path) -> None:
    graph = onnx.load(bundle / "vision.onnx").graph
    assert graph.input[0].type.tensor_type.elem_type == TensorProto.INT8
    assert [o.name for o in graph.output] == list(VISION_OUTPUTS)
    first = [n for n in graph.node if graph.input[0].name in n.input]
    assert {n.op_type for n in first} == {"DequantizeLinear"}
    scale = {i.name: numpy_helper.to_array(i) for i in graph.initializer}[first[0].input[1]]
    assert scale == pytest.approx(1 / 127.5)
    pads = [list(a.ints) for n in graph.node if n.op_type == "Conv" for a in n.attribute if a.name == "pads"]
    assert pads.count([0, 0, 1, 1]) == 5  # MobileNetV2's five halvings


def test_int8_follows_pytorch_on_a_new_picture(bundle: Path, trained: BoardRecipe, loaded: exporter.Trained) -> None:
    t = loaded
    values, placed = letterbox(PICTURE, trained.model.size)
    x = torch.from_numpy(values.astype(np.float32) / 127.5)[None]
    box = torch.tensor([cv.plain(PICTURE, trained.model.size).box((BOX[0], BOX[1], BOX[2], BOX[3]))])
    with torch.no_grad():
        maps = t.trunk(x)
        image = t.model.image(maps.semantic.mean((2, 3)), t.classes)
        content = torch.tensor([placed.content])
        region = t.model.region(region_vectors(maps, torch.tensor([0]), box, content, trained.model.size), t.classes)
    predictor = OnnxPredictor(bundle)
    outputs, placed = predictor.run_vision(PICTURE)
    assert exporter.cosine(outputs["image_embedding"][None], image.numpy(), 1) > LOOSE_BOUNDS["image_embedding"]
    assert exporter.cosine(predictor.embed_boxes(outputs, placed, box.numpy()), region.numpy(), 1) > LOOSE_BOUNDS["region"]


def test_the_text_network_is_minilm_and_projection(bundle: Path, loaded: exporter.Trained) -> None:
    t = loaded
    texts = ["cat", "a red bus in the rain", "two dogs play with a ball in the snow, one of them is black"]
    expected = float_embedding(t.tower, t.model.projection, texts).numpy()
    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    tokenizer.no_padding()
    tokens = [tokenizer.encode(text).ids for text in texts]
    length = max(map(len, tokens))
    ids = np.array([[*row, *[0] * (length - len(row))] for row in tokens], np.int64)
    mask = np.array([[1] * len(row) + [0] * (length - len(row)) for row in tokens], np.int64)
    found = exporter.run(bundle / "text.onnx", {"input_ids": ids, "attention_mask": mask})[0]
    for row, e in zip(found, expected, strict=True):
        assert exporter.cosine(row[None], e[None], 1) > 0.99
    assert (bundle / "text.onnx").stat().st_size < exporter.MAX_BYTES["text.onnx"]


def test_the_bank_of_negatives(bundle: Path, trained: BoardRecipe) -> None:
    path = bundle / "negatives.vocab.safetensors"
    tensors = load_file(path)
    with safe_open(path, "np") as file:
        metadata = file.metadata()
    assert metadata["format"] == "edgeclip-vocab-1"
    assert metadata["text_sha256"] == hashlib.sha256((bundle / "text.onnx").read_bytes()).hexdigest()
    names = json.loads(metadata["names"])
    # the shapes, the colours that captions mention, and labels of three or more pictures; no class of the classifier
    assert {"box", "ball", "cross", "red", "yellow"} <= set(names)
    everyday = set(exporter.EVERYDAY_NAMES.read_text().splitlines())
    assert len(names) == len(set(names)) == exporter.NEGATIVES
    assert len(set(names) - everyday) < 25
    assert tensors["embeddings"].shape == (len(names), trained.model.dim)
    assert np.linalg.norm(tensors["embeddings"], axis=1) == pytest.approx(1, abs=1e-5)
    assert np.isnan(tensors["thresholds"]).all()


def test_spread_takes_the_farthest_next() -> None:
    angles = torch.tensor([0.0, 0.1, 3.0, 1.5, 1.6])
    vectors = torch.stack([angles.cos(), angles.sin()], 1)
    assert spread(vectors, 3) == [0, 2, 3]
    assert sorted(spread(vectors, 99)) == [0, 1, 2, 3, 4]
    assert spread(vectors[:0], 3) == []


def test_a_vocabulary_comes_back(tmp_path: Path) -> None:
    write_vocabulary(tmp_path / "v.safetensors", ["a", "b"], torch.eye(2, 4), torch.zeros(0, 4), "abc")
    tensors = load_file(tmp_path / "v.safetensors")
    assert {k: v.shape for k, v in tensors.items()} == {"embeddings": (2, 4), "negatives": (0, 4), "thresholds": (2,)}


def test_a_broken_network_ends_the_export(
    trained: BoardRecipe, loaded: exporter.Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(source: Path, target: Path, *rest: object) -> None:
        static_int8(source, target, *rest)  # type: ignore[arg-type]
        model = onnx.load(target)
        for i in model.graph.initializer:
            if i.data_type == TensorProto.INT8 and len(i.dims) == 2:
                i.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(i)[::-1].copy(), i.name))
        onnx.save(model, target)

    monkeypatch.setattr(exporter, "load_trained", lambda _: loaded)
    monkeypatch.setattr(exporter, "BOUNDS", LOOSE_BOUNDS)
    monkeypatch.setattr(exporter, "static_int8", broken)
    monkeypatch.setattr(exporter, "compare_text", lambda *_: 1.0)
    with pytest.raises(
        SystemExit, match=r"int8 against float, mean cosine of \w+: found .*, expected at least 0\.\d+"
    ) as stopped:
        exporter.export(changed(trained), tmp_path)
    assert isinstance(stopped.value.code, str)  # Python exits with 1 and prints it
    assert not (tmp_path / "model.toml").exists()


def test_export_needs_trained_weights(recipe: BoardRecipe, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"model\.pt is missing; run `python -m quantize\.train` with this recipe first"):
        exporter.load_trained(changed(recipe, out=str(tmp_path)))
