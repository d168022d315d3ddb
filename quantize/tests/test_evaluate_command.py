"""The evaluation as a program: its shard, its table, its errors, and its two ways to run a bundle."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quantize.bundle.manifest import read_manifest
from quantize.evaluate.binary import BinaryError, BinaryPredictor
from quantize.evaluate.on_shards import closing_line
from quantize.evaluate.onnx import OnnxPredictor
from quantize.evaluate.samples import ShardError, read_shard
from quantize.evaluate.statistics import Estimate
from quantize.evaluate.texts import TextCutter

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models/default"
PHOTOS = ROOT / "tests/data"


def shard(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 10, 10)).save(out, "JPEG")
    return out.getvalue()


def test_a_shard_is_read_by_source(tmp_path: Path) -> None:
    record = {"source": "coco", "boxes": [{"box": [0.25, 0.5, 0.5, 1.0], "name": "dog"}]}
    path = shard(tmp_path / "val.tar", {"a-1.json": json.dumps(record).encode(), "a-1.jpg": jpeg(40, 20)})
    (sample,) = read_shard(path)["coco"]
    assert sample.picture().shape == (20, 40, 3)
    boxes, names = sample.boxes()
    assert boxes.tolist() == [[10, 10, 20, 20]]
    assert names == ["dog"]


def test_a_sample_without_its_picture_is_named(tmp_path: Path) -> None:
    path = shard(tmp_path / "val.tar", {"a-1.json": b'{"source": "coco"}'})
    with pytest.raises(ShardError, match=r"val\.tar: a-1 has no \.jpg"):
        read_shard(path)


def evaluate(*arguments: str | Path) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "quantize.evaluate", *(str(a) for a in arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


def test_a_missing_shard_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    code, errors = evaluate("--data", tmp_path / "none.tar")
    assert code == 2
    assert errors == [f"evaluate: {tmp_path}/none.tar: no such file, expected a validation shard (--data)"]


def test_a_shard_without_the_needed_sets_is_an_error(tmp_path: Path) -> None:
    path = shard(tmp_path / "val.tar", {"a-1.json": b'{"source": "coco"}', "a-1.jpg": jpeg(4, 4)})
    (tmp_path / "heldout_names.txt").touch()
    code, errors = evaluate("--data", path)
    assert code == 2
    assert len(errors) == 1
    assert "found coco, expected samples of coco128_val2017" in errors[0]


def test_a_missing_binary_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BinaryError, match="no such program"):
        BinaryPredictor(tmp_path / "edgeclip", MODEL)


def test_the_closing_line_has_shares_in_percent_and_numbers_as_they_are() -> None:
    ours = {"COCO-80 AP50": Estimate(0.2345, 0.2, 0.3), "Flickr8k text → image R@10": Estimate(0.617, 0.6, 0.7)}
    ours["200 absent names: wrong tags a picture"] = Estimate(8.25, 7, 9, share=False)
    assert closing_line(ours) == "val AP50 23.4 gtbox – heldout – any-box – false-tags 8.2 R@10 61.7 miou –"


@pytest.fixture(scope="module")
def binary() -> BinaryPredictor:
    if "EDGECLIP_BINARY" not in os.environ:
        pytest.skip("EDGECLIP_BINARY does not name the program (tests/run.sh sets it)")
    return BinaryPredictor(Path(os.environ["EDGECLIP_BINARY"]), MODEL)


def photo(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(PHOTOS / name).convert("RGB"))


def test_the_binary_failing_is_one_line(binary: BinaryPredictor, tmp_path: Path) -> None:
    for name in ("model.toml", "tokenizer.json"):
        shutil.copy(MODEL / name, tmp_path)
    broken = BinaryPredictor(binary.binary, tmp_path)
    with pytest.raises(BinaryError, match=r"eval ended with exit code 2: edgeclip: .*") as caught:
        broken.embed_texts(["dog"])
    assert "\n" not in str(caught.value)


def test_an_error_of_the_binary_is_one_line_and_it_goes_on(binary: BinaryPredictor) -> None:
    with pytest.raises(BinaryError, match=r"edgeclip eval: vocabulary: found 0 names, expected 1 to 20000$"):
        binary.tag_scores([photo("cat.jpg")], [])
    assert binary.tag_scores([photo("cat.jpg")], ["cat", "dog"]).shape == (1, 2)


def test_captions_are_cut_to_what_the_tower_takes() -> None:
    cut = TextCutter(MODEL, read_manifest(MODEL))
    assert cut("two dogs on a beach") == "two dogs on a beach"
    long = cut("unbelievable, " * 100)
    assert long + ("unbelievable, " * 100)[len(long) :] == "unbelievable, " * 100
    assert 0 < len(long) < 500
    assert cut(long) == long


def test_long_captions_are_the_same_to_both_runtimes(binary: BinaryPredictor) -> None:
    texts = ["a man in a red coat walks a small brown dog along the river and " * 12, "dog"]
    cosines = (binary.embed_texts(texts) * OnnxPredictor(MODEL).embed_texts(texts)).sum(axis=1)
    assert cosines.min() > 0.98


def test_texts_keep_their_order_and_may_repeat(binary: BinaryPredictor) -> None:
    texts = ["a dog, in = red .", "cat", "A dog, in = red .", "50% off #1"]
    found = binary.embed_texts(texts)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert (found[0] == found[2]).all()
    alone = binary.embed_texts(["cat"])[0]
    assert found[1] == pytest.approx(alone, abs=1e-5)


def test_both_runtimes_answer_in_the_same_shapes(binary: BinaryPredictor) -> None:
    onnx = OnnxPredictor(MODEL)
    pictures = [photo("coffee.jpg"), photo("cat.jpg")]
    boxes = [np.array([[10, 20, 300, 200]], np.float32), np.array([[0, 0, 451, 300], [5, 5, 60, 90]], np.float32)]
    names = ["cup", "cat", "spoon"]
    for method, arguments in [
        ("embed_texts", (names,)),
        ("embed_images", (pictures,)),
        ("tag_scores", (pictures, names)),
    ]:
        first, second = (getattr(predictor, method)(*arguments) for predictor in (binary, onnx))
        assert first.shape == second.shape, method
    given = list(zip(pictures, boxes, strict=True))
    for first, second in zip(binary.embed_regions(given), onnx.embed_regions(given), strict=True):
        assert first.shape == second.shape
    for first, second in zip(binary.dense(pictures), onnx.dense(pictures), strict=True):
        assert first.embeddings.shape == second.embeddings.shape
        assert first.content == pytest.approx(second.content)
    for found, picture in zip(binary.detect(pictures, names, 0.001, 7), pictures, strict=True):
        assert 0 < len(found.scores) <= 7
        assert (np.diff(found.scores) <= 0).all()
        assert (found.boxes[:, 2:] <= np.array(picture.shape[1::-1]) + 0.05).all()
