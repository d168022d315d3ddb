"""Examples, batches and objective of a RegionClip on drawn shapes."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from quantize.alignment.batches import Collator
from quantize.alignment.dense_cache import pack
from quantize.alignment.examples import example
from quantize.alignment.heads import head_terms
from quantize.alignment.loader import Slice, chosen
from quantize.alignment.objective import Objective
from quantize.alignment.task import AlignmentTask, load_parts, load_task, readable
from quantize.alignment.texts import Texts
from quantize.alignment.vocabulary import Vocabulary
from quantize.data.canvas import Placement, plain
from quantize.data.indexed import IndexedShards
from quantize.data.shards import Box, Sample, Tag
from quantize.model.assignment import assign
from quantize.model.dense import Dense
from quantize.model.prediction import Prediction, decode
from quantize.model.region_clip import RegionClip
from quantize.settings.loop import LoopSettings
from quantize.settings.model import ModelSettings
from quantize.settings.region_clip import RegionClipData, RegionClipRecipe, load_region_clip_recipe
from quantize.tests.synthetic import SHAPES, png, write_shapes, write_shard, write_teachers

ALL = {
    "image_text": 1.0, "image_text_sigmoid": 0.1, "tags": 0.5, "region_text": 1.0, "grounding": 1.0, "region_tags": 0.3,
    "pixels": 0.5, "objectness": 1.0, "boxes": 0.2, "masks": 0.2,
}  # fmt: skip
RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alignment")
    write_shapes(folder / "shapes.tar", 24)
    write_teachers(folder / "teachers")
    return folder


def recipe_in(place: Path, **data: object) -> RegionClipRecipe:
    values = {"batch": 8, "regions": 2, "grid": 2, "workers": 0, "least_tag_pictures": 1} | data
    return RegionClipRecipe(
        trains="clip", name="shapes", out=str(place / "out"),
        data=RegionClipData([str(place / "shapes.tar")], str(place / "cache"), **values),  # type: ignore[arg-type]
        model=ModelSettings(
            encoder="mobilenet_v2", teachers=str(place / "teachers"), dim=16, size=64, prompter_width=16, tune_image="frozen"
        ),
        loop=LoopSettings(steps=3), losses=ALL,
    )  # fmt: skip


def test_indexed_shards_hold_what_the_stream_holds(place: Path) -> None:
    samples = IndexedShards([place / "shapes.tar"], place / "cache")
    assert len(samples) == 24
    again = IndexedShards([place / "shapes.tar"], place / "cache")
    assert again[5].key == "shape005"
    assert again.sources[5] == b"shapes"
    np.testing.assert_array_equal(again[5].picture, samples[5].picture)
    assert samples[5].mask is not None


def test_an_index_belongs_to_one_state_of_the_file(tmp_path: Path) -> None:
    write_shapes(tmp_path / "a.tar", 3)
    assert len(IndexedShards([tmp_path / "a.tar"], tmp_path)) == 3
    write_shapes(tmp_path / "a.tar", 5)
    assert len(IndexedShards([tmp_path / "a.tar"], tmp_path)) == 5


def test_a_bad_sample_is_named_and_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_shard(tmp_path / "bad.tar", {"torn": {"jpg": b"no picture", "json": b'{"source": "x"}'}})
    found = list(readable(IndexedShards([tmp_path / "bad.tar"], tmp_path)))
    assert found == [None]
    assert "sample torn skipped" in caplog.text


def test_a_file_that_is_no_tar(tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("hello " * 200)
    with pytest.raises(ValueError, match=r"shard .*text\.tar: .*expected a tar file of samples"):
        IndexedShards([tmp_path / "text.tar"], tmp_path)


def labelled() -> Sample:
    """A 100 x 50 picture: its left half is sky; a red ball in the right half."""
    mask = np.zeros((50, 100), np.int64)
    mask[:, :50] = 1
    ball = Box((0.5, 0.0, 1.0, 1.0), "ball", 0.8, "a red ball")
    return Sample(
        "k", "s", np.zeros((50, 100, 3), np.uint8), ["a red ball"], [], [Tag("ball", "object"), Tag("red", "attribute")], [ball],
        mask, ["null", "sky"],
    )  # fmt: skip


def test_boxes_and_masks_lie_where_the_canvas_shows_them() -> None:
    found = example(labelled(), plain(labelled().picture, 64), 64, 4)
    assert found.regions[0].box == pytest.approx((0.5, 0.25, 1.0, 0.75))
    expected = np.zeros((4, 4))
    expected[1:3, :2] = 1
    np.testing.assert_allclose(found.segments[0].share, expected)
    assert found.objects == ["ball", "sky"]
    assert found.attributes == ["red"]


def test_a_mirrored_canvas_mirrors_boxes_and_masks() -> None:
    mirrored = Placement((0.0, 0.0, 1.0, 1.0), (0, 16, 64, 48), flip=True)
    found = example(labelled(), mirrored, 64, 4)
    assert found.regions[0].box == pytest.approx((0.0, 0.25, 0.5, 0.75))
    assert found.segments[0].share[1:3].tolist() == [[0, 0, 1, 1]] * 2


def test_a_picture_with_labels_alone_is_captioned_by_them() -> None:
    sample = replace(labelled(), captions=[], labels=["piano"])
    assert example(sample, plain(sample.picture, 64), 64, 4).captions == ["a photo of a piano"]


def test_the_vocabulary_counts_pictures_and_keeps_names_of_segments() -> None:
    samples = [labelled(), replace(labelled(), tags=[Tag("ball", "object")], mask=None, mask_names=[])]
    assert Vocabulary.of(samples, least=2, most=10).names == ["sky", "ball"]
    assert set(Vocabulary.of(samples, least=1, most=10).names) == {"sky", "ball", "red"}
    assert Vocabulary.of(samples, least=1, most=1).names == ["sky", "ball"]


def test_a_batch_says_what_belongs_to_which_picture() -> None:
    e = example(labelled(), plain(labelled().picture, 64), 64, 4)
    silent = replace(e, captions=[], regions=[], segments=[], objects=[], attributes=[])
    batch = Collator(Vocabulary(["sky", "ball", "red", "tree"]), 4, 4)([silent, e], np.random.default_rng(0))
    assert batch.caption_owner.tolist() == batch.box_owner.tolist() == batch.mask_owner.tolist() == [1]
    assert batch.tags.tolist() == [[0, 0, 0, 0], [1, 1, 1, 0]]
    assert batch.mask_names.tolist() == [0]
    assert batch.box_tags.int().tolist() == [[0, 1, 1, 0]], "its name, and what its text says of it"
    assert batch.box_texts[0] in ("a red ball", "a photo of a ball")


def test_ranks_share_one_global_batch() -> None:
    share = np.ones(100)
    share[7] = 0
    whole = chosen(3, 11, share, 40)
    assert len(set(whole.tolist())) == 40
    assert 7 not in whole
    parts = [Slice(40, r, 4).of(chosen(3, 11, share, 40)) for r in range(4)]
    assert sorted(np.concatenate(parts).tolist()) == sorted(whole.tolist())
    assert chosen(3, 12, share, 40).tolist() != whole.tolist()


def test_packed_features_are_near_the_floats() -> None:
    maps = torch.randn(2, 32, 3, 3, generator=torch.Generator().manual_seed(0))
    cells, scale = pack(maps)
    back = torch.from_numpy(cells).float() * torch.from_numpy(scale).float()[..., None]
    wanted = maps.flatten(2).transpose(1, 2)
    assert ((back - wanted).norm(dim=2) / wanted.norm(dim=2)).max() < 0.01


@pytest.mark.parametrize("cached", [False, True])
def test_batches_depend_on_their_number_alone(place: Path, cached: bool) -> None:
    loader, _ = load_parts(recipe_in(place, cached=cached))
    third = next(loader.batches(2, Slice(8)))
    again = next(islice(loader.batches(0, Slice(8)), 2, None))
    assert third.captions == again.captions
    torch.testing.assert_close(third.boxes, again.boxes)
    one, other = (b.dense.map if cached and b.dense else b.pictures for b in (third, again))
    torch.testing.assert_close(one, other)


def test_cached_features_are_the_encoders(place: Path) -> None:
    recipe = recipe_in(place, cached=True, views=1, batch=24)
    task = load_task(recipe)
    batch = next(task.batches(0))
    live = load_task(recipe_in(place, batch=24))
    samples = IndexedShards([place / "shapes.tar"], place / "cache")
    order = chosen(0, 0, np.ones(24), 24)
    assert batch.dense is not None
    first = samples[int(order[0])]
    pixels, _ = letterboxed(first, 64)
    with torch.no_grad():
        expected = live.model.encode(pixels)
    near = torch.nn.functional.cosine_similarity(batch.dense.pooled[0], expected.pooled[0], dim=0)
    assert near > 0.995
    assert torch.nn.functional.cosine_similarity(batch.dense.map[0].flatten(), expected.map[0].flatten(), dim=0) > 0.99


def letterboxed(sample: Sample, size: int) -> tuple[torch.Tensor, Placement]:
    placed = plain(sample.picture, size)
    canvas = np.full((size, size, 3), 128, np.uint8)
    placed.draw(sample.picture, canvas)
    return (torch.from_numpy(canvas).permute(2, 0, 1)[None].float() - 128) / 127.5, placed


@pytest.mark.parametrize("cached", [False, True])
def test_every_term_falls_on_shapes(place: Path, cached: bool) -> None:
    torch.manual_seed(0)
    task = load_task(recipe_in(place, cached=cached))
    optimiser = torch.optim.Adam(task.model.parameters(), 3e-3)
    loader = task.batches(0)
    seen = []
    for _ in range(30):
        found = task.losses(next(loader))
        optimiser.zero_grad()
        torch.stack(list(found.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        seen.append({k: v.item() for k, v in found.items()})
    assert set(seen[0]) == set(ALL)
    for term in ALL.keys() - {"objectness"}:  # its target, the overlap of the predicted box, grows
        start, end = (np.mean([s[term] for s in part]) for part in (seen[:5], seen[-5:]))
        assert end < start, term


def test_only_weighted_terms_are_computed(place: Path) -> None:
    task = load_task(replace(recipe_in(place), losses={"image_text": 1.0, "tags": 0.0}))
    assert set(task.losses(next(task.batches(0)))) == {"image_text"}


def test_frozen_towers_are_in_no_group(place: Path) -> None:
    task = load_task(recipe_in(place))
    trained = {id(p) for g in task.groups() for p in g["params"]}
    frozen = [n for n, p in task.model.named_parameters() if id(p) not in trained]
    assert all(n.startswith(("encoder.", "text_tower.")) for n in frozen)
    assert any(n.startswith("encoder.") for n in frozen)


def test_tags_beyond_a_steps_number_are_drawn_at_random(place: Path) -> None:
    recipe = replace(recipe_in(place, tags_a_step=4), losses={"tags": 1.0})
    task = load_task(recipe)
    batch = next(task.batches(0))
    assert torch.isfinite(task.losses(batch)["tags"])
    there = (batch.tags.sum(0) > 0).sum()
    assert len(task.objective._shown(batch)) == max(4, int(there))


def test_texts_of_a_frozen_tower_pass_it_once(place: Path) -> None:
    model = RegionClip(replace(recipe_in(place).model))
    kept: dict[str, torch.Tensor] = {}
    texts = Texts(model, kept)
    first = texts(["a red ball", "a blue box", "a red ball"])
    assert set(kept) == {"a red ball", "a blue box"}
    torch.testing.assert_close(first[0], first[2])
    torch.testing.assert_close(first[:2], model.text(["a red ball", "a blue box"]), atol=2e-3, rtol=0)
    assert texts([]).shape == (0, 16)


def test_an_empty_batch_of_regions_is_finite(place: Path) -> None:
    recipe = recipe_in(place)
    model = RegionClip(recipe.model)
    objective = Objective(model, Texts(model), Vocabulary(list(SHAPES)), ALL, 10)
    silent = example(replace(labelled(), boxes=[], mask=None, tags=[], captions=[]), plain(labelled().picture, 64), 64, 2)
    batch = Collator(Vocabulary(list(SHAPES)), 2, 2)([silent, silent], np.random.default_rng(0))
    found = objective(batch, Dense(torch.randn(2, 1280, 2, 2), torch.randn(2, 1280)))
    total = torch.stack(list(found.values())).sum()
    total.backward()  # type: ignore[no-untyped-call]
    assert total.isfinite()


def test_a_perfect_prediction_has_no_loss() -> None:
    e = example(labelled(), plain(labelled().picture, 64), 64, 4)
    batch = Collator(Vocabulary(["sky", "ball"]), 4, 4)([e], np.random.default_rng(0))
    answers = assign(batch.boxes, batch.box_owner, 1, 4, 4)
    distances = torch.zeros(1, 16, 4)
    distances[0, answers.cell] = answers.distance
    low = distances.floor().long().clamp(0, 6)
    share = (distances - low).clamp(0, 1)
    probability = torch.zeros(1, 16, 4, 8).scatter(3, low[..., None], 1 - share[..., None])
    probability = probability.scatter_add(3, low[..., None] + 1, share[..., None])
    bins = probability.clamp(min=1e-9).log().flatten(2)
    objectness = torch.full((1, 16), -20.0)
    objectness[0, answers.cell] = 20.0
    # two prototypes: the mask itself, and a constant
    prototypes = torch.stack(
        [40 * torch.nn.functional.interpolate(batch.masks[None], (8, 8), mode="nearest")[0, 0] - 20, torch.ones(8, 8)]
    )
    coefficients = torch.zeros(1, 16, 2)
    coefficients[..., 0] = 1
    perfect = Prediction(objectness, bins, decode(bins, 4, 4), coefficients, prototypes[None])
    found = head_terms(perfect, batch, 4, 4)
    assert found["objectness"] < 1e-3
    worse = head_terms(
        replace(perfect, bins=bins.roll(1, 2), boxes=decode(bins.roll(1, 2), 4, 4), coefficients=-coefficients), batch, 4, 4
    )
    assert worse["boxes"] > found["boxes"] + 0.5
    assert worse["masks"] > found["masks"] + 1


def test_an_unknown_term_is_refused(place: Path) -> None:
    with pytest.raises(ValueError, match="unknown term 'magic', expected some of image_text"):
        AlignmentTask(replace(recipe_in(place), losses={"magic": 1.0}), *load_parts(recipe_in(place)), {})


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")))
def test_the_shipped_alignment_recipes_load(path: Path) -> None:
    if 'trains = "clip"' in path.read_text():
        assert load_region_clip_recipe(path).trains == "clip"


def test_masks_of_another_kind_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey = np.zeros((4, 4, 3), np.uint8)
    record = b'{"source": "x", "pseudo_mask_names": ["none", "sky"]}'
    write_shard(tmp_path / "m.tar", {"k": {"jpg": png(grey), "json": record, "pseudo_mask.png": png(grey)}})
    assert list(readable(IndexedShards([tmp_path / "m.tar"], tmp_path))) == [None]
    assert "mask has shape (4, 4, 3), expected one index a pixel" in caplog.text
