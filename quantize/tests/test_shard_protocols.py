"""The protocols of shards on coloured pictures, whose answers are known."""

import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from quantize.arithmetic.geometry import Floats
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.conditions import CONDITIONS, MOTION, seen_in
from quantize.evaluate.measure import ValidationSet
from quantize.evaluate.on_shards import LINE, PROTOCOLS, merged
from quantize.evaluate.predictor import Detections, Look, Picture, Thresholds, look
from quantize.evaluate.protocols import absent_names, box_colours, box_quality, calibration, single_things, unseen_names
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.samples import Sample
from quantize.evaluate.shard_sets import ShardSets, Single, first_name, of_shards
from quantize.evaluate.statistics import Estimate
from quantize.tests.public_sets import COLOURS, ColourPredictor
from quantize.tests.synthetic import jpeg, png, write_shard

SETTINGS = Settings(replicates=5)


def painted(colour: str, width: int = 40, height: int = 30) -> NDArray[np.uint8]:
    return np.full((height, width, 3), COLOURS[colour], np.uint8)


def sample(key: str, picture: NDArray[np.uint8], **record: Any) -> Sample:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")  # a picture file that keeps colours as they are
    return Sample(key, {"source": "test"} | record, {"jpg": buffer.getvalue()})


class Oracle(ColourPredictor):
    """Finds a box over the whole picture for each name with the picture's colour; other names score what `faint` says."""

    thresholds = Thresholds(boxes=0.3, tags=0.5)

    def __init__(self, faint: float = 0.1) -> None:
        super().__init__()
        self.faint = faint

    def look(self, pictures: Iterable[Picture], names: Sequence[str], threshold: float) -> Iterator[Look]:
        texts = self.embed_texts(names)
        for picture in pictures:
            fits = self.embed_images([picture])[0] @ texts.T > 0.9
            scores = np.where(fits, 0.9, self.faint).astype(np.float32)
            said = np.flatnonzero(scores >= threshold)
            box = np.tile(np.array([0, 0, picture.shape[1], picture.shape[0]], np.float32), (len(said), 1))
            yield Look(Detections(box, said, scores[said]), scores)

    def tag_scores(self, pictures: Iterable[Picture], names: Sequence[str]) -> Floats:
        return np.stack([each.tags for each in self.look(pictures, names, 0.0)])

    def detect(
        self, pictures: Iterable[Picture], names: Sequence[str], threshold: float, top: int | None
    ) -> Iterator[Detections]:
        return (each.detections for each in self.look(pictures, names, threshold))


def sets(**changes: Any) -> ShardSets:
    coco = [sample("c", painted("red"), boxes=[{"box": [0, 0, 1, 1], "name": "dog"}])]
    flickr = [sample("f", painted("blue"), captions=["a blue thing", "one blue", "blue", "a", "b"])]
    grocery = [sample("g", painted("green"), coarse="green", label="green-one")]
    values: dict[str, Any] = {
        "validation": ValidationSet(coco, grocery, [], flickr), "things": [], "unseen": [], "unseen_names": [],
        "neither": frozenset(), "every_name": [], "absent": [f"absent {i}" for i in range(900)], "common": ["blue", "red"],
    }  # fmt: skip
    return ShardSets(**(values | changes))


def test_unseen_names_are_told_apart_among_themselves_and_among_all() -> None:
    unseen = [Single(sample(str(i), painted(colour)), name) for i, (colour, name) in enumerate(
        [("red", "red"), ("red", "red"), ("blue", "blue"), ("green", "red")]
    )]  # fmt: skip
    data = sets(unseen=unseen, unseen_names=["blue", "red"], every_name=["a red", "blue", "red"], neither=frozenset(["red"]))
    metrics = unseen_names.measure(ColourPredictor(), data, SETTINGS).metrics
    assert metrics["unseen names among them, top-1"].value == 0.75
    assert metrics["unseen names among them, mean over names"].value == pytest.approx(5 / 6)
    assert metrics["unseen names among them, mean over those no teacher has"].value == pytest.approx(2 / 3)
    assert metrics["unseen names among all names, top-1"].value == 0.25  # "a red" comes first


def test_single_things_get_boxes_and_absent_names_none() -> None:
    things = [
        Single(sample("0", painted("red")), "red dog", (0.0, 0.0, 1.0, 1.0)),
        Single(sample("1", painted("red")), "red cat", (0.0, 0.0, 0.1, 0.1)),  # the box is elsewhere
        Single(sample("2", painted("blue")), "blue cup"),
        Single(sample("3", painted("blue")), "red cup"),
    ]
    metrics = single_things.measure(Oracle(), sets(things=things), SETTINGS).metrics
    assert metrics["single things of COCO's names: box"].value == 0.5
    assert metrics["single things of other names: box"].value == 0.5
    assert metrics["single things of COCO's names: tag"].value == 1.0
    assert metrics["absent name on single things: box"].value == 0.0
    assert metrics["single things of other names: box, absent names in 0.5 %"].value == 0.5


