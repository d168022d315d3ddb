"""What teachers' answers add to samples and supervision: boxes, masks, names that are true or not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from quantize import losses
from quantize.board.regions import found_boxes
from quantize.board.samples import Taught, joined, left_out, named_by_label, training_samples
from quantize.board.supervision import load_supervision, own_first, synonym_groups
from quantize.data.shards import Box, Sample, Shards
from quantize.data.soft_labels import Answers, Arrays, Chunk, packed
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.features import fill_cache
from quantize.settings.board import BoardRecipe, load_board_recipe
from quantize.tests.synthetic import write_recipe

Rect = tuple[float, float, float, float]
LEFT, RIGHT, WHOLE = (0.0, 0.0, 0.4, 1.0), (0.5, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)


def detected(*rows: tuple[Rect, int, float]) -> Arrays:
    """Answers of a detector: box, position of the name, score."""
    rects, labels, scores = zip(*rows, strict=True)
    said: Arrays = {"labels": np.array(labels, np.uint8), "scores": np.array(scores, np.float16)}
    return said | {"boxes": packed(np.array(rects, np.float32))}


def picture(**known: object) -> Sample:
    return Sample("a", "s", np.zeros((10, 10, 3), np.uint8), **known)  # type: ignore[arg-type]


def test_found_boxes_are_peoples_then_detectors_by_score() -> None:
    people, doubted = Box(LEFT, "mug"), Box(RIGHT, "cup", 0.8)
    told = {"picodet": detected((LEFT, 41, 0.9), (RIGHT, 2, 0.2), (WHOLE, 0, 0.5), ((0.1, 0.1, 0.2, 0.9), 5, 0.05))}
    found = found_boxes(picture(boxes=[people, doubted]), told, COCO_NAMES, 12)
    assert [(box.name, round(box.score, 1)) for box in found] == [("mug", 1.0), ("person", 0.5), ("car", 0.2)]
    assert found[2].rect == pytest.approx(RIGHT, abs=1e-4)
    assert [box.name for box in found_boxes(picture(boxes=[people]), told, COCO_NAMES, 2)] == ["mug", "person"]


def test_the_largest_box_of_a_labelled_picture_is_what_the_label_names() -> None:
    boxes = [Box((0.0, 0.0, 0.2, 0.2), "apple", 0.5), Box(RIGHT, "apple", 0.3), Box(LEFT, "person", 0.9)]
    named = named_by_label(picture(labels=["mango", "fruit"]), boxes)
    assert [(box.name, box.score) for box in named] == [("", 0.5), ("mango", 0.8), ("person", 0.9)]
    assert named_by_label(picture(), boxes) == boxes
    people = [Box(LEFT, "cup"), *boxes]
    assert named_by_label(picture(labels=["mango"]), people) == people
    small = [Box((0.0, 0.0, 0.2, 0.2), "apple", 0.5)]
    assert [box.name for box in named_by_label(picture(labels=["mango"]), small)] == [""]


def test_things_lie_before_surfaces_in_a_joined_mask() -> None:
    surfaces = np.array([[1, 1], [2, 255]], np.uint8)
    things = np.array([[0, 1], [255, 0]], np.uint8)
    mask, names = joined({"mosaic": (surfaces, ["none", "wall", "floor"]), "deeplab": (things, ["background", "sofa"])})
    assert [[names[i] for i in row] for row in mask.tolist()] == [["wall", "couch"], ["void", "void"]]


@pytest.fixture
def taught(recipe: BoardRecipe, workplace: Path, tmp_path: Path) -> BoardRecipe:
    """The synthetic recipe with answers about two pictures, and one left out."""
    samples = list(Shards([workplace / "shapes.tar"]))
    boxes, labeler = Answers(tmp_path, "picodet"), Answers(tmp_path, "labeler")
    boxes.begin({"names": list(COCO_NAMES)})
    labeler.begin({"names": ["ball", "Cross"]})
    unboxed = [s.key for s in samples if not s.boxes][:2]
    boxes.keep("shapes", 0, Chunk.of(unboxed, [detected((LEFT, 0, 0.9))] * 2))
    said = {"names": np.array([[1, 0], [0, 1]], np.uint16), "values": np.array([[0.9, 0.1], [0.75, 0.5]], np.float16)}
    labeler.keep("shapes", 0, Chunk.of(unboxed, [said] * 2))
    (workplace / "teachers/object_labeler_names.txt").write_text("ball\nCross\n")
    (tmp_path / "keys.txt").write_text(f"# a remark\n{samples[5].key}\tshapes\tball\ttest\n")
    path = write_recipe(workplace, "taught", cache=str(tmp_path / "cache"), leave_out=str(tmp_path / "keys.txt"), teacher_boxes=1)
    path.write_text(path.read_text() + f'[soft]\nfolder = "{tmp_path}"\nteachers = ["picodet", "labeler"]\n')
    return load_board_recipe(path)


def test_pictures_that_are_left_out_are_not_loaded(taught: BoardRecipe, workplace: Path) -> None:
    samples, ends, bad = training_samples(taught)
    every = [s.key for s in Shards([workplace / "shapes.tar"])]
    assert left_out(taught) == {every[5]}
    assert [s.key for s in samples] == every[:5] + every[6:]
    assert (ends, bad) == ([31], 0)


def test_answers_stand_in_for_boxes_that_nobody_drew(taught: BoardRecipe) -> None:
    told = Taught(taught)
    sample = next(s for s in Shards([Path(taught.data.shards[0])]) if not s.boxes)
    assert [(box.name, round(box.score, 1)) for box in told(sample).boxes] == [((sample.labels or ["person"])[0], 0.9)]
    other = picture(boxes=[Box(LEFT, "cup", 0.7)])
    assert told(other) == other


def test_supervision_finds_what_the_labeler_said(taught: BoardRecipe) -> None:
    fill_cache(taught)
    s = load_supervision(taught)
    assert s.objects is not None
    at = next(i for i in range(len(s.keys)) if s.objects.first[i] >= 0)
    whole, box, beyond = s.objects.row(torch.tensor([at, at, at]), torch.tensor([-1, 0, 1])).tolist()
    assert beyond == -1
    assert s.objects.scores(torch.tensor([whole, box])).numpy() == pytest.approx(np.array([[0.1, 0.9], [0.75, 0.5]]), abs=1e-3)
    assert [s.texts.index[name] for name in ("ball", "cross")] == s.objects.name_rows.tolist()
    assert s.objects.row(torch.tensor([(at + 1) % 2]), torch.tensor([5])).item() == -1


def test_a_name_is_said_in_its_own_words_half_of_the_time() -> None:
    draws = [own_first(d / 100, 3) for d in range(100)]
    assert [draws.count(i) for i in range(3)] == [50, 25, 25]
    assert own_first(0.9, 1) == 0


def test_lvis_names_the_same_thing_in_other_words(taught: BoardRecipe, tmp_path: Path) -> None:
    path = tmp_path / "lvis.json"
    path.write_text('[{"synonyms": ["television_set", "tv"]}, {"synonyms": ["person", "man"]}, {"synonyms": ["bow_(weapon)"]}]')
    taught.data.synonyms = str(path)
    found = synonym_groups(taught)
    assert found["tv"] == ["television set"]
    assert "man" not in found
    assert found["bow"] == []


def test_several_names_are_true_at_once() -> None:
    names = torch.eye(3)
    v = torch.tensor([[0.6, 0.8, 0.0]])
    loss = losses.true_names(v, names, torch.tensor([[1.0, 0.5, 0.0]]), torch.tensor(10.0), torch.tensor(-5.0))
    p = torch.sigmoid(torch.tensor([1.0, 3.0, -5.0]))
    expected = -(p[0].log() + 0.5 * p[1].log() + 0.5 * (1 - p[1]).log() + (1 - p[2]).log())
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
