"""The picture's head of a bundle: read as floats, trained, written back in int8; what it is told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from quantize.arithmetic import reference
from quantize.bundle.manifest import read_manifest
from quantize.bundle.write import sha256
from quantize.data.shards import Shards
from quantize.data.soft_labels import Answers, Chunk
from quantize.evaluate.onnx import OnnxPredictor
from quantize.renew.head import Graph, Head, HeadError
from quantize.renew.learn import WEIGHTS, Plan
from quantize.renew.pictures import WINDOWS, records, shard, views
from quantize.renew.renewal import renew
from quantize.renew.supervision import label_of
from quantize.settings.board import BoardRecipe
from quantize.tests.synthetic import changed


def test_views_are_means_of_the_canvas_and_of_parts_of_the_picture() -> None:
    semantic = np.zeros((2, 4, 4), np.float32)
    semantic[0, 1:3] = 8.0  # the picture, in the middle rows
    semantic[1, 0] = 4.0  # padding above it
    found = views(semantic, np.array([0, 32, 128, 96], np.float32), 128, np.random.default_rng(0))
    assert found.shape == (1 + WINDOWS, 2)
    assert found[:, 0].tolist() == [4.0] * 4  # half of the canvas, wherever the part lies
    assert found[:, 1].tolist() == [1.0] * 4


@pytest.fixture
def graph(bundle: Path) -> Graph:
    return Graph(onnx.load(bundle / "vision.onnx"))


def test_the_head_says_what_the_network_says(graph: Graph, bundle: Path, recipe: BoardRecipe, tmp_path: Path) -> None:
    predictor = OnnxPredictor(bundle)
    seen = shard(predictor, Path(recipe.data.shards[0]), sha256(bundle / "vision.onnx"), tmp_path)
    assert seen.keys.tolist() == [s.key for s in Shards([Path(recipe.data.shards[0])])]
    head = Head(graph).eval()
    x = torch.from_numpy(seen.views[:, 0]).float()
    with torch.no_grad():
        agreed = (head(x, head.concepts(x)) * torch.from_numpy(seen.image)).sum(1)
    assert agreed.mean() > 0.97


def test_written_layers_are_read_again(graph: Graph, bundle: Path, tmp_path: Path) -> None:
    head = Head(graph)
    x = torch.rand(64, head.classifier.shape[1], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for p in head.parameters():
            p.mul_(1.5)
    expected = head.eval()(x, head.concepts(x))
    head.write(graph, x)
    onnx.save(graph.model, tmp_path / "vision.onnx")
    again = Head(Graph(onnx.load(tmp_path / "vision.onnx"))).eval()
    assert (again(x, again.concepts(x)) * expected).sum(1).min() > 0.999
    assert Graph(onnx.load(tmp_path / "vision.onnx")).value(graph.range_of(head.nodes[0].output[0])[1]) == -128


def test_another_network_is_refused(bundle: Path) -> None:
    with pytest.raises(HeadError, match=r"image_embedding: found nothing above it, expected Add"):
        Head(Graph(onnx.load(bundle / "text.onnx")))


def test_labels_are_words_as_users_type_them() -> None:
    assert [label_of(text) for text in ("Great_White shark, man-eater", "T-shirt", "")] == ["great white shark", "t shirt", ""]


def test_records_are_read_without_pictures(recipe: BoardRecipe) -> None:
    found = dict(records(Path(recipe.data.shards[0])))
    assert list(found)[:2] == ["shape000", "shape001"]
    assert found["shape001"]["label"] == "green box"


def test_a_renewed_bundle_knows_the_labels_better(bundle: Path, recipe: BoardRecipe, workplace: Path, tmp_path: Path) -> None:
    (workplace / "teachers/object_labeler_names.txt").write_text("ball\nCross\n")
    keys = [s.key for s in Shards([workplace / "shapes.tar"])]
    labeler = Answers(tmp_path / "soft", "labeler")
    labeler.begin({"names": ["ball", "Cross"]})
    said = {"names": np.array([[1, 0]], np.uint16), "values": np.array([[0.9, 0.1]], np.float16)}
    labeler.keep("shapes", 0, Chunk.of(keys, [said] * len(keys)))
    told = changed(recipe, cache=str(tmp_path / "cache"))
    told.soft = replace(told.soft, folder=str(tmp_path / "soft"))  # other tests share the recipe's
    out = tmp_path / "renewed"
    renew(told, bundle, out, [Plan(150, 16, 3e-3, WEIGHTS, things=True, drop=0.0)] * 2)
    manifest = read_manifest(out)
    assert manifest.region == read_manifest(bundle).region
    assert sha256(out / "prompt.onnx") == sha256(bundle / "prompt.onnx")
    metadata = dict(records(workplace / "shapes.tar"))
    labels = sorted({record["label"] for record in metadata.values() if "label" in record})

    def right(folder: Path) -> float:
        predictor = OnnxPredictor(folder)
        names = predictor.embed_texts(labels)
        found = []
        for s in Shards([workplace / "shapes.tar"]):
            if s.labels:
                image = reference.unit(predictor.run_vision(s.picture)[0]["image_embedding"])
                found.append(labels[int((names @ image).argmax())] == s.labels[0])
        return float(np.mean(found))

    assert right(out) > right(bundle) + 0.1
    assert json.loads(json.dumps(manifest.image.weights)) == list(read_manifest(bundle).image.weights)
