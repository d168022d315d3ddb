"""The text tower: MiniLM and the projection."""

import pytest
import torch
import torch.nn.functional as F
from quantize.model.text import MAX_TOKENS, TEMPLATES, WIDTH, MiniLM, Projection


@pytest.fixture(scope="module")
def tower() -> MiniLM:
    return MiniLM.load()


def test_padding_changes_nothing(tower: MiniLM) -> None:
    short, long = "cat", "a photo of a very small cat that sits on a red chair by the window"
    together = tower.encode([long, short])
    assert torch.allclose(together[1], tower.encode([short])[0], atol=1e-5)
    assert torch.allclose(together[0], tower.encode([long])[0], atol=1e-5)


def test_what_stands_at_padding_is_not_seen(tower: MiniLM) -> None:
    ids = torch.tensor([[*tower.tokenizer.encode("red bus").ids, 0, 0]])
    mask = torch.tensor([[1] * (ids.shape[1] - 2) + [0, 0]])
    other = ids.clone()
    other[0, -2:] = 2000
    with torch.no_grad():
        assert torch.allclose(tower.forward(ids, mask), tower.forward(other, mask), atol=1e-6)
        assert not torch.allclose(
            tower.forward(ids, torch.ones_like(mask)), tower.forward(other, torch.ones_like(mask)), atol=1e-2
        )


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [("cat", "kitten", "truck"), ("car", "automobile", "banana"), ("happy people", "smiling men", "granite")],
)
def test_known_neighbours(tower: MiniLM, word: str, near: str, far: str) -> None:
    a, b, c = F.normalize(tower.encode([word, near, far]), dim=1)
    assert a @ b > a @ c + 0.2


def test_order_and_batches_do_not_matter(tower: MiniLM) -> None:
    texts = ["dog", "a big brown dog in the snow", "tree", "two trees"]
    assert torch.allclose(tower.encode(texts, batch=2)[[2, 0]], tower.encode(["tree", "dog"]), atol=1e-5)


def test_long_texts_are_cut(tower: MiniLM) -> None:
    words = "many words " * 200
    assert len(tower.tokenizer.encode(words).ids) == MAX_TOKENS
    assert tower.encode([words, ""]).isfinite().all()


def test_templates(tower: MiniLM) -> None:
    found = tower.encode_templated(["dog"])
    assert found.shape == (1, len(TEMPLATES), WIDTH)
    for i, template in enumerate(TEMPLATES):
        assert torch.allclose(found[0, i], tower.encode([template.format("dog")])[0], atol=1e-5)


def test_projection_gives_the_unit_mean_of_unit_vectors() -> None:
    projection = Projection(16)
    x = torch.randn(5, 2, WIDTH) * 7
    with torch.no_grad():
        found = projection(x)
        each = F.normalize(projection.linear(F.normalize(x, dim=-1)), dim=-1)
    assert found.shape == (5, 16)
    assert torch.allclose(found.norm(dim=1), torch.ones(5), atol=1e-6)
    assert torch.allclose(found, F.normalize(each[:, 0] + each[:, 1], dim=1), atol=1e-6)


def test_projection_starts_on_the_principal_axes() -> None:
    g = torch.Generator().manual_seed(0)
    vectors = torch.randn(200, 6, generator=g) @ torch.randn(6, WIDTH, generator=g) + 3 * torch.randn(WIDTH, generator=g)
    projection = Projection(8)
    projection.start_from(vectors)
    unit = F.normalize(vectors, dim=1)
    centred = unit - unit.mean(0)
    w = projection.linear.weight.detach()
    assert torch.allclose(w @ w.T, torch.eye(8), atol=1e-4)
    assert torch.allclose((centred @ w.T).norm(), centred.norm(), rtol=1e-3)  # six axes hold it all
