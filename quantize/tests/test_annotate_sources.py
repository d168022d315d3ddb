"""Inputs → records, and records → shards that training reads."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from quantize.annotate.errors import AnnotateError
from quantize.annotate.record import Caption, PseudoBox, PseudoMask, Record, Step, Tag, earlier, parts
from quantize.annotate.sources import find, read
from quantize.annotate.work import tar_of
from quantize.data.shards import Shards
from quantize.tests import label_forms
from quantize.tests.synthetic import jpeg, png, write_shard

GREY = np.full((40, 60, 3), 90, np.uint8)


def full_record() -> Record:
    """Something in every field that is written."""
    index = np.zeros((40, 60), np.uint16)
    index[:20] = 1
    given = {"source": "made", "captions": ["A dog."], "mask_names": ["null", "dog"]}
    companions = {"mask.png": png(np.eye(40, 60, dtype=np.uint8))}
    return Record(
        "k", jpeg(GREY), given, companions,
        pseudo_captions=(Caption("a dog", "blip", 0.51239),),
        tags=(Tag("dog", "object", 1.0, "captions"), Tag("brown", "attribute", 0.5, "owlv2", ("dog",))),
        pseudo_boxes=(PseudoBox((0.1, 0.2, 0.30004, 1.0), "dog", 0.75, "owlv2", "brown dog", ("brown",), "a dog sits"),),
        pseudo_mask=PseudoMask(index, ("null", "dog"), (0.0, 0.75)),
        provenance=(Step("detect", "owlv2", "1"),),
    )  # fmt: skip


def meta_of(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parts(record)["json"])
    return found


def test_the_json_of_a_record() -> None:
    assert meta_of(full_record()) == {
        "source": "made", "captions": ["A dog."], "mask_names": ["null", "dog"],
        "pseudo_captions": [{"text": "a dog", "model": "blip", "score": 0.5124}],
        "tags": [
            {"name": "dog", "kind": "object", "score": 1.0, "model": "captions"},
            {"name": "brown", "kind": "attribute", "score": 0.5, "model": "owlv2", "of": ["dog"]},
        ],
        "pseudo_boxes": [
            {
                "box": [0.1, 0.2, 0.3, 1.0], "name": "dog", "score": 0.75, "model": "owlv2",
                "phrase": "brown dog", "attributes": ["brown"], "caption": "a dog sits",
            }
        ],
        "pseudo_mask_names": ["null", "dog"], "pseudo_mask_scores": [0.0, 0.75],
        "provenance": [{"stage": "detect", "model": "owlv2", "version": "1"}],
    }  # fmt: skip
    bare = meta_of(Record("k", b"", pseudo_boxes=(PseudoBox((0, 0, 1, 1), "dog", 0.5, "m"),)))
    assert bare["pseudo_boxes"] == [{"box": [0, 0, 1, 1], "name": "dog", "score": 0.5, "model": "m"}]
    assert "pseudo_mask_names" not in bare


@pytest.mark.parametrize(("segments", "mode"), [(3, "L"), (300, "I;16")])
def test_masks_of_many_segments_have_two_bytes(segments: int, mode: str) -> None:
    index = np.arange(24, dtype=np.uint16).reshape(4, 6)
    index[0, 0] = segments
    mask = PseudoMask(index, tuple(map(str, range(segments + 1))), (0.0,) * (segments + 1))
    written = Image.open(io.BytesIO(parts(Record("k", b"", pseudo_mask=mask))["pseudo_mask.png"]))
    assert written.mode == mode
    assert np.array_equal(np.asarray(written), index)


def test_what_is_written_is_read_by_training_and_by_another_run(tmp_path: Path) -> None:
    record = full_record()
    (tmp_path / "a.tar").write_bytes(tar_of([record]))
    (sample,) = Shards([tmp_path / "a.tar"])
    assert (sample.key, sample.source, sample.captions) == ("k", "made", ["A dog.", "a dog"])
    assert [(b.name, b.score) for b in sample.boxes] == [("dog", 0.75)]
    assert sample.mask is not None
    (shard,) = find([tmp_path / "a.tar"], 10)
    (place,) = shard.places
    again = read(place)
    assert again.given == {"source": "made", "captions": ["A dog."], "mask_names": ["null", "dog"]} | {
        "pseudo_mask_names": ["null", "dog"], "pseudo_mask_scores": [0.0, 0.75],
    }  # fmt: skip
    assert again.pseudo_captions == (Caption("a dog", "blip", 0.5124),)
    assert [box.phrase for box in again.pseudo_boxes] == ["brown dog"]
    assert again.provenance == record.provenance
    assert again.tags == ()  # they are made again
    assert set(again.companions) == {"mask.png", "pseudo_mask.png"}


def test_the_same_records_give_the_same_bytes() -> None:
    assert tar_of([full_record()]) == tar_of([full_record()])


def test_unusable_guesses_of_the_input_are_counted() -> None:
    given = {"pseudo_boxes": [{"box": [0, 0, 1], "name": "a"}, {"box": [0, 0, 1, 1], "name": "b", "score": "x"}, 3], "tags": 3}
    kept, removed = earlier(given)
    assert kept == {"pseudo_captions": (), "pseudo_boxes": (), "provenance": ()}
    assert removed == ("pseudo_boxes of the input: unusable",) * 3
    assert given == {}


def test_folders_of_pictures_with_captions_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "my photos"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.b.jpg").write_bytes(jpeg(GREY))
    (folder / "a.b.txt").write_text("a dog\n\na cat\n")
    (folder / "sub" / "c.PNG").write_bytes(png(GREY))
    (folder / "sub" / "c.json").write_text('{"label": "mug"}')
    (folder / "sub" / "c.jpg").write_bytes(jpeg(GREY))
    (folder / "notes.md").write_text("not a picture")
    shards = find([folder], 2)
    assert [shard.name for shard in shards] == ["my photos-000", "my photos-001"]
    first, second = (read(place) for place in shards[0].places)
    (third,) = (read(place) for place in shards[1].places)
    assert (first.key, first.given) == ("a_b", {"captions": ["a dog", "", "a cat"]})
    assert (second.key, second.given, second.jpeg) == ("sub_c", {"label": "mug"}, (folder / "sub" / "c.PNG").read_bytes())
    assert third.key == "sub_c"
    assert {record.dropped for record in (first, second, third)} == {""}
    together = find([folder], 3)[0]
    assert [key for key, _ in together.places] == ["a_b", "sub_c", "sub_c_jpg"]


def test_labels_of_other_forms_come_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = label_forms.yolo(tmp_path / "mine")
    (shard,) = find([place], 9)
    assert shard.name == "mine-000"
    first, second = (read(each) for each in shard.places)
    assert (first.key, second.key) == ("images_train_a", "images_train_b")
    assert first.jpeg == (place / "images/train/a.jpg").read_bytes()
    assert [(b["name"], b["box"]) for b in second.given["boxes"]] == [("mug", [0.1, 0.1, 0.5, 0.9])]
    assert capsys.readouterr().err == f"annotate: {place}: YOLO labels (data.yaml): 2 pictures (2 train), 3 boxes of 2 names\n"
    (by_file,) = find([place / "data.yaml"], 9)
    assert by_file.name == "data-000"
    before = shard.identity
    (place / "labels/train/b.txt").write_text("1 0.5 0.5 0.4 0.8\n")
    assert find([place], 9)[0].identity != before
    (place / "data.yaml").unlink()
    with pytest.raises(AnnotateError, match="YOLO labels without names"):
        find([place], 9)


def test_bad_samples_say_so(tmp_path: Path) -> None:
    path = write_shard(
        tmp_path / "a.tar",
        {
            "good": {"jpg": jpeg(GREY), "json": b"{}"},
            "no_json": {"jpg": jpeg(GREY)},
            "no_picture": {"json": b"{}"},
            "broken": {"jpg": jpeg(GREY), "json": b"{"},
            "list": {"jpg": jpeg(GREY), "json": b"[1]"},
            "latin": {"jpg": jpeg(GREY), "txt": b"caf\xe9"},
        },
    )
    records = {key: read((key, where)) for key, where in find([path], 9)[0].places}
    assert {key: record.dropped for key, record in records.items()} == {
        "good": "", "no_json": "", "no_picture": "no picture", "broken": "broken JSON or text", "list": "broken JSON or text",
        "latin": "broken JSON or text",
    }  # fmt: skip


def test_a_cut_off_shard_gives_what_it_has(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "cut.tar", {f"k{i}": {"jpg": jpeg(GREY), "json": b"{}"} for i in range(8)})
    path.write_bytes(path.read_bytes()[:7000])
    (shard,) = find([path], 9)
    assert [key for key, _ in shard.places][:2] == ["k0", "k1"]
    assert len(shard.places) < 8


def test_chunks_cover_a_shard_once() -> None:
    shard = find([Path(__file__).parents[2] / "tests" / "data"], 1000)[0]
    chunks = shard.chunks(2)
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    assert tuple(place for chunk in chunks for place in chunk.places) == shard.places


def test_inputs_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar").write_text("no tar")
    with tarfile.open(tmp_path / "hollow.tar", "w"):
        pass
    with tarfile.open(tmp_path / "packed.tar", "w:gz") as tar:
        tar.add(Path(__file__), "a.py")
    good = write_shard(tmp_path / "good.tar", {"k": {"jpg": jpeg(GREY)}})
    cases = {
        "absent": "absent: no such file or folder, expected a WebDataset shard or a folder of pictures",
        "empty": "empty: found no pictures, expected some of jpg, jpeg, png, webp, bmp, or shards",
        "text.tar": "text.tar: found a file that is not a tar, expected",
        "hollow.tar": "hollow.tar: found no samples, expected KEY.jpg and KEY.json",
        "packed.tar": "packed.tar: .*expected an uncompressed tar of samples",
    }
    for name, message in cases.items():
        with pytest.raises(AnnotateError, match=message):
            find([tmp_path / name], 9)
    with pytest.raises(AnnotateError, match="found a second shard named good, expected names of their own"):
        find([good, good], 9)
