"""The exported form of the heads computes what the trained form does."""

import pytest
import torch
from quantize.export.graphs import VISION_OUTPUTS, PromptGraph, VisionGraph
from quantize.model.edgeclip import EdgeClip
from quantize.model.heads import Standardise
from quantize.model.mobilenetv2 import MobileNetV2
from quantize.model.nanodet import NanoDet
from quantize.model.pooling import EXTENT_FEATURES, TOWER_FEATURES, pool
from quantize.model.registry import STRIDES
from quantize.model.trunk import Trunk
from quantize.tests.synthetic import activations_like_trained
from torch import Tensor

SIZE, DIM = 96, 12


@pytest.fixture(scope="module")
def parts() -> tuple[Trunk, EdgeClip, Tensor]:
    """A random trunk, a random model with standardisation, temperature and gain off their defaults, and class names."""
    torch.manual_seed(0)
    trunk = Trunk(MobileNetV2(), NanoDet())
    activations_like_trained(trunk, 0)
    model = EdgeClip(trunk, DIM, 16, 0.5)
    for module in model.modules():
        if isinstance(module, Standardise):
            module.measure(torch.randn(50, len(module.shift)) * 2 + 1)
    for concepts in (model.image.concepts, model.region.concepts):
        torch.nn.init.constant_(concepts.log_sharpness, 0.3)
        torch.nn.init.constant_(concepts.gain, 1.7)
    return trunk.eval(), model.eval(), torch.nn.functional.normalize(torch.randn(1000, DIM), dim=1)


def outputs(parts: tuple[Trunk, EdgeClip, Tensor], x: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        return dict(zip(VISION_OUTPUTS, VisionGraph(*parts).eval()(x), strict=True))


PICTURE = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1


@torch.no_grad()
def test_the_vision_graph_is_trunk_and_heads(parts: tuple[Trunk, EdgeClip, Tensor]) -> None:
    trunk, model, classes = parts
    maps, found = trunk(PICTURE), outputs(parts, PICTURE)
    assert torch.equal(found["semantic"], maps.semantic)
    image = model.image(maps.semantic.mean((2, 3)), classes)
    assert torch.allclose(found["image_embedding"], image, rtol=1e-4, atol=1e-4)
    for level, (stride, tower) in enumerate(zip(STRIDES, maps.towers, strict=True)):
        assert torch.equal(found[f"tower{stride}"], tower)
        logit, bins = model.anchor(tower[0].flatten(1).T, level)
        expected = torch.cat([logit[:, None], bins], 1).T.reshape(1, -1, *tower.shape[2:])
        assert torch.allclose(found[f"level{stride}"], expected, rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_the_dense_map_is_the_dense_head_at_each_cells_centre(parts: tuple[Trunk, EdgeClip, Tensor]) -> None:
    trunk, model, _ = parts
    maps, dense = trunk(PICTURE), outputs(parts, PICTURE)["dense"]
    cells = SIZE // 16
    assert dense.shape == (1, DIM, cells, cells)
    y, x = torch.meshgrid(*[(torch.arange(cells) + 0.5) * 16] * 2, indexing="ij")
    points = torch.stack([x, y, x, y], -1).reshape(-1, 4)
    where = torch.zeros(len(points), dtype=torch.long)
    vectors = torch.cat([pool(m, where, points, 1, SIZE) for m in (maps.semantic, maps.middle, maps.towers[1])], 1)
    assert torch.allclose(dense[0].flatten(1).T, model.dense(vectors), rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_the_prompt_graph_is_the_region_head(parts: tuple[Trunk, EdgeClip, Tensor]) -> None:
    _, model, classes = parts
    regions = torch.randn(9, TOWER_FEATURES + 1280 + EXTENT_FEATURES)
    assert torch.allclose(PromptGraph(model, classes).eval()(regions), model.region(regions, classes), rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_objectness_starts_as_the_sum_of_the_teachers_classes(parts: tuple[Trunk, EdgeClip, Tensor]) -> None:
    trunk, model, _ = parts
    towers = trunk(PICTURE).towers
    for level, (tower, (logits, bins)) in enumerate(zip(towers, trunk.teacher_outputs(towers), strict=True)):
        found, distances = model.anchor(tower[0].flatten(1).T, level)
        shifted = (logits[0].flatten(1) + model.anchor.SHIFT).clamp(min=0).sum(0) - model.anchor.SHIFT
        assert torch.allclose(found, shifted, rtol=1e-4, atol=1e-3)
        assert torch.allclose(distances.T, bins[0].flatten(1), rtol=1e-4, atol=1e-3)
