"""Teachers: boxes of two views, regions, label maps, asking with stops, and the report."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from quantize.board.regions import regions
from quantize.data.indexed import IndexedShards
from quantize.data.shards import Box, Sample
from quantize.data.soft_labels import Answers, Arrays, packed, unpacked
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.picodet import PicoDet
from quantize.evaluate.predictor import Detections
from quantize.settings.board import BoardRecipe, load_board_recipe
from quantize.settings.soft import SoftSettings
from quantize.teachers import asking
from quantize.teachers.agreement import Share, boxes_alike, boxes_named, cells_alike, labels_found, word
from quantize.teachers.classifiers import best
from quantize.teachers.detectors import BoxTeacher, agreed, mirrored
from quantize.teachers.masks import CELLS, UNSURE, majority
from quantize.teachers.report import histogram, write_report
from quantize.tests.synthetic import jpeg, write_recipe, write_shapes, write_shard, write_teachers

SHARED = Path(__file__).parents[3] / "shared/data/teachers"


def found(*rows: tuple[tuple[float, float, float, float], int, float]) -> Detections:
    boxes = np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4)
    labels, scores = np.array([label for _, label, _ in rows], np.int64), np.array([s for *_, s in rows], np.float32)
    return Detections(boxes, labels, scores)


def test_two_views_agree_on_the_mean_of_score_and_box() -> None:
    plain = found(((0, 0, 10, 10), 2, 0.6), ((50, 50, 60, 60), 2, 0.4), ((0, 0, 10, 10), 7, 0.5))
    mirror = found(((1, 0, 11, 10), 2, 0.2))
    both = agreed(plain, mirror)
    assert both.labels.tolist() == [2, 7, 2]
    assert both.scores == pytest.approx([0.4, 0.25, 0.2])  # what one view alone has counts half
    assert both.boxes[0] == pytest.approx([0.25, 0, 10.25, 10])
    assert agreed(found(), found()).boxes.shape == (0, 4)


def test_mirrored_boxes() -> None:
    assert mirrored(found(((10, 5, 30, 20), 0, 0.5)), 100).boxes.tolist() == [[70, 5, 90, 20]]


class OneCorner:
    """Sees a dog in the brightest quarter."""

    def detect(self, pictures: list[np.ndarray], names: tuple[str, ...], threshold: float, top: None) -> list[Detections]:
        assert names == COCO_NAMES
        left = [bool(picture[:, :50].mean() > picture[:, 50:].mean()) for picture in pictures]
        return [found(((0, 0, 50, 40) if each else (50, 0, 100, 40), 16, 0.8)) for each in left]


def test_a_detector_answers_in_fractions_of_the_upright_picture() -> None:
    picture = np.zeros((80, 100, 3), np.uint8)
    picture[:, :50] = 255
    answer = BoxTeacher(OneCorner(), "w")(Sample("a", "s", picture))  # type: ignore[arg-type]
    assert unpacked(answer["boxes"]) == pytest.approx(np.array([[0, 0, 0.5, 0.5]]), abs=1e-4)
    assert answer["labels"].tolist() == [16]
    assert answer["scores"] == pytest.approx([0.8], abs=1e-3)


def boxes(*rows: tuple[tuple[float, float, float, float], float]) -> Arrays:
    rects = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
    return {"boxes": packed(rects), "scores": np.array([s for _, s in rows], np.float16), "labels": np.zeros(len(rows), np.uint8)}


def test_regions_are_the_picture_then_peoples_boxes_then_detectors_without_repeats() -> None:
    sample = Sample("a", "s", np.zeros((10, 10, 3), np.uint8))
    sample.boxes = [Box((0.1, 0.1, 0.5, 0.5), "cat"), Box((0.6, 0.6, 0.9, 0.9), "dog", 0.8)]
    told = {
        "picodet": boxes(((0.1, 0.1, 0.52, 0.5), 0.9), ((0.5, 0.5, 1, 1), 0.3), ((0, 0, 0.02, 0.5), 0.9), ((0, 0, 0.3, 1), 0.05)),
        "nanodet": boxes(((0, 0.5, 0.5, 1), 0.6)),
    }
    rects = regions(sample, told, COCO_NAMES, 12)
    expected = [[0, 0, 1, 1], [0.1, 0.1, 0.5, 0.5], [0, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]]
    assert rects == pytest.approx(np.array(expected), abs=1e-4)
    assert len(regions(sample, told, COCO_NAMES, 2)) == 3
    assert regions(Sample("b", "s", sample.picture), {}, COCO_NAMES, 12).tolist() == [[0, 0, 1, 1]]


def test_the_best_names_come_first() -> None:
    kept = best(np.array([[0.1, 0.9, 0.5], [0.3, 0.2, 0.1]], np.float32), 2)
    assert kept["names"].tolist() == [[1, 2], [0, 1]]
    assert kept["values"] == pytest.approx(np.array([[0.9, 0.5], [0.3, 0.2]]), abs=1e-3)


def test_a_cell_takes_the_class_that_prevails_and_borders_take_none() -> None:
    classes = np.zeros((513, 513), np.int64)  # one pixel more than cells take, as DeepLab's map
    classes[:, 100:] = 3  # the border lies in the middle of the 13th column of cells
    cells = majority(classes, 5)
    assert cells.shape == (CELLS, CELLS)
    assert (cells[:, :12] == 0).all()
    assert (cells[:, 12] == UNSURE).all()
    assert (cells[:, 13:] == 3).all()


PARAM = """7767517
5 5
Pooling GlobalAveragePool_0 1 1 a b 0=1 4=1
Convolution Conv_5 1 1 b c 0=11 1=1 11=1 2=1 5=1 6=484
ReLU Relu_0 1 1 c d
Convolution Conv_6 1 1 d e 0=44 1=1 11=1 5=1 6=484
Convolution Conv_7 1 1 f g 0=48 1=1 11=1 5=1 6=2112
"""


def test_convolutions_of_one_cell_are_products() -> None:
    lines = PicoDet.graph(None, PARAM).splitlines()  # type: ignore[arg-type]
    assert lines[3] == "InnerProduct Conv_5 1 1 b c 0=11 1=1 2=484"
    assert lines[5] == "InnerProduct Conv_6 1 1 d e 0=44 1=1 2=484"
    assert lines[6] == PARAM.splitlines()[6]


class Brightness:
    """One region, the picture, and a name for how bright it is."""

    version, names = "1", ["dark", "bright"]

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, sample: Sample) -> Arrays:
        self.asked.append(sample.key)
        bright = float(sample.picture.mean() > 120)
        return {"rects": packed(np.array([[0, 0, 1, 1]]))} | best(np.array([[1 - bright, bright]], np.float32), 2)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[BoardRecipe, Callable[[], list[str]]]:
    """A recipe with one teacher, and what it has been asked since the last time."""
    write_shapes(tmp_path / "shapes.tar", 10)
    write_shard(
        tmp_path / "more.tar", {f"more{i}": {"jpg": jpeg(np.full((8, 8, 3), 60 * i, np.uint8)), "json": b"{}"} for i in range(4)}
    )
    write_teachers(tmp_path / "teachers")
    recipe = load_board_recipe(write_recipe(tmp_path))
    recipe.data.shards.append(str(tmp_path / "more.tar"))
    recipe.soft = SoftSettings(folder=str(tmp_path / "soft"), teachers=["labeler"], shards=["more.tar"], chunk=4)
    teacher = Brightness()
    monkeypatch.setattr(asking, "load", lambda name, recipe: teacher)

    def since() -> list[str]:
        keys, teacher.asked = teacher.asked, []
        return keys

    return recipe, since


def test_asking_goes_on_where_it_was(asked: tuple[BoardRecipe, Callable[[], list[str]]], tmp_path: Path) -> None:
    recipe, since = asked
    asking.ask_all(recipe)
    keys = since()
    assert keys[:4] == [f"more{i}" for i in range(4)]
    assert len(keys) == 14
    (tmp_path / "soft/labeler/shapes-0001.npz").unlink()
    asking.ask_all(recipe)
    assert since() == [f"shape{i:03}" for i in range(4, 8)]
    asking.ask_all(recipe)
    assert since() == []
    told = dict(Answers(tmp_path / "soft", "labeler").pictures())
    assert [told[f"more{i}"]["names"][0, 0] for i in range(4)] == [0, 0, 0, 1]


def test_a_broken_picture_is_passed_over(
    asked: tuple[BoardRecipe, Callable[[], list[str]]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe, since = asked
    write_shard(
        tmp_path / "more.tar",
        {"good": {"jpg": jpeg(np.zeros((8, 8, 3), np.uint8)), "json": b"{}"}, "bad": {"jpg": b"no", "json": b"{}"}},
    )
    asking.ask_all(recipe)
    assert since()[0] == "good"
    assert "sample bad skipped" in caplog.text
    assert "bad" not in dict(Answers(tmp_path / "soft", "labeler").pictures())


def test_the_report_counts_names(asked: tuple[BoardRecipe, Callable[[], list[str]]], tmp_path: Path) -> None:
    recipe, _ = asked
    asking.ask_all(recipe)
    write_report(recipe)
    text = (tmp_path / "soft/report.md").read_text()
    assert "14 pictures, 14 rows. " in text
    assert "people's labels among the labeler's best 1, where it has the word: nothing to compare" in text
    assert (tmp_path / "soft/sheet.png").stat().st_size > 1000


def test_histograms_count_what_is_sure() -> None:
    names = ["nothing", "sky", "sea"]
    cells = np.zeros((1, CELLS, CELLS), np.uint8)
    cells[0, :, :8], cells[0, 0, 60] = 2, 1
    assert histogram("mosaic", names, {"a": {"cells": cells}}) == {"sea": 1}
    told = {"names": np.array([[1, 0], [2, 0]]), "values": np.array([[0.9, 0.1], [0.3, 0.2]])}
    assert histogram("labeler", names, {"a": told}) == {"sky": 1}
    assert histogram("picodet", names, {"a": boxes(((0, 0, 1, 1), 0.9), ((0, 0, 1, 1), 0.1))}) == {"nothing": 1}


def test_agreement_by_hand() -> None:
    assert word("Traffic Lights") == word("traffic light")
    picture = np.zeros((4, 4, 3), np.uint8)
    person, rect = 0, (0.1, 0.1, 0.6, 0.9)
    sure = boxes((rect, 0.9), ((0.7, 0.7, 1, 1), 0.8))
    told = {"picodet": sure, "nanodet": boxes(((0.1, 0.1, 0.6, 0.8), 0.3))}
    assert boxes_alike(told) == (1, 2)
    told["labeler"] = {
        "rects": packed(np.array([(0, 0, 1, 1), rect])),
        "names": np.array([[1, 2], [0, 1]], np.uint16),
        "values": np.array([[0.8, 0.1], [0.7, 0.2]], np.float16),
    }
    names = ["Person", "Dog", "Cat"]
    assert COCO_NAMES[person] == "person"
    assert boxes_named(names, COCO_NAMES, 1)(Sample("a", "s", picture), told) == (1, 1)
    assert labels_found("labeler", names, 1)(Sample("a", "s", picture, labels=["dogs, hounds"]), told) == (1, 1)
    assert labels_found("labeler", names, 1)(Sample("a", "s", picture, labels=["ferret"]), told) == (0, 0)
    mosaic, deeplab = np.zeros((1, 2, 2), np.uint8), np.zeros((1, 2, 2), np.uint8)
    deeplab[0, 0], mosaic[0, 0, 0] = 1, 2
    assert cells_alike(["none", "sky", "car"], ["background", "car"])(
        Sample("a", "s", picture), {"mosaic": {"cells": mosaic}, "deeplab": {"cells": deeplab}}
    ) == (1, 2)
    assert str(Share(1, 2)) == "50.0 % of 2"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the teachers' weights are not beside the repository")
def test_the_real_teachers_see_a_piano(tmp_path: Path) -> None:
    recipe = load_board_recipe(write_recipe(tmp_path, teachers=str(SHARED), shards=[str(SHARED.parent / "train-004.tar")]))
    recipe.soft = SoftSettings(folder=str(tmp_path / "soft"))
    samples = IndexedShards([Path(p) for p in recipe.data.shards], tmp_path / "index")
    sample = next(sample for i in range(len(samples)) if "piano" in (sample := samples[i]).labels)
    teachers = {name: asking.load(name, recipe) for name in ("picodet", "labeler", "classifier", "mosaic", "deeplab")}
    told = {name: teacher(sample) for name, teacher in teachers.items()}
    best_names = {word(teachers["labeler"].names[i]) for i in told["labeler"]["names"][0, :3]}
    assert any("piano" in name for name in best_names), best_names
    assert teachers["classifier"].names[told["classifier"]["names"][0, 0]] in ("upright", "grand piano")
    assert (told["picodet"]["scores"] >= 0.05).all()
    assert told["mosaic"]["cells"].shape == told["deeplab"]["cells"].shape == (1, CELLS, CELLS)
