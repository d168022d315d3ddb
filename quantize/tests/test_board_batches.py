"""What a step sees: no held-out picture, sources by their weight, the same for the same step."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from quantize.board.batches import CachedPoints, Drawing
from quantize.board.points import NO_NAME
from quantize.board.supervision import Supervision, load_supervision
from quantize.data.shards import Shards
from quantize.settings.board import BoardRecipe
from quantize.tests.synthetic import changed


@pytest.fixture(scope="module")
def supervision(recipe: BoardRecipe) -> Supervision:
    return load_supervision(recipe)


def drawing(recipe: BoardRecipe, supervision: Supervision) -> Drawing:
    return Drawing(recipe, supervision, list(Shards([Path(p) for p in recipe.data.shards])))


def test_supervision_speaks_of_the_pictures(recipe: BoardRecipe, supervision: Supervision) -> None:
    samples = list(Shards([Path(p) for p in recipe.data.shards]))
    assert supervision.keys == [s.key for s in samples]
    texts = {row: text for text, row in supervision.texts.index.items()}
    for i, s in enumerate(samples):
        assert [texts[row] for row in supervision.captions[i]] == s.captions
        assert [supervision.names[n] for n in supervision.labels[i]] == s.labels
        assert [supervision.names[n] for n in supervision.box_names[i]] == [b.name for b in s.boxes]
        assert {supervision.names[n] for n in supervision.tags[i]} == set(s.captions[0].strip("A .").split())  # "A red ball."
        assert supervision.soft_rows[i] == 1 + len(s.boxes)
    assert [texts[int(row)] for row in supervision.name_rows] == supervision.names
    assert not supervision.alike.diagonal().any()
    assert (supervision.alike == supervision.alike.T).all()
    assert 0 < supervision.dev.sum() < 16
    assert torch.allclose(supervision.clip.norm(dim=1), torch.ones(len(supervision.clip)))


def test_held_out_pictures_are_never_drawn(recipe: BoardRecipe, supervision: Supervision) -> None:
    cached, g, held_out = CachedPoints(recipe, supervision), torch.Generator().manual_seed(0), set()
    for _ in range(30):
        batch = cached.batch(g)
        assert len(batch.image) == recipe.data.batch_images
        assert len(batch.region) == recipe.data.batch_regions
        held_out |= {i for i in [*batch.image_sample.tolist(), *batch.region_owner.tolist()] if supervision.dev[i]}
    live = drawing(recipe, supervision)
    for step in range(10):
        held_out |= {i for index, _ in live[step][1] for i in index if supervision.dev[i]}
    assert held_out == set()


def test_sources_are_drawn_by_weight(recipe: BoardRecipe, supervision: Supervision) -> None:
    weighted = changed(recipe, source_weights={"plain": 0.0}, batch_pictures=6)
    cached, g = CachedPoints(weighted, supervision), torch.Generator().manual_seed(0)
    assert {supervision.sources[i] for i in cached.batch(g).image_sample.tolist()} == {"shapes"}
    assert {supervision.sources[i] for index, _ in drawing(weighted, supervision)[0][1] for i in index} == {"shapes"}


def test_rare_names_are_drawn_more_than_they_occur(recipe: BoardRecipe, supervision: Supervision) -> None:
    cached = CachedPoints(recipe, supervision)
    s, kept = cached.points, ~supervision.dev[cached.points.region_owner]
    occurs: Counter[int] = Counter()  # in thousandths: a detector's box counts by its score
    for name, weight, used in zip(s.region_name.tolist(), s.region_weight.tolist(), kept.tolist(), strict=True):
        occurs[name] += round(1000 * weight) if used and name >= 0 else 0
    del occurs[NO_NAME]
    g = torch.Generator().manual_seed(0)
    drawn = Counter(n for _ in range(200) for n in cached.batch(g).region_name.tolist() if n >= 0)
    (often, most), (rare, least) = occurs.most_common()[0], occurs.most_common()[-1]
    assert most > least
    assert drawn[rare] / drawn[often] > least / most


def test_a_steps_canvases_depend_on_its_number_alone(recipe: BoardRecipe, supervision: Supervision) -> None:
    first, second = drawing(recipe, supervision), drawing(recipe, supervision)
    pixels, layouts = first[3]
    assert len(second[5][1]) > 0  # what was drawn before does not matter
    again, same = second[3]
    assert torch.equal(pixels, again)
    assert layouts == same
    assert first[4][1] != layouts
    assert pixels.shape[1:] == (recipe.model.size, recipe.model.size, 3)
    assert sum(len(index) for index, _ in layouts) == recipe.data.batch_pictures
    assert sum(len(index) == 1 for index, _ in layouts) == 2 * recipe.data.batch_pictures // 3


def test_a_missing_view_says_which_step_makes_it(recipe: BoardRecipe, supervision: Supervision) -> None:
    with pytest.raises(FileNotFoundError, match=r"view-sideways-shapes\.safetensors is missing; run `python"):
        CachedPoints(changed(recipe, views=["sideways"]), supervision)
