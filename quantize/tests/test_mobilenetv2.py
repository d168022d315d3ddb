"""MobileNetV2: TensorFlow's padding, the npz loader and its errors."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from quantize.model.mobilenetv2 import MobileNetV2, SameConv, load_mobilenetv2
from quantize.tests.synthetic import mobilenet_arrays


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [8, 12])
def test_padding_is_tensorflows(stride: int, size: int) -> None:
    """SAME: out = ceil(in / stride), the odd row of padding goes below and to the right."""
    conv = SameConv(3, 4, 3, stride, relu6=False)
    x = torch.randn(1, 3, size, size)
    out = -(-size // stride)
    total = (out - 1) * stride + 3 - size
    padded = torch.zeros(1, 3, size + total, size + total)
    padded[:, :, total // 2 : total // 2 + size, total // 2 : total // 2 + size] = x
    expected = torch.zeros(1, 4, out, out)
    assert conv.bias is not None
    for i in range(out):
        for j in range(out):
            window = padded[0, :, i * stride : i * stride + 3, j * stride : j * stride + 3]
            expected[0, :, i, j] = (conv.weight * window).sum((1, 2, 3)) + conv.bias
    assert torch.allclose(conv(x), expected, atol=1e-5)


def test_relu6_unless_linear() -> None:
    x = torch.randn(1, 2, 4, 4) * 20
    conv = SameConv(2, 3, 1)
    linear = F.conv2d(x, conv.weight, conv.bias)
    assert torch.equal(conv(x), linear.clamp(0, 6))
    conv.relu6 = False
    assert torch.equal(conv(x), linear)


def test_maps_have_the_stated_shapes() -> None:
    with torch.no_grad():
        maps = MobileNetV2()(torch.zeros(2, 3, 64, 96))
    assert [tuple(m.shape) for m in maps] == [(2, 32, 8, 12), (2, 96, 4, 6), (2, 1280, 2, 3)]


def test_weights_come_back_from_the_teachers_file(tmp_path: Path) -> None:
    net = MobileNetV2()
    np.savez(tmp_path / "net.npz", **mobilenet_arrays(net))  # type: ignore[arg-type]
    loaded = load_mobilenetv2(tmp_path / "net.npz")
    for name, value in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert len(list(net.modules())) == len(list(loaded.modules()))


@pytest.mark.parametrize("name", ["w17", "b52"])
def test_a_missing_array_is_named(name: str, tmp_path: Path) -> None:
    arrays = mobilenet_arrays(MobileNetV2())
    del arrays[name]
    path = tmp_path / "net.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rf"net\.npz: array {name} is missing; expected w0, b0 … w52, b52"):
        load_mobilenetv2(path)


@pytest.mark.parametrize("name", ["w0", "w4", "b3", "w52"])
def test_a_misshapen_array_is_named(name: str, tmp_path: Path) -> None:
    arrays = mobilenet_arrays(MobileNetV2())
    arrays[name] = np.zeros((*arrays[name].shape[:-1], arrays[name].shape[-1] + 1), np.float32)
    path = tmp_path / "net.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rf"net\.npz: {name} has shape .*, expected "):
        load_mobilenetv2(path)
