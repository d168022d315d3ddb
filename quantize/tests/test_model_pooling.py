"""Region vectors: the same in PyTorch (training), numpy (specification) and by grid_sample."""

import pytest
import torch
import torch.nn.functional as F
from quantize.arithmetic import reference
from quantize.model.pooling import EXTENT_FEATURES, REGION_POOLS, TOWER_FEATURES, expand, named_maps, pool, region_vectors
from quantize.model.trunk import Maps
from torch import Tensor

SIZE = 160
PICTURES = 3


def random_maps(seed: int = 0) -> Maps:
    g = torch.Generator().manual_seed(seed)
    towers = [torch.randn(PICTURES, 96, SIZE // s, SIZE // s, generator=g) for s in (8, 16, 32)]
    semantic, middle = (torch.randn(PICTURES, c, SIZE // s, SIZE // s, generator=g) for c, s in ((1280, 32), (96, 16)))
    return Maps(semantic, middle, towers)


def random_boxes(count: int, seed: int = 0) -> Tensor:
    """Of all sizes: some under 64 pixels, some over 128, some at the canvas's edges."""
    g = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=g) * SIZE * 0.9
    side = torch.rand(count, 2, generator=g) ** 2 * SIZE + 4
    return torch.cat([corner, (corner + side).clamp(max=SIZE)], 1)


CONTENT = torch.tensor([[0.0, 0.0, 160.0, 160.0], [0.0, 20.0, 160.0, 140.0], [30.0, 0.0, 130.0, 160.0]])


def test_region_vectors_are_the_specifications() -> None:
    maps, boxes = random_maps(), random_boxes(60)
    boxes[0] = torch.tensor([3.0, 2.0, 155.0, 160.0])
    boxes[3] = torch.tensor([40.0, 50.0, 104.0, 114.0])  # 64 pixels: the first limit is no longer below it
    batch = torch.arange(60) % PICTURES
    boxes = torch.cat([torch.maximum(boxes[:, :2], CONTENT[batch, :2]), torch.minimum(boxes[:, 2:], CONTENT[batch, 2:])], 1)
    real = (boxes[:, 2:] - boxes[:, :2]).amin(1) > 1
    boxes, batch = boxes[real], batch[real]
    edge = (boxes[:, 2:] - boxes[:, :2]).prod(1).sqrt()
    assert set(torch.bucketize(edge, torch.tensor(REGION_POOLS[0].limits)).tolist()) == {0, 1, 2}  # every level is chosen
    found = region_vectors(maps, batch, boxes, CONTENT[batch], SIZE)
    assert found.shape == (len(boxes), TOWER_FEATURES + 1280 + EXTENT_FEATURES)
    named = named_maps(maps)
    for i in range(len(boxes)):
        outputs = {k: m[batch[i]].numpy() for k, m in named.items()}
        expected = reference.region_vector(outputs, REGION_POOLS, SIZE, CONTENT[batch[i]].numpy(), boxes[i].numpy())
        assert found[i].numpy() == pytest.approx(expected, abs=1e-5)


def test_pool_is_the_mean_of_grid_sample() -> None:
    features, boxes, n = random_maps().towers[1], random_boxes(20, seed=2), 4
    batch = torch.arange(20) % PICTURES
    found = pool(features, batch, boxes, n, SIZE)
    t = (torch.arange(n) + 0.5) / n
    for i in range(20):
        x0, y0, x1, y1 = boxes[i]
        y, x = torch.meshgrid(y0 + t * (y1 - y0), x0 + t * (x1 - x0), indexing="ij")
        grid = torch.stack([x, y], -1)[None] / SIZE * 2 - 1
        one = features[batch[i]][None]
        expected = F.grid_sample(one, grid, mode="bilinear", padding_mode="border", align_corners=False).mean((2, 3))[0]
        assert found[i].numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_order_of_boxes_does_not_matter() -> None:
    maps, boxes = random_maps(), random_boxes(30, seed=3)
    batch = torch.arange(30) % PICTURES
    found = region_vectors(maps, batch, boxes, CONTENT[batch], SIZE)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    shuffled = region_vectors(maps, batch[order], boxes[order], CONTENT[batch[order]], SIZE)
    assert torch.allclose(shuffled, found[order], atol=1e-6)


def test_a_picture_without_boxes_disturbs_nobody() -> None:
    maps, boxes = random_maps(), random_boxes(4)
    batch = torch.tensor([2, 2, 0, 2])
    found = pool(maps.semantic, batch, boxes, 3, SIZE)
    for i in range(4):
        alone = pool(maps.semantic[batch[i]][None], torch.tensor([0]), boxes[i][None], 3, SIZE)
        assert torch.allclose(found[i], alone[0], atol=1e-6)
    assert pool(maps.semantic, batch[:0], boxes[:0], 3, SIZE).shape == (0, 1280)


def test_expand_grows_about_the_centre_and_stays_in_the_content() -> None:
    content = torch.tensor([[0.0, 20.0, 160.0, 140.0]])
    box = torch.tensor([[60.0, 70.0, 100.0, 90.0]])
    assert expand(box, 2.0, False, content).tolist() == [[40, 60, 120, 100]]
    assert expand(box, 2.0, True, content).tolist() == [[40, 40, 120, 120]]
    assert expand(box, 4.0, True, content).tolist() == [[0, 20, 160, 140]]


def test_bfloat16_maps_are_pooled_in_float() -> None:
    maps, boxes = random_maps(), random_boxes(5)
    found = pool(maps.semantic.bfloat16(), torch.zeros(5, dtype=torch.long), boxes, 4, SIZE)
    assert found.dtype == torch.float32


def test_the_manifests_pools_give_the_stated_length() -> None:
    towers = [p for p in REGION_POOLS if p.maps[0].startswith("tower")]
    assert sum(random_maps().towers[0].shape[1] for _ in towers) == TOWER_FEATURES
    assert all(len(p.limits) == len(p.maps) - 1 for p in REGION_POOLS)