def test_wrong_names_are_counted_by_picture() -> None:
    quiet = absent_names.measure(Oracle(), sets(), SETTINGS).metrics
    assert quiet["500 absent names: wrong tags a picture"] == Estimate(0, 0, 0, share=False)
    assert quiet["tags, captions' 2 common names: precision"].value == 1.0
    assert quiet["tags, captions' 2 common names: recall"].value == 1.0
    loud = absent_names.measure(Oracle(0.4), sets(), SETTINGS).metrics  # boxes from .3 on, tags from .5
    assert loud["20 absent names: wrong boxes a picture"].value == 20
    assert loud["20 absent names: wrong tags a picture"].value == 0
    assert loud["1 absent name alone: wrong boxes a picture"].value == 1


def test_tinted_boxes_have_their_colour() -> None:
    grey = np.full((30, 40, 3), 128, np.uint8)
    box = np.array([10, 5, 30, 25], np.float32)
    for name, colour in box_colours.COLOURS.items():
        made = box_colours.tinted(grey, box, colour)
        assert (made[0, 0] == 128).all()
        middle = made[15, 20].astype(int)
        assert np.abs(middle - np.array(colour)).max() < 45, name
    data = sets(validation=ValidationSet([sample("c", grey, boxes=[{"box": [0.1, 0.1, 0.9, 0.9], "name": "car"}])], [], [], []))
    outcome = box_colours.measure(ColourPredictor(), data, SETTINGS)
    assert outcome.counts == {"tinted boxes": 1}
    assert outcome.metrics["colour of tinted boxes, one of 4"].value >= 0.5  # the stand-in has no yellow


def test_given_boxes_and_precision_at_the_threshold() -> None:
    class Finder(Oracle):
        def detect(self, pictures: Any, names: Any, threshold: float, top: Any) -> Iterator[Detections]:
            dog = COCO_NAMES.index("dog")
            for picture in pictures:
                height, width = picture.shape[:2]
                rows = [[0, 0, width, height], [0, 0, width / 4, height / 4]]
                yield Detections(np.array(rows, np.float32), np.array([dog, dog]), np.array([0.8, 0.5], np.float32))

    samples = [
        sample("a", painted("red"), boxes=[{"box": [0, 0, 1, 1], "name": "dog"}]),
        sample("b", painted("red"), boxes=[{"box": [0, 0, 1, 1], "name": "cat"}]),
    ]
    metrics = box_quality.measure(Finder(), 0.3, samples, SETTINGS).metrics
    assert metrics["boxes at the threshold: precision"].value == 0.25
    assert metrics["boxes at the threshold: recall"].value == 0.5
    assert metrics["COCO-80 AP50"].value == pytest.approx(0.5, abs=0.01)  # the cat is never found
    named = box_quality.named(np.array([COCO_NAMES.index("dog")] * 2), samples, SETTINGS).metrics
    assert named["given boxes, top-1"].value == 0.5
    assert named["given boxes, mean class"].value == 0.5


def test_calibration_compares_scores_with_how_often_they_are_right() -> None:
    scored = [(np.array([0.95], np.float32), np.array([True]))] * 9 + [(np.array([0.95], np.float32), np.array([False]))]
    assert calibration.error(scored, SETTINGS).value == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_always_the_same_and_changes_the_picture(name: str) -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (48, 64, 3)).astype(np.uint8)
    first, again = (seen_in(CONDITIONS[name], picture, 3) for _ in range(2))
    assert (first == again).all()
    assert first.shape == picture.shape
    assert first.dtype == np.uint8
    assert np.abs(first.astype(int) - picture).mean() > 5


def test_motion_smears_sideways_only() -> None:
    picture = np.zeros((21, 41, 3), np.uint8)
    picture[10, 20] = 255
    smeared = seen_in(CONDITIONS[f"motion blur {MOTION} px"], picture, 0)
    assert np.flatnonzero(smeared[10, :, 0]).tolist() == list(range(14, 27))
    assert np.flatnonzero(smeared.sum(axis=(1, 2))).tolist() == [10]


def test_a_predictor_of_two_passes_gives_the_same_look() -> None:
    class Apart:
        thresholds = Thresholds()
        oracle = Oracle()
        embed_texts, embed_images, dense = oracle.embed_texts, oracle.embed_images, oracle.dense
        embed_regions, detect, tag_scores = oracle.embed_regions, oracle.detect, oracle.tag_scores

    pictures = [painted("red"), painted("blue")]
    for one, two in zip(look(Oracle(), pictures, ["red"], 0.2), look(Apart(), pictures, ["red"], 0.2), strict=True):
        assert one.tags.tolist() == two.tags.tolist()
        assert one.detections.scores.tolist() == two.detections.scores.tolist()


