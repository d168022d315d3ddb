"""NanoDet-m: the ncnn loader and its errors, box decoding."""

from pathlib import Path

import pytest
import torch
from quantize.model.nanodet import BGR_MEAN, BGR_SCALE, BINS, NanoDet, act, load_nanodet
from quantize.model.trunk import decode_boxes
from quantize.tests.synthetic import write_nanodet
from torch import nn


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "net.param", tmp_path / "net.bin"


def test_towers_have_the_stated_shapes() -> None:
    with torch.no_grad():
        towers = NanoDet()(torch.zeros(2, 3, 64, 96))
    assert [tuple(t.shape) for t in towers] == [(2, 96, 8, 12), (2, 96, 4, 6), (2, 96, 2, 3)]


@pytest.mark.parametrize("half", [True, False])
def test_weights_come_back_from_ncnns_files(half: bool, files: tuple[Path, Path]) -> None:
    net = NanoDet()
    write_nanodet(net, *files, half=half)
    loaded = load_nanodet(*files)
    for (name, a), b in zip(net.state_dict().items(), loaded.state_dict().values(), strict=True):
        if not name.startswith("stem"):
            assert torch.allclose(a, b, atol=5e-4 if half else 0, rtol=0), name


def test_the_teachers_input_is_folded_into_the_stem(files: tuple[Path, Path]) -> None:
    net = NanoDet()
    write_nanodet(net, *files, half=False)
    rgb = torch.rand(1, 3, 32, 32) * 255
    bgr = (rgb.flip(1) - torch.tensor(BGR_MEAN)[:, None, None]) * torch.tensor(BGR_SCALE)[:, None, None]
    expected = act(net.stem(bgr))[:, :, 1:, 1:]  # the border sees padding
    found = act(load_nanodet(*files).stem(rgb / 127.5 - 1))[:, :, 1:, 1:]
    assert torch.allclose(found, expected, atol=1e-4)


def test_another_kind_of_file_is_refused(files: tuple[Path, Path]) -> None:
    files[0].write_text("<html>not found</html>")
    files[1].write_bytes(b"")
    with pytest.raises(ValueError, match=r"net\.param: found '<html>not found</htm', expected an ncnn text param file"):
        load_nanodet(*files)


def test_another_network_is_refused(files: tuple[Path, Path]) -> None:
    net = NanoDet()
    write_nanodet(net, *files, half=True)
    lines = files[0].read_text().splitlines()
    files[0].write_text("\n".join(lines[:-1]))
    with pytest.raises(ValueError, match=r"net\.param: found \d+ convolutions, expected NanoDet-m's \d+"):
        load_nanodet(*files)
    net.stem = nn.Conv2d(3, 25, 3)
    write_nanodet(net, *files, half=True)
    with pytest.raises(ValueError, match=r"net\.param: conv0 has 675 weights, expected 648"):
        load_nanodet(*files)


@pytest.mark.parametrize(("change", "message"), [(-4, r"the file ends in the weights of conv\d+"), (4, "4 of them left over")])
def test_weights_of_another_length_are_refused(change: int, message: str, files: tuple[Path, Path]) -> None:
    write_nanodet(NanoDet(), *files, half=True)
    data = files[1].read_bytes()
    files[1].write_bytes(data[:change] if change < 0 else data + bytes(change))
    with pytest.raises(ValueError, match=rf"net\.bin: found \d+ bytes, {message}"):
        load_nanodet(*files)


def test_boxes_decoded_by_hand() -> None:
    """One-hot bins say the distance; two equal ones the value between them."""
    stride, h, w = 16, 2, 3
    bins = torch.full((1, 4 * BINS, h, w), -30.0)
    for side, distance in enumerate((1, 0, 2, 3)):
        bins[0, side * BINS + distance] = 30.0
    bins[0, 5, 1, 2] = 31.0  # left: 5 beats 1 by a factor e
    boxes = decode_boxes(bins, stride)
    assert boxes.shape == (1, h, w, 4)
    assert boxes[0, 0, 0].tolist() == pytest.approx([8 - 16, 8, 8 + 32, 8 + 48], abs=1e-4)
    e = 2.718281828
    left = (1 + 5 * e) / (1 + e)
    assert boxes[0, 1, 2].tolist() == pytest.approx([40 - 16 * left, 24, 40 + 32, 24 + 48], abs=1e-3)
