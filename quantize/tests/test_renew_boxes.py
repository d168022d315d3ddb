"""The regions' head of a bundle: its boxes and what is known of them, its layers in int8, and what training makes of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from quantize.arithmetic import reference
from quantize.arithmetic.geometry import Floats
from quantize.bundle.manifest import Score as Weights
from quantize.bundle.manifest import read_manifest
from quantize.bundle.write import sha256
from quantize.data.shards import Shards
from quantize.data.soft_labels import Answers, Chunk, packed
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.onnx import OnnxPredictor
from quantize.renew.boxes.candidates import BEST, OTHERS, Candidates, shard, vectors_of
from quantize.renew.boxes.head import RegionsHead
from quantize.renew.boxes.learn import Boxes, Plan, Score, Words, things_loss
from quantize.renew.boxes.renewal import renew, without
from quantize.renew.boxes.targets import NO_NAME, Boxed, given_boxes, known_boxes, single_thing, targets
from quantize.renew.head import Graph, HeadError
from quantize.settings.board import BoardRecipe
from quantize.tests.synthetic import changed


@pytest.fixture
def graph(bundle: Path) -> Graph:
    return Graph(onnx.load(bundle / "prompt.onnx"))


@pytest.fixture
def seen(bundle: Path, recipe: BoardRecipe, tmp_path: Path) -> Candidates:
    given = {"shape001": np.array([[0.1, 0.2, 0.5, 0.9]], np.float32)}
    return shard(OnnxPredictor(bundle), Path(recipe.data.shards[0]), given, "0" * 64, tmp_path)


def test_given_boxes_stand_behind_the_proposed_ones(seen: Candidates) -> None:
    assert seen.counts.sum() == len(seen.boxes) == len(seen.vectors)
    assert (seen.counts <= BEST + OTHERS + 1).all()
    at = seen.keys.tolist().index("shape001")
    last = int(np.cumsum(seen.counts)[at]) - 1
    assert np.flatnonzero(np.isnan(seen.objectness)).tolist() == [last]
    assert seen.boxes[last] == pytest.approx([0.1, 0.2, 0.5, 0.9], abs=1e-5)
    assert (np.diff(seen.objectness[: min(BEST, seen.counts[0])]) <= 0).all()


def test_vectors_are_those_of_the_board(bundle: Path, recipe: BoardRecipe) -> None:
    predictor = OnnxPredictor(bundle)
    sample = next(iter(Shards([Path(recipe.data.shards[0])])))
    outputs, placed = predictor.run_vision(sample.picture)
    content, boxes = np.array(placed.content, np.float32), np.array([[3, 5, 40, 60], [20, 1, 30, 9]], np.float32)
    expected = [reference.region_vector(outputs, predictor.manifest.pools, 64, content, box) for box in boxes]
    assert vectors_of(outputs, boxes, content, 64).numpy() == pytest.approx(np.stack(expected), abs=1e-4)


def test_the_head_says_what_the_network_says(graph: Graph, bundle: Path, seen: Candidates) -> None:
    head, x = RegionsHead(graph).eval(), torch.from_numpy(seen.vectors).float()
    with torch.no_grad():
        found = head(x, head.rest(x))
    expected = reference.unit(OnnxPredictor(bundle).prompter.run(["embedding"], {"region": x.numpy()})[0])
    assert (found * torch.from_numpy(expected)).sum(1).mean() > 0.9  # random weights lose more in int8 than trained ones


def test_written_layers_are_read_again(graph: Graph, seen: Candidates, tmp_path: Path) -> None:
    head, x = RegionsHead(graph), torch.from_numpy(seen.vectors).float()
    with torch.no_grad():
        for p in head.parameters():
            p.mul_(1.2)
    expected = head.eval()(x, head.rest(x))
    head.write(graph, x)
    onnx.save(graph.model, tmp_path / "prompt.onnx")
    again = RegionsHead(Graph(onnx.load(tmp_path / "prompt.onnx"))).eval()
    assert F.cosine_similarity(again(x, again.rest(x)), expected).min() > 0.999


def test_another_network_is_refused(bundle: Path) -> None:
    with pytest.raises(HeadError, match=r"embedding: found 0 sums among two terms, expected one"):
        RegionsHead(Graph(onnx.load(bundle / "text.onnx")))


def candidates(boxes: list[list[float]], objectness: list[float], counts: list[int], keys: list[str]) -> Candidates:
    rows = np.array(boxes, np.float32)
    vectors = np.zeros((len(rows), 3), np.float16)
    return Candidates(np.array(keys), np.array(counts), rows, np.array(objectness, np.float32), vectors)


def test_boxes_are_told_by_the_detector_and_single_things_by_their_label(recipe: BoardRecipe) -> None:
    found = candidates(
        [[0, 0, 0.5, 0.5], [0.1, 0, 0.6, 0.5], [0.8, 0.8, 1, 1], [0.2, 0.2, 0.8, 0.8], [0.3, 0.3, 0.5, 0.5], [0, 0, 0.1, 0.1]],
        [1, 0, 0, 2, 1, 0], [3, 3], ["scene", "thing"],
    )  # fmt: skip
    detected = Boxed(np.array([[0, 0, 0.5, 0.5]], np.float32), ["dog"], np.array([0.8], np.float32))
    records = {"scene": {"source": "coco"}, "thing": {"source": "toys", "label": "Toy_robot, robot"}}
    told = changed(recipe, dev_share=0.0)
    facts = targets(told, found, {"scene": detected}, records, [*COCO_NAMES, "toy robot"])
    dog = COCO_NAMES.index("dog")
    # the second box overlaps the dog's by two thirds
    assert facts.detector[:3, dog].tolist() == pytest.approx([0.8, 0.8, 0.0], abs=1e-3)
    assert facts.detector[:3].sum() == facts.detector[:3, dog].sum()
    assert facts.name.tolist() == [dog, dog, NO_NAME, 80, NO_NAME, NO_NAME]
    assert facts.weight[:2].tolist() == pytest.approx([0.8, 0.8])
    assert facts.label.tolist() == [NO_NAME, 80]
    assert facts.unsure.tolist() == [False, False, False, False, True, False]
    assert facts.judged.tolist() == [True, False]
    assert facts.drawn.tolist() == [1.0, 1.0]
    assert targets(changed(recipe, dev_share=1.0), found, {}, records, []).drawn.tolist() == [0.0, 0.0]


def test_the_single_thing_is_large_and_in_the_middle() -> None:
    boxes = np.array([[0, 0, 1, 1], [0.2, 0.2, 0.8, 0.8], [0.5, 0.5, 0.6, 0.6], [0.05, 0.05, 0.65, 0.65]], np.float32)
    assert single_thing(boxes, np.zeros(4, np.float32)) == 1
    assert single_thing(boxes, np.array([0, -6, 0, 0], np.float32)) == 3
    assert single_thing(boxes[2:3], np.zeros(1, np.float32)) is None


def test_people_are_believed_before_the_detector(recipe: BoardRecipe, tmp_path: Path) -> None:
    answers = Answers(tmp_path, "picodet")
    answers.begin({"names": list(COCO_NAMES)})
    rects = np.array([[0.1, 0.1, 0.4, 0.4], [0.5, 0.5, 0.51, 0.9], [0.5, 0.5, 0.9, 0.9]], np.float32)
    said: dict[str, NDArray[Any]] = {
        "boxes": packed(rects),
        "labels": np.array([0, 1, 2], np.uint8),
        "scores": np.array([0.9, 0.8, 0.2], np.float16),
    }
    answers.keep("shapes", 0, Chunk.of(["one", "two"], [said, said]))
    told = replace(recipe, soft=replace(recipe.soft, folder=str(tmp_path)))
    known = known_boxes(told, {"two": {"boxes": [{"box": [0, 0, 1, 1], "name": "ball"}]}})
    assert known["one"].names == list(COCO_NAMES[:3])
    assert known["two"].names == ["ball"]
    assert known["two"].scores.tolist() == [1.0]
    given = given_boxes(known)
    assert given["one"] == pytest.approx(rects[:1], abs=1e-4)  # the second is too thin to be seen, the third unsure
    assert given["two"].tolist() == [[0, 0, 1, 1]]


def words(vectors: Floats, bank: Floats) -> Words:
    own = F.normalize(torch.from_numpy(vectors), dim=1)
    return Words(own, torch.zeros(len(own), len(own), dtype=torch.bool), torch.arange(2), torch.from_numpy(bank), 0.9)


def test_a_score_is_that_of_the_board() -> None:
    rng = np.random.default_rng(0)
    v, prompts, bank = (reference.unit(rng.normal(size=(n, 16)).astype(np.float32)) for n in (5, 4, 6))
    objectness = rng.normal(size=5).astype(np.float32)
    weights = (-1.0, 0.4, 0.7)
    with torch.no_grad():
        score = Score(9.0, weights)
        found = score(torch.from_numpy(v), torch.from_numpy(objectness), torch.arange(4), words(prompts, bank)).sigmoid()
    negatives = reference.negatives_for(prompts, bank, 0.9)
    expected = reference.region_scores(v, objectness, prompts, negatives, Weights(9.0, weights))
    assert found.numpy() == pytest.approx(expected, abs=1e-5)


def test_parts_of_a_thing_count_neither_way() -> None:
    texts = words(np.eye(4, dtype=np.float32), np.zeros((0, 4), np.float32))
    v = torch.full((3, 4), 0.5)  # like nothing in particular
    v[0] = torch.eye(4)[0]
    name, label = torch.tensor([0, NO_NAME, NO_NAME]), torch.zeros(3, dtype=torch.long)

    def loss(unsure: list[bool], said: torch.Tensor) -> float:
        score = Score(8.0, (0.0, 1.0, 0.0))
        g = torch.Generator().manual_seed(0)
        return things_loss(said, torch.zeros(3), name, label, torch.tensor(unsure), texts, score, g).item()

    part = v.clone()
    part[1] = v[0]  # called what the thing is called
    assert loss([False] * 3, part) > loss([False] * 3, v) + 0.1
    assert loss([False, True, False], part) < loss([False] * 3, part) - 0.1


def test_rows_of_pictures(graph: Graph, seen: Candidates) -> None:
    counts = torch.from_numpy(seen.counts)
    boxes = Boxes.of(RegionsHead(graph), torch.from_numpy(seen.vectors), torch.from_numpy(seen.objectness), counts)
    rows, picture = boxes.rows(torch.tensor([2, 0]))
    ends = np.cumsum(seen.counts)
    assert rows.tolist() == [*range(ends[1], ends[2]), *range(ends[0])]
    assert picture.tolist() == [0] * int(seen.counts[2]) + [1] * int(seen.counts[0])


def test_pictures_without_a_record_are_dropped(seen: Candidates) -> None:
    key = seen.keys[1]
    found = without(seen, {key: {}})
    assert found.keys.tolist() == [key]
    assert len(found.vectors) == found.counts.sum() == seen.counts[1]


def test_a_renewed_bundle_has_other_regions_and_nothing_else(
    bundle: Path, recipe: BoardRecipe, workplace: Path, tmp_path: Path
) -> None:
    (workplace / "teachers/object_labeler_names.txt").write_text("ball\nCross\n")
    told, out = changed(recipe, cache=str(tmp_path / "cache")), tmp_path / "renewed"
    before = read_manifest(bundle)
    renew(told, bundle, out, Plan(150, 12, 3e-3, drop=0.0, share=1.0))
    after = read_manifest(out)
    assert after.image == before.image
    assert after.max_similarity == before.max_similarity
    assert after.region.weights != before.region.weights
    for name in ("vision.onnx", "text.onnx"):
        assert sha256(out / name) == sha256(bundle / name)
    assert sha256(out / "prompt.onnx") != sha256(bundle / "prompt.onnx")
    assert np.isfinite(after.region.weights).all()
