"""Backbones by name: the maps, their channels, and what is said about networks that do not fit."""

from pathlib import Path

import pytest
import torch
from quantize.model.registry import TimmBackbone, load_backbone, names_classifier

NOWHERE = Path("no-such-folder")


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_050"])
def test_timm_backbones_give_three_maps_and_a_classifier(name: str) -> None:
    net = load_backbone(f"timm:{name}", "random", NOWHERE).eval()
    assert isinstance(net, TimmBackbone)
    maps = net(torch.zeros(1, 3, 96, 64))
    for found, channels, stride in zip(maps, net.channels, (8, 16, 32), strict=True):
        assert found.shape == (1, channels, 96 // stride, 64 // stride)
    assert names_classifier(net).weight.shape == (1000, net.channels[2])


def test_the_shared_input_becomes_timms_normalisation() -> None:
    net = TimmBackbone("resnet18", "random")
    pixel = torch.tensor([0.0, 100.0, 255.0]).view(3, 1, 1, 1).expand(3, 3, 1, 1)
    mean, std = (torch.tensor(net.net.pretrained_cfg[k]).view(1, 3, 1, 1) for k in ("mean", "std"))
    shared = pixel / 127.5 - 1
    assert torch.allclose(shared * net.scale + net.shift, (pixel / 255 - mean) / std, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm:vit_tiny_patch16_224", r"strides \[16\], expected \[8, 16, 32\]"),
        ("timm:mobilenetv3_small_050", "expected ImageNet's 1000 names over the last map"),
        ("timm:nope", "list_models"),
        ("nope", "expected mobilenet_v2 or timm:NAME"),
    ],
)
def test_networks_that_do_not_fit_are_named(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_backbone(name, "random", NOWHERE)


def test_a_background_class_is_dropped() -> None:
    net = torch.nn.Module()
    net.classifier = torch.nn.Linear(4, 1001)
    assert torch.equal(names_classifier(net).weight, net.classifier.weight[1:])