def test_the_closing_lines_metrics_are_those_of_protocols() -> None:
    known = {
        *unseen_names.measure(
            ColourPredictor(),
            sets(unseen=[Single(sample("0", painted("red")), "red")], unseen_names=["red"], every_name=["red"]),
            SETTINGS,
        ).metrics
    }
    known |= {*absent_names.measure(Oracle(), sets(), SETTINGS).metrics}
    known |= {*single_things.measure(Oracle(), sets(things=[Single(sample("2", painted("blue")), "blue cup")]), SETTINGS).metrics}
    assert {LINE["heldout"], LINE["false-tags"], LINE["any-box"]} <= known
    assert "boxes" in PROTOCOLS
    assert merged(Outcome({"a": Estimate(1, 1, 1)}, {"x": 1}), Outcome({}, {"y": 2})).counts == {"x": 1, "y": 2}


def write_data(folder: Path) -> Path:
    """A small `../shared/data`."""
    red, mask = jpeg(painted("red")), png(np.zeros((30, 40), np.uint8))

    def record(source: str, **more: Any) -> bytes:
        return json.dumps({"source": source} | more).encode()

    boxes = [{"box": [0, 0, 0.9, 0.9], "name": "dog"}, {"box": [0, 0, 0.1, 0.1], "name": "cup"}]
    named = {
        "coco128_val2017-1": record("coco128_val2017", boxes=boxes, segments=[]),
        "grocery_test-1": record("grocery_test", coarse="apple", label="red-apple"),
        "camvid_test-1": record("camvid_test", mask_names=["sky"]),
        "flickr8k-1": record("flickr8k", captions=["A dog with a viola ."] * 5),
    }
    write_shard(folder / "val.tar", {k: {"jpg": red, "json": v, "mask.png": mask} for k, v in named.items()})
    training = {
        "wordpics-7": record("wordpics", label="mattress, bed"),
        "wordpics-8": record("wordpics", label="dog"),
        **{f"boss-{i}": record("boss", label="paper-clip") for i in range(100)},
        **{f"coco128_train2017-{i}": record("coco128_train2017", boxes=boxes) for i in range(6)},
        **{f"{s}-{i}": record(s, captions=["a cat"], coarse="pear", label="pear", mask_names=["sky"]) for i in range(99)
           for s in ("flickr8k", "grocery_train", "camvid_train")},
    }  # fmt: skip
    write_shard(folder / "train-000.tar", {k: {"jpg": red, "json": v} for k, v in training.items()})
    (folder / "heldout_names.txt").write_text("# comment\nmattress\t1\t-\nowl\t2\tio\n")
    (folder / "heldout_keys.txt").write_text("wordpics-7\ttrain-000\tmattress\ttest\nwordpics-8\ttrain-000\tdog\tout\n")
    (folder / "text").mkdir()
    (folder / "text/ram_tag_list.txt").write_text("dog\nviola\nsea\n")
    (folder / "text/label_names.txt").write_text("dog\nmattress\npaper clip\n")
    rare = [
        {"synonyms": [name], "frequency": f}
        for name, f in [("viola", "r"), ("dog", "r"), ("oboe", "r"), ("tutu", "c"), ("bow_(weapon)", "r")]
    ]
    (folder / "text/lvis_categories.json").write_text(json.dumps(rare))
    return folder / "val.tar"


def test_sets_for_reporting_are_the_validation_shard_and_the_held_out_names(tmp_path: Path) -> None:
    data = of_shards(write_data(tmp_path), aside=False, limit=None)
    assert [single.name for single in data.unseen] == ["mattress"]
    assert data.unseen_names == ["mattress", "owl"]
    assert data.neither == {"mattress"}
    assert [(single.name, single.box is not None) for single in data.things] == [("dog", True), ("mattress", False)]
    assert data.absent == ["oboe", "tutu"]  # neither what is said of pictures nor what a bracket explains
    assert data.common == ["dog", "viola"]
    assert [names for _, names in data.captioned()] == [{"dog", "viola"}]


def test_sets_for_choices_are_training_pictures_set_aside(tmp_path: Path) -> None:
    data = of_shards(write_data(tmp_path), aside=True, limit=None)
    assert {single.name for single in data.unseen} == {"paper clip"}
    assert 0 < len(data.unseen) < 20
    assert all("train" in each.source for each in [*data.validation.coco, *data.validation.grocery])
    assert 0 < len(data.validation.flickr) < 20
    assert math.isclose(len(data.validation.coco) / 6, 0.5, abs_tol=0.4)
    assert first_name("mattress, bed") == "mattress"
