"""The Prompter against its own transformer layer run once a prompt."""

import copy

import pytest
import torch
from quantize.model import prompter as module
from quantize.model.prompter import FINEST, Prompter, cell_centres, codes
from torch import Tensor

WIDTH, CHANNELS, DIM = 16, 12, 10
OWNER = torch.tensor([2, 0, 2, 2, 0, 2, 0])


def made(pool: str, dtype: torch.dtype = torch.float64) -> Prompter:
    torch.manual_seed(0)
    prompter = Prompter(CHANNELS, WIDTH, DIM, pool).to(dtype)
    with torch.no_grad():
        for p in prompter.layer.parameters():
            p.copy_(torch.randn_like(p) * 0.6)  # far from the start, where attention is nearly even
    return prompter


def inputs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    return torch.randn(3, CHANNELS, 5, 4, generator=g, dtype=dtype), torch.rand(len(OWNER), 4, generator=g, dtype=dtype)


def one_by_one(prompter: Prompter, tokens: Tensor, prompts: Tensor, owner: Tensor) -> Tensor:
    out = []
    for prompt, picture in zip(prompts, owner.tolist(), strict=True):
        y = prompter.layer(torch.cat([prompt[None], tokens[picture]])[None])[0]
        out.append(prompter.norm(y.mean(0) if prompter.pool == "mean" else y[0]))
    return torch.stack(out)


@pytest.mark.parametrize("pool", ["mean", "prompt"])
@pytest.mark.parametrize("kept", [1, 2**24])
def test_shared_work_is_exactly_the_layer_on_each_prompt(pool: str, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", kept)
    prompter = made(pool)
    naive = copy.deepcopy(prompter)
    features, boxes = inputs()
    target = torch.randn(len(OWNER), WIDTH, dtype=torch.float64)
    outputs = []
    for each, run in ((prompter, Prompter.forward), (naive, one_by_one)):
        found = run(each, each.dense_tokens(features), each.box_prompts(boxes), OWNER)
        (found * target).sum().backward()  # type: ignore[no-untyped-call]
        outputs.append(found)
    assert torch.allclose(outputs[0], outputs[1], atol=1e-12)
    for (name, p), q in zip(prompter.named_parameters(), naive.parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None), name
        if p.grad is not None and q.grad is not None:
            assert torch.allclose(p.grad, q.grad, atol=1e-10), name


@pytest.mark.parametrize("pool", ["mean", "prompt"])
def test_prompts_do_not_see_one_another(pool: str) -> None:
    prompter = made(pool)
    features, boxes = inputs()
    tokens, prompts = prompter.dense_tokens(features), prompter.box_prompts(boxes)
    together = prompter(tokens, prompts, OWNER)
    for i in range(len(OWNER)):
        assert torch.allclose(prompter(tokens, prompts[i : i + 1], OWNER[i : i + 1]), together[i : i + 1], atol=1e-12)
    other = features.clone()
    other[1] += 3  # no prompt is of this picture
    assert torch.equal(prompter(prompter.dense_tokens(other), prompts, OWNER), together)


@pytest.mark.parametrize("pool", ["mean", "prompt"])
def test_no_prompts(pool: str) -> None:
    prompter = made(pool)
    features, _ = inputs()
    found = prompter(prompter.dense_tokens(features), prompter.box_prompts(torch.zeros(0, 4).double()), OWNER[:0])
    assert found.shape == (0, WIDTH)


@pytest.mark.parametrize("pool", ["mean", "prompt"])
def test_bf16_stays_near(pool: str) -> None:
    prompter = made(pool, torch.float32)
    with torch.no_grad():
        for p in prompter.layer.parameters():
            p.mul_(0.5)
    features, boxes = inputs(torch.float32)
    full = prompter(prompter.dense_tokens(features), prompter.box_prompts(boxes), OWNER)
    with torch.autocast("cpu", torch.bfloat16):
        half = prompter(prompter.dense_tokens(features), prompter.box_prompts(boxes), OWNER)
    assert torch.cosine_similarity(full, half.float()).min() > 0.999


def test_every_kind_of_prompt_matters() -> None:
    prompter = made("mean")
    features, boxes = inputs()
    tokens = prompter.dense_tokens(features)
    kinds = [
        prompter.box_prompts(boxes),
        prompter.point_prompts(boxes[:, :2]),
        prompter.mask_prompts(tokens[OWNER, torch.arange(len(OWNER))]),
        prompter.text_prompts(torch.randn(len(OWNER), DIM, dtype=torch.float64)),
    ]
    found = torch.stack([prompter(tokens, prompts, OWNER) for prompts in kinds])
    assert (found[:, None] - found[None]).abs().amax((2, 3)).fill_diagonal_(1).min() > 1e-3
    first_of_same_picture = found[:, [0, 2]]
    assert (first_of_same_picture[:, 0] - first_of_same_picture[:, 1]).abs().amax(1).min() > 1e-3


def test_codes_tell_neighbouring_places_apart() -> None:
    places = torch.linspace(0, 1, int(FINEST) + 1, dtype=torch.float64)
    xy = torch.stack([places, torch.full_like(places, 0.3)], 1)
    found = codes(xy, 32)
    assert found.shape == (len(places), 32)
    assert torch.cdist(found, found).fill_diagonal_(9).min() > 1.0
    assert torch.equal(found[:, 16:], found[:1, 16:].expand(len(places), -1))  # y's half does not depend on x


def test_cell_centres_go_along_the_rows() -> None:
    found = cell_centres(2, 4, torch.device("cpu"))
    assert found.tolist() == [[x, y] for y in (0.25, 0.75) for x in (0.125, 0.375, 0.625, 0.875)]
