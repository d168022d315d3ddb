"""The stages, one by one."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image
from quantize.annotate.models.detector import Detection
from quantize.annotate.models.segmenter import Segment
from quantize.annotate.parser.lexicon_parser import LexiconParser
from quantize.annotate.record import Caption, Picture, PseudoBox, PseudoMask, Record
from quantize.annotate.settings import Settings
from quantize.annotate.stages import build
from quantize.annotate.stages.assign import Assign
from quantize.annotate.stages.caption import Captions
from quantize.annotate.stages.check import Check, clipped, sound
from quantize.annotate.stages.describe import Describe, crop, largest
from quantize.annotate.stages.detect import Detect, queries
from quantize.annotate.stages.filter import Filter
from quantize.annotate.stages.fingerprint import fingerprints
from quantize.annotate.stages.parse import Parse
from quantize.annotate.stages.segment import Masks, flatten
from quantize.annotate.stages.tag import Tags
from quantize.annotate.vocabulary import Synonyms, Vocabulary
from quantize.tests.synthetic import jpeg, png

GREY = np.full((40, 60, 3), 90, np.uint8)
WHOLE = (0.1, 0.1, 0.9, 0.9)


def record(*captions: str, picture: Picture = GREY, boxes: Sequence[PseudoBox] = ()) -> Record:
    given = {"captions": list(captions)} if captions else {}
    phrases = tuple(map(tuple, LexiconParser()(captions)))
    return Record("k", jpeg(picture), given, pseudo_boxes=tuple(boxes), phrases=phrases)


def box(name: str, score: float = 0.5, rect: tuple[float, float, float, float] = WHOLE, phrase: str = "") -> PseudoBox:
    return PseudoBox(rect, name, score, "d", phrase)


def test_check_keeps_the_bytes_of_a_good_jpeg() -> None:
    before = record("a dog")
    assert Check(32, 0)([before]) == [before]


@pytest.mark.parametrize(
    ("picture", "dropped"),
    [
        (b"", "corrupt picture"),
        (b"no picture", "corrupt picture"),
        (jpeg(GREY)[:300], "corrupt picture"),
        (jpeg(GREY[:20]), "small picture"),
    ],
)
def test_check_drops_what_is_no_picture(picture: bytes, dropped: str) -> None:
    (checked,) = Check(32, 0)([Record("k", picture)])
    assert checked.dropped == dropped


def test_check_turns_and_shrinks_and_converts() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "JPEG", exif=exif)
    (turned,) = Check(8, 0)([Record("k", buffer.getvalue())])
    assert turned.picture().shape == (60, 40, 3)
    (shrunk,) = Check(8, 30)([Record("k", jpeg(GREY))])
    assert shrunk.picture().shape == (20, 30, 3)
    (masked,) = Check(8, 30)([Record("k", jpeg(GREY), companions={"mask.png": b""})])
    assert masked.picture().shape == (40, 60, 3)
    (converted,) = Check(8, 0)([Record("k", png(np.full((40, 60, 4), 90, np.uint8)))])
    assert converted.jpeg[:2] == b"\xff\xd8"
    assert abs(converted.picture().astype(int) - 90).max() <= 2


def test_given_data_that_is_wrong_is_removed_with_a_reason() -> None:
    given: dict[str, Any] = {
        "captions": ["A dog.", "  ", "", 3],
        "qa": [{"question": "Who?", "answer": "A dog."}, {"question": "Who?"}, "who"],
        "boxes": [
            {"box": [0.2, 0.2, 0.4, 0.4], "name": "dog"}, {"box": [-0.5, 0.5, 1.5, 1.0], "name": "cat"},
            {"box": [0.6, 0.1, 0.2, 0.9], "name": "inverted"}, {"box": [1.2, 0.1, 1.4, 0.9], "name": "outside"},
            {"box": [0.1, 0.1, float("nan"), 0.9], "name": "nan"}, {"box": [0.1, 0.2], "name": "short"}, {"name": "none"}, 7,
            {"box": [0.1, 0.2, 0.3, 0.4], "name": " "},
        ],
    }  # fmt: skip
    kept, removed = sound(given)
    assert kept["captions"] == ["A dog."]
    assert kept["qa"] == [{"question": "Who?", "answer": "A dog."}]
    assert [(b["name"], b["box"]) for b in kept["boxes"]] == [("dog", [0.2, 0.2, 0.4, 0.4]), ("cat", [0.0, 0.5, 1.0, 1.0])]
    assert removed == ["captions: empty"] * 3 + ["qa: unusable"] * 2 + ["boxes: empty, inverted or outside"] * 7
    assert sound({"label": "mug"}) == ({"label": "mug"}, [])
    assert sound({"captions": "A dog."})[0] == {"captions": ["A dog."]}


def test_boxes_of_the_input_are_checked_too() -> None:
    (checked,) = Check(8, 0)([record(boxes=[box("cat", rect=(-1, 0, 0.5, 1)), box("dog", rect=(0.5, 0.5, 0.5, 0.9))])])
    assert [b.box for b in checked.pseudo_boxes] == [(0.0, 0.0, 0.5, 1.0)]
    assert checked.removed == ("pseudo_boxes of the input: empty, inverted or outside",)
    assert clipped((0.1, 0.2, 0.3, float("inf"))) is None


def test_fingerprints_are_phash() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    first, second = fingerprints([Record("a", jpeg(noise)), Record("b", jpeg(noise[::-1]))])
    assert first.fingerprint == int(str(imagehash.phash(Image.open(io.BytesIO(jpeg(noise))))), 16)
    assert first.fingerprint != second.fingerprint


class Echo:
    """A captioner that counts what it has seen."""

    name, version = "echo", "2"

    def __init__(self, text: str = "a cat") -> None:
        self.text, self.seen = text, [0]

    def __call__(self, pictures: Sequence[Picture]) -> list[tuple[str, float]]:
        self.seen.append(len(pictures))
        return [(self.text, 0.25)] * len(pictures)


def test_captions_are_made_where_there_are_none() -> None:
    given, without = record("a dog"), record()
    kept, captioned = Captions(Echo(), everywhere=False)([given, without])
    assert kept == given
    assert captioned.pseudo_captions == (Caption("a cat", "echo", 0.25),)
    assert [(s.stage, s.model, s.version) for s in captioned.provenance] == [("caption", "echo", "2")]
    both = Captions(Echo(), everywhere=True)([given, without])
    assert [len(r.pseudo_captions) for r in both] == [1, 1]
    (nothing,) = Captions(Echo(""), everywhere=True)([without])
    assert (nothing.pseudo_captions, nothing.removed) == ((), ("pseudo_captions: empty",))


def test_all_texts_are_parsed() -> None:
    given = {"captions": ["a red bus"], "qa": [{"question": "Who drives the bus?", "answer": "A tall man."}]}
    before = Record("k", b"", given, pseudo_captions=(Caption("two cats", "m", 0.5),))
    (parsed,) = Parse(LexiconParser())([before])
    assert [[p.text for p in phrases] for phrases in parsed.phrases] == [["red bus"], ["bus", "tall man"], ["cats"]]
    assert parsed.provenance[0].model == "lexicon"


def test_queries_are_phrases_that_most_texts_say_without_generic_words() -> None:
    asked = record("A picture of a brown dog", "a group of men and the dog", "the dog", "a dog and a cat and a dog")
    assert queries(asked, 20) == ["dog", "brown dog", "men", "cat"]
    assert queries(asked, 2) == ["dog", "brown dog"]
    assert queries(record(), 20) == []


class Finds:
    """An open or closed detector with fixed answers."""

    name, version = "finder", "1"

    def __init__(self, is_open: bool, *found: Detection) -> None:
        self.open, self.found = is_open, list(found)

    def __call__(self, pictures: Sequence[Picture], queries: Sequence[Sequence[str]]) -> list[list[Detection]]:
        self.asked = [list(each) for each in queries]
        return [self.found for _ in pictures]


def test_boxes_of_all_detectors_take_the_place_of_old_ones() -> None:
    opened = Finds(True, Detection((-0.1, 0.2, 0.4, 0.5), "brown dog", 0.6), Detection((1.1, 0, 1.2, 1), "outside", 0.9))
    closed = Finds(False, Detection((0.1, 0.2, 0.4, 0.5), "dog", 0.7))
    (found,) = Detect([opened, closed], 20)([record("a brown dog", boxes=[box("old")])])
    assert opened.asked == [["brown dog"]]
    assert found.pseudo_boxes == (
        PseudoBox((0.0, 0.2, 0.4, 0.5), "brown dog", 0.6, "finder", phrase="brown dog"),
        PseudoBox((0.1, 0.2, 0.4, 0.5), "dog", 0.7, "finder"),
    )
    assert [s.stage for s in found.provenance] == ["detect", "detect"]


def assigned(
    boxes: Sequence[PseudoBox], *captions: str, synonyms: dict[str, str] | None = None
) -> list[tuple[str, str, tuple[str, ...]]]:
    (after,) = Assign(Synonyms(synonyms or {}))([record(*captions, boxes=boxes)])
    return [(b.name, b.phrase, b.attributes) for b in after.pseudo_boxes]


def test_a_phrases_box_gets_head_noun_and_attributes() -> None:
    found = box("two small brown dogs", phrase="small brown dogs")
    assert assigned([found], "Two small brown dogs and other cats") == [("dog", "small brown dogs", ("small", "brown"))]
    assert assigned([box("other cats", phrase="other cats")], "other cats") == [("cat", "other cats", ())]


@pytest.mark.parametrize(
    ("boxes", "captions", "phrase", "attributes"),
    [
        (1, ["a jacketed man", "A person in warm clothing", "The man fishes"], "jacketed man", ("jacketed",)),
        (1, ["a tall man", "an old man"], "tall man", ("tall", "old")),
        (1, ["a man and a woman"], "", ()),  # which of the two?
        (1, ["two men"], "", ()),  # which of the two?
        (2, ["a man"], "", ()),  # which box?
        (2, ["two young men", "some people"], "young men", ("young",)),
        (1, ["a red bus"], "", ()),
        (1, [], "", ()),
    ],
)
def test_a_closed_detectors_box_gets_a_phrase_when_it_is_certain(
    boxes: int, captions: list[str], phrase: str, attributes: tuple[str, ...]
) -> None:
    found = [box("person")] * boxes
    assert assigned(found, *captions) == [("person", phrase, attributes)] * boxes


def test_compounds_and_synonyms_of_classes() -> None:
    assert assigned([box("traffic light")], "a green traffic light") == [("traffic light", "green traffic light", ("green",))]
    assert assigned([box("couch")], "a white sofa") == [("couch", "white sofa", ("white",))]
    assert assigned([box("cup")], "a blue beaker") == [("cup", "", ())]
    assert assigned([box("cup")], "a blue beaker", synonyms={"beaker": "cup"}) == [("cup", "blue beaker", ("blue",))]


def test_boxes_are_filtered_with_reasons() -> None:
    boxes = [
        box("dog", 0.5, (0.1, 0.1, 0.5, 0.5)), box("dog", 0.9, (0.1, 0.1, 0.52, 0.5)), box("dog", 0.3, (0.5, 0.1, 0.9, 0.5)),
        box("cat", 0.6, (0.1, 0.1, 0.2, 0.11)), box("cat", 0.6, (0.0, 0.0, 1.0, 0.99)), box("cat", 0.6, (0.0, 0.0, 0.9, 0.04)),
    ]  # fmt: skip
    (after,) = Filter(0.004, 0.95, 12.0, 0.7, 50)([record(boxes=boxes)])
    assert [(b.name, b.score) for b in after.pseudo_boxes] == [("dog", 0.9), ("dog", 0.3)]
    assert after.removed == tuple(f"pseudo_boxes: {why}" for why in ("tiny", "huge", "thin", "duplicate"))
    (few,) = Filter(0.004, 0.95, 12.0, 0.7, 1)([record(boxes=boxes[1:3])])
    assert (len(few.pseudo_boxes), few.removed) == (1, ("pseudo_boxes: too many",))


def test_aspect_is_of_pixels() -> None:
    wide = np.full((20, 200, 3), 90, np.uint8)
    square = box("dog", rect=(0.4, 0.0, 0.5, 0.98))  # about 20 x 20 pixels
    assert Filter(0, 1, 2.0, 0.7, 9)([record(picture=wide, boxes=[square])])[0].pseudo_boxes == (square,)
    (thin,) = Filter(0, 1, 2.0, 0.7, 9)([record(picture=wide, boxes=[box("dog", rect=(0.1, 0.1, 0.5, 0.5))])])
    assert thin.removed == ("pseudo_boxes: thin",)


@pytest.mark.parametrize(
    ("boxes", "names"),
    [
        ([box("dog", 0.4), box("cat", 0.6), box("cow", 0.5)], ["cat"]),
        ([box("dog", 0.4, phrase="white dog"), box("cat", 0.6)], ["dog"]),  # a text speaks of a dog
        ([box("dog", 0.4, phrase="dog"), box("man", 0.6, phrase="man")], ["man", "dog"]),  # one region, two texts
        ([box("dog", 0.4), box("cat", 0.6, (0.1, 0.1, 0.9, 0.7))], ["cat", "dog"]),  # IoU .75
    ],
)
def test_one_place_has_one_name_unless_texts_say_more(boxes: list[PseudoBox], names: list[str]) -> None:
    (after,) = Filter(0, 1, 99, 0.7, 9)([record(boxes=boxes)])
    assert [b.name for b in after.pseudo_boxes] == names


def test_tags_of_people_machines_and_detectors() -> None:
    words = Vocabulary({"object": dict.fromkeys(["dog", "car", "red car"], 5), "attribute": dict.fromkeys(["red", "small"], 5)})
    before = replace(
        record("A red automobile in a garage", boxes=[replace(box("dog", 0.7), attributes=("small",)), box("ufo", 0.4)]),
        pseudo_captions=(Caption("a red dog", "m", 0.3),),
    )
    before = replace(before, phrases=tuple(map(tuple, LexiconParser()(before.texts()))))
    (after,) = Tags(words, Synonyms({"automobile": "car"}))([before])
    assert [(t.name, t.kind, t.score, t.model, t.of) for t in after.tags] == [
        ("car", "object", 1.0, "captions", ()),
        ("dog", "object", 0.7, "d", ()),
        ("ufo", "object", 0.4, "d", ()),
        ("red", "attribute", 1.0, "captions", ("car", "dog")),
        ("small", "attribute", 0.7, "d", ("dog",)),
    ]


def test_regions_are_described_from_their_crops() -> None:
    captioner = Echo("a thing")
    boxes = [box("a", rect=(0.0, 0.0, 0.2, 0.2)), box("b", rect=(0.0, 0.0, 0.9, 0.9)), box("c", rect=(0.5, 0.5, 0.9, 0.9))]
    first, second = Describe(captioner, 2, batch=2)([record(boxes=boxes), record(boxes=boxes[:1])])
    assert [b.caption for b in first.pseudo_boxes] == ["", "a thing", "a thing"]
    assert [b.caption for b in second.pseudo_boxes] == ["a thing"]
    assert captioner.seen == [0, 2, 1]  # three crops, two at once
    assert largest(boxes, 9) == [1, 2, 0]
    shown = np.arange(100 * 100 * 3, dtype=np.uint32).reshape(100, 100, 3).astype(np.uint8)
    assert np.array_equal(crop(shown, box("a", rect=(0.2, 0.4, 0.4, 0.6))), shown[38:63, 18:43])
    assert crop(shown, box("a", rect=(0.0, 0.9, 0.001, 1.0))).shape == (11, 1, 3)


def mask(rows: slice, columns: slice) -> Any:
    made = np.zeros((4, 6), np.bool_)
    made[rows, columns] = True
    return made


def test_the_better_segment_has_the_pixel() -> None:
    painted = flatten(
        [
            Segment(mask(slice(0, 4), slice(0, 3)), "cat", 0.9),
            Segment(mask(slice(0, 2), slice(0, 6)), "dog", 0.5),
            Segment(mask(slice(0, 1), slice(0, 1)), "hidden", 0.1),
        ],
        (4, 6),
    )
    assert painted is not None
    assert (painted.names, painted.scores) == (("null", "dog", "cat"), (0.0, 0.5, 0.9))
    assert painted.index.tolist() == [[2, 2, 2, 1, 1, 1]] * 2 + [[2, 2, 2, 0, 0, 0]] * 2
    assert flatten([], (4, 6)) is None
    assert flatten([Segment(mask(slice(0, 0), slice(0, 0)), "empty", 1.0)], (4, 6)) is None


class Halves:
    """A segmenter: the left half is a cat."""

    name, version = "halves", "1"

    def __call__(self, pictures: Sequence[Picture], boxes: Sequence[Sequence[PseudoBox]]) -> list[list[Segment]]:
        return [[Segment(np.tile(np.arange(p.shape[1]) < p.shape[1] // 2, (len(p), 1)), "cat", 0.5)] for p in pictures]


def test_masks_take_the_place_of_old_ones() -> None:
    before = replace(record(), companions={"pseudo_mask.png": b"old", "mask.png": b"kept"})
    before.given["pseudo_mask_names"] = ["null", "old"]
    (after,) = Masks(Halves())([before])
    assert isinstance(after.pseudo_mask, PseudoMask)
    assert after.pseudo_mask.index.mean() == 0.5
    assert after.companions == {"mask.png": b"kept"}
    assert after.given == {}


def test_stages_are_built_by_name() -> None:
    assert isinstance(build("filter", Settings(max_boxes=3)), Filter)
    assert build("fingerprint", Settings()) is fingerprints
