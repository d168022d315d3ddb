"""RegionClip's embeddings over cached features: shapes, unit vectors, what each prompt looks at, errors."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from quantize import losses
from quantize.model import regions
from quantize.model.dense import Dense, Slots
from quantize.model.prediction import decode, masks
from quantize.model.projector import projection
from quantize.model.region_clip import RegionClip
from quantize.model.weights import load_weights
from quantize.settings.model import ModelSettings
from torch import Tensor
from torchvision.ops import roi_align

C, P, W, D = 12, 10, 9, 8
SETTINGS = ModelSettings(
    encoder=f"cached:{C}:{P}", text=f"cached:{W}", dim=D, prompter_width=16, head_width=8, bins=4, prototypes=3
)
OWNER = torch.tensor([1, 0, 1, 1])
BOXES = torch.tensor([[0.1, 0.2, 0.5, 0.9], [0.0, 0.0, 1.0, 1.0], [0.4, 0.4, 0.45, 0.45], [0.6, 0.1, 0.9, 0.3]])


def model(**changes: object) -> RegionClip:
    torch.manual_seed(0)
    return RegionClip(replace(SETTINGS, **changes))  # type: ignore[arg-type]


def dense(h: int = 6, w: int = 5) -> Dense:
    g = torch.Generator().manual_seed(1)
    return Dense(torch.randn(2, C, h, w, generator=g), torch.randn(2, P, generator=g))


def discs(count: int) -> Tensor:
    ys, xs = torch.meshgrid(torch.linspace(0, 1, 24), torch.linspace(0, 1, 20), indexing="ij")
    return torch.stack([((xs - 0.2 * i).square() + (ys - 0.5).square()) < 0.05 for i in range(count)])


@pytest.mark.parametrize("kind", ["prompter", "roi_align"])
def test_embeddings_are_float32_under_autocast(kind: str) -> None:
    net, d = model(regions=kind), dense()
    with torch.autocast("cpu", torch.bfloat16):
        found = [net.image(d), net.regions(d, BOXES, OWNER), net.masked(d, discs(4), OWNER), net.project_text(torch.randn(3, W))]
    assert all(x.dtype == torch.float32 for x in found)
    assert torch.cosine_similarity(found[1], net.regions(d, BOXES, OWNER)).min() > 0.999


@pytest.mark.parametrize("kind", ["prompter", "roi_align"])
@pytest.mark.parametrize("count", [4, 0])
def test_embeddings_are_unit_vectors_of_the_joint_space(kind: str, count: int) -> None:
    net, d, owner = model(regions=kind), dense(), OWNER[:count]
    found = {
        "regions": net.regions(d, BOXES[:count], owner),
        "points": net.points(d, BOXES[:count, :2], owner),
        "prompted masks": net.prompted_masks(d, discs(4)[:count], owner),
        "masked": net.masked(d, discs(4)[:count], owner),
        "text": net.project_text(torch.randn(count, W)),
    }
    for name, x in found.items():
        assert x.shape == (count, D), name
        assert torch.allclose(x.norm(dim=1), torch.ones(count), atol=1e-5), name
    for x in (net.image(d), net.patch_mean(d)):
        assert x.shape == (2, D)
        assert torch.allclose(x.norm(dim=1), torch.ones(2), atol=1e-5)
    assert net.pixels(d).shape == (2, D, 6, 5)
    assert torch.allclose(net.pixels(d).norm(dim=1), torch.ones(2, 6, 5), atol=1e-5)


def test_roi_align_regions_are_torchvisions() -> None:
    net, d = model(regions="roi_align"), dense()
    pixels = BOXES * torch.tensor([5.0, 6.0, 5.0, 6.0])
    for i, owner in enumerate(OWNER.tolist()):
        (cells,) = roi_align(d.map[owner][None], [pixels[i : i + 1]], (7, 7), 1.0, 2, True)
        expected = F.normalize(net.region_projection(cells.mean((1, 2))), dim=0)
        assert torch.allclose(net.regions(d, BOXES, OWNER)[i], expected, atol=1e-6)


def test_points_are_read_between_cells() -> None:
    d = dense()
    at_cell = regions.at_points(d.map, torch.tensor([[2.5 / 5, 1.5 / 6]]), torch.tensor([1]))
    assert torch.allclose(at_cell[0], d.map[1, :, 1, 2], atol=1e-6)
    between = regions.at_points(d.map, torch.tensor([[3.0 / 5, 1.5 / 6]]), torch.tensor([0]))
    assert torch.allclose(between[0], (d.map[0, :, 1, 2] + d.map[0, :, 1, 3]) / 2, atol=1e-6)


def test_mask_pooling_is_the_mean_over_covered_cells() -> None:
    net, d = model(), dense()
    pixels = net.pixels(d)
    mask = torch.zeros(3, 12, 10)
    mask[0, :, 4:6] = 1  # the third column of cells
    mask[1] = 1
    mask[2, 0, 0] = 1  # a quarter of one cell
    found = net.masked(d, mask, torch.tensor([0, 1, 0]))
    assert torch.allclose(found[0], F.normalize(pixels[0, :, :, 2].mean(1), dim=0), atol=1e-6)
    assert torch.allclose(found[1], F.normalize(pixels[1].mean((1, 2)), dim=0), atol=1e-6)
    assert torch.allclose(found[2], pixels[0, :, 0, 0], atol=1e-6)
    assert net.masked(d, torch.zeros(1, 12, 10), torch.tensor([0])).abs().sum() == 0


def test_grounding_gives_ordered_boxes_that_depend_on_text_and_picture() -> None:
    net, d = model(), dense()
    text = net.project_text(torch.randn(1, W)).expand(2, -1)
    boxes = net.ground(d, text, torch.tensor([0, 1]))
    assert boxes.shape == (2, 4)
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert not torch.allclose(boxes[0], boxes[1])
    assert not torch.allclose(net.ground(d, -text, torch.tensor([0, 1])), boxes)
    with pytest.raises(ValueError, match="regions is roi_align: grounding expects regions = prompter"):
        model(regions="roi_align").ground(d, text, torch.tensor([0, 1]))


def test_grounding_learns_where_the_text_is() -> None:
    """Of two patterns on a map of 6 x 6 cells, the text asks for one."""
    net = model(prompter_width=32, pool="prompt")
    g = torch.Generator().manual_seed(2)
    patterns, words = torch.randn(2, C, generator=g) * 2, torch.randn(2, W, generator=g)
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    owner = torch.arange(16).repeat_interleave(2)
    loss = torch.tensor(0.0)
    for _ in range(80):
        x, y = torch.randint(0, 3, (2, 16, 2), generator=g)
        x[:, 1] += 3  # the second pattern is in the right half
        features = torch.randn(16, C, 3, 6, generator=g) * 0.1
        for which in range(2):
            features[torch.arange(16), :, y[:, which], x[:, which]] += patterns[which]
        target = torch.stack([x / 6, y / 3, (x + 1) / 6, (y + 1) / 3], 2).flatten(0, 1)
        text = net.project_text(words).repeat(16, 1)
        loss = losses.grounding(net.ground(Dense(features.repeat_interleave(2, 2), torch.zeros(16, P)), text, owner), target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert loss.item() < 0.005  # the mean box of each word leaves .04


def test_prediction_decodes_distances_into_fractions() -> None:
    bins = torch.full((1, 6, 16), -20.0)
    for side, cells in enumerate((0, 1, 2, 3)):
        bins[0, :, 4 * side + cells] = 20.0
    boxes = decode(bins, 2, 3)
    x, y = 0.5, 0.25  # of the second cell
    expected = [x - 0 / 3, y - 1 / 2, x + 2 / 3, y + 3 / 2]
    assert boxes[0, 1].tolist() == pytest.approx([min(max(e, 0), 1) for e in expected], abs=1e-6)


def test_predictions_and_their_masks_have_the_shapes_they_say() -> None:
    found = model().predict(dense())
    assert found.objectness.shape == (2, 30)
    assert found.bins.shape == (2, 30, 16)
    assert found.boxes.shape == (2, 30, 4)
    assert (found.boxes[..., 2:] >= found.boxes[..., :2]).all()
    assert found.coefficients.abs().max() <= 1
    assert found.prototypes.shape == (2, 3, 12, 10)
    chosen, owner = torch.tensor([4, 17, 2]), torch.tensor([0, 1, 1])
    by_hand = sum(found.coefficients[1, 17, k] * found.prototypes[1, k] for k in range(3))
    assert isinstance(by_hand, Tensor)
    assert torch.allclose(masks(found, owner, chosen)[1], by_hand, atol=1e-6)


def test_equal_widths_start_as_the_identity_and_others_orthogonal() -> None:
    x = torch.randn(3, 8)
    assert torch.equal(projection(8, 8)(x), x)
    w = projection(20, 8).weight
    assert torch.allclose(w @ w.T, torch.eye(8), atol=1e-5)


def test_the_projector_starts_as_its_projection() -> None:
    net, d = model(), dense()
    expected = F.normalize(net.projector.projection(d.map.movedim(1, -1)), dim=-1).movedim(-1, 1)
    assert torch.allclose(net.pixels(d), expected, atol=1e-6)


def test_scales_are_bounded_and_apart() -> None:
    net = model(start_scale=5.0, max_scale=50.0, start_bias=-3.0)
    assert net.scale("image").item() == pytest.approx(5.0)
    with torch.no_grad():
        net.log_scale["region"].fill_(math.log(900.0))
    assert net.scale("region").item() == 50.0
    assert net.scale("tag").item() == pytest.approx(5.0)
    assert net.bias("pixel").item() == -3.0


def test_slots_bring_every_row_back() -> None:
    slots = Slots(OWNER, 3)
    rows = torch.arange(8.0).reshape(4, 2)
    table = slots.spread(rows)
    assert table.shape == (3, 3, 2)
    assert table[1].tolist() == [[0, 1], [4, 5], [6, 7]]
    assert table[2].abs().sum() == 0
    assert torch.equal(slots.collect(table), rows)


def test_a_cache_encodes_nothing() -> None:
    net = model()
    with pytest.raises(ValueError, match="encoder is cached:12:10: it takes features from a cache"):
        net.encode(torch.zeros(1, 3, 32, 32))
    with pytest.raises(ValueError, match="text is cached:9: it takes vectors from a cache"):
        net.text(["a"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regions": "roi"}, "regions is 'roi', expected one of prompter, roi_align"),
        ({"tune_text": "all"}, "tune_text is 'all', expected one of full, frozen, lora, adapter"),
        ({"dim": 0}, "dim is 0, expected at least 1"),
        ({"prompter_width": 30}, "prompter_width is 30, expected a multiple of 4"),
        ({"start_scale": 200.0}, "start_scale is 200.0, expected above 0 and up to max_scale 100"),
        ({"encoder": "cached:12"}, "expected cached:CHANNELS:POOLED"),
        ({"text": "cached:x"}, "expected cached:WIDTH"),
        ({"text": "minilmm"}, "did you mean minilm"),
        ({"encoder": "mobilenet_v2", "dense": "projected"}, "which encoder mobilenet_v2 cannot do; expected dense = 'tokens'"),
        ({"encoder": "mobilenet_v2", "teachers": "/nowhere"}, "/nowhere/mobilenet_v2_imagenet.npz is missing"),
    ],
)
def test_settings_that_do_not_fit_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(**change)


def test_weights_that_do_not_fit_are_named() -> None:
    weights = model().state_dict()
    load_weights(model(), weights, "model.pt")
    with pytest.raises(ValueError, match=r"model.pt: image_projection.weight has shape \[8, 10\], expected \[6, 10\]"):
        load_weights(model(dim=6), weights, "model.pt")
    with pytest.raises(ValueError, match=r"model.pt: found \d+ tensors that this model has not, such as prompter"):
        load_weights(model(regions="roi_align", prompter_width=C), weights | model(regions="roi_align").state_dict(), "model.pt")
    weights.pop("projector.convs.0.gate")
    with pytest.raises(
        ValueError, match=r"model.pt: found no tensor projector.convs.0.gate among \d+, expected one of shape \[\]"
    ):
        load_weights(model(), weights, "model.pt")
