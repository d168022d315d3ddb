"""What is trained of a tower, and that LoRA and adapters start as the tower they are put on."""

from pathlib import Path

import pytest
import torch
from quantize.model.region_clip import RegionClip
from quantize.model.tuning import Attention, blocks, merge_lora, parameter_counts
from quantize.settings.model import ModelSettings
from quantize.tests.synthetic import write_teachers
from quantize.tests.tiny_towers import SIZE, register_open_clip, save_hf
from torch import Tensor, nn

IMAGE = ("open_clip:tiny-vit", "timm:vit_tiny_patch16_224", "hf:clip", "hf:siglip", "hf:dinov2", "hf:convnext")
TEXT = ("open_clip:tiny-vit", "hf:clip", "hf:siglip", "hf:bert", "minilm")
PICTURES = torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
TEXTS = ["a red square", "a photo of a circle"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("towers")
    register_open_clip(made)
    save_hf(made)
    return made


def image_model(folder: Path, name: str, how: str, like: RegionClip | None = None) -> RegionClip:
    """With the tower's weights of `like`."""
    torch.manual_seed(1)
    name = name.replace("hf:", f"hf:{folder}/")
    model = RegionClip(
        ModelSettings(encoder=name, text="cached:8", dim=24, size=SIZE, prompter_width=16, tune_image=how, lora_rank=2)
    )
    if like is not None:
        assert model.encoder is not None
        assert like.encoder is not None
        model.encoder.load_state_dict(like.encoder.state_dict())
    return model


def text_model(folder: Path, name: str, how: str) -> RegionClip:
    torch.manual_seed(1)
    name = name.replace("hf:", f"hf:{folder}/")
    return RegionClip(ModelSettings(encoder="cached:8:8", text=name, dim=24, prompter_width=16, tune_text=how, lora_rank=2))


def tower(model: RegionClip) -> nn.Module:
    found = model.encoder if model.encoder is not None else model.text_tower
    assert found is not None
    return found


def see(model: RegionClip) -> Tensor:
    """Everything that a tower gives, in one vector."""
    if model.encoder is None:
        return model.text_vectors(TEXTS).flatten()
    dense = model.encode(PICTURES)
    return torch.cat([dense.map.flatten(), dense.pooled.flatten()])


def nudge(model: RegionClip) -> None:
    """As if trained: everything that is tuned has moved."""
    g = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in tower(model).parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.randn(p.shape, generator=g))


@pytest.mark.parametrize("how", ["lora", "adapter"])
@pytest.mark.parametrize("name", IMAGE + TEXT)
def test_gradients_reach_the_tuned_part_and_nothing_else(name: str, how: str, folder: Path) -> None:
    for make in [image_model] * (name in IMAGE) + [text_model] * (name in TEXT):
        model = make(folder, name, how).train()
        nudge(model)
        see(model).square().sum().backward()  # type: ignore[no-untyped-call]
        tuned = [n for n, p in tower(model).named_parameters() if p.requires_grad]
        assert tuned
        assert all(("lora_" if how == "lora" else (".up." if ".up." in n else ".down.")) in n for n in tuned)
        for n, p in tower(model).named_parameters():
            assert (p.grad is not None and bool(p.grad.any())) == p.requires_grad, n


@pytest.mark.parametrize("how", ["lora", "adapter"])
@pytest.mark.parametrize("name", IMAGE)
def test_a_tuned_tower_starts_as_the_tower(name: str, how: str, folder: Path) -> None:
    frozen, tuned = image_model(folder, name, "frozen").eval(), image_model(folder, name, how).eval()
    with torch.no_grad():
        before = see(frozen)
        assert torch.allclose(see(tuned), before, atol=1e-4)
        nudge(tuned)
        assert not torch.allclose(see(tuned), before, atol=1e-2)


@pytest.mark.parametrize("name", IMAGE + TEXT)
def test_merged_lora_computes_the_same_with_plain_layers(name: str, folder: Path) -> None:
    for make in [image_model] * (name in IMAGE) + [text_model] * (name in TEXT):
        model = make(folder, name, "lora").eval()
        nudge(model)
        with torch.no_grad():
            before = see(model)
            model.merge()
            assert torch.allclose(see(model), before, atol=1e-4, rtol=1e-4)
        assert not any("lora_" in n or "base_layer" in n for n in tower(model).state_dict())


def test_weights_of_a_lora_model_load_again(folder: Path) -> None:
    model, again = (
        image_model(folder, "open_clip:tiny-vit", "lora").eval(),
        image_model(folder, "open_clip:tiny-vit", "lora").eval(),
    )
    nudge(model)
    again.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(see(again), see(model))


@pytest.mark.parametrize("batch_first", [True, False])
def test_attention_with_linear_layers_is_torchs(batch_first: bool) -> None:
    torch.manual_seed(0)
    original = nn.MultiheadAttention(12, 3, batch_first=batch_first).eval()
    mine = Attention(original)
    shape = (2, 5, 12) if batch_first else (5, 2, 12)
    x, y = torch.randn(shape), torch.randn(shape)
    causal = torch.full((5, 5), float("-inf")).triu(1)
    for inputs in ((x, x, x), (x, y, y)):
        for mask in (None, causal, causal < 0):
            expected, _ = original(*inputs, need_weights=False, attn_mask=mask)
            found, _ = mine(*inputs, need_weights=False, attn_mask=mask)
            assert torch.allclose(found, expected, atol=1e-6)
            with torch.autocast("cpu", torch.bfloat16):
                half, _ = mine(*inputs, need_weights=False, attn_mask=mask)
            assert torch.allclose(half.float(), expected, atol=2e-2)


def test_blocks_are_the_outermost(folder: Path) -> None:
    assert list(blocks(tower(image_model(folder, "open_clip:tiny-vit", "frozen")))) == [
        "net.visual.transformer.resblocks.0",
        "net.visual.transformer.resblocks.1",
    ]
    stages = list(blocks(tower(image_model(folder, "timm:mobilenetv4_conv_small", "frozen"))))
    assert stages == [f"net.blocks.{i}" for i in range(5)]
    assert list(blocks(tower(image_model(folder, "open_clip:tiny-resnet", "frozen")))) == [
        f"net.visual.layer{i}" for i in range(1, 5)
    ]


def test_adapters_of_a_convolutional_network_and_its_still_statistics(folder: Path) -> None:
    model = image_model(folder, "timm:mobilenetv4_conv_small", "adapter").train()
    statistics = {n: b.clone() for n, b in tower(model).named_buffers()}
    see(model).square().sum().backward()  # type: ignore[no-untyped-call]
    assert all(torch.equal(b, statistics[n]) for n, b in tower(model).named_buffers())
    full = image_model(folder, "timm:mobilenetv4_conv_small", "full").train()
    see(full)
    assert not all(torch.equal(b, statistics[n]) for n, b in tower(full).named_buffers() if n in statistics)


def test_lora_needs_linear_layers(folder: Path) -> None:
    with pytest.raises(
        ValueError, match="encoder open_clip:tiny-resnet has no linear layers in its blocks, expected a transformer"
    ):
        image_model(folder, "open_clip:tiny-resnet", "lora")


def test_recompute_needs_a_network_that_can(tmp_path: Path) -> None:
    write_teachers(tmp_path)
    with pytest.raises(ValueError, match="recompute is true, which encoder mobilenet_v2 cannot do"):
        RegionClip(ModelSettings(encoder="mobilenet_v2", teachers=str(tmp_path), text="cached:8", recompute=True))


def test_counts_of_trained_parameters(folder: Path) -> None:
    model = image_model(folder, "open_clip:tiny-vit", "lora")
    counts = parameter_counts(model)
    by_hand = 2 * (2 * (32 + 96) + 2 * (32 + 32) + 2 * (32 + 128) * 2)  # rank 2: in, out, two of the MLP, in two blocks
    assert counts["encoder"][0] == by_hand
    assert counts["encoder"][1] == sum(p.numel() for p in tower(model).parameters())
    trained, all_of_it = (sum(n[i] for k, n in counts.items() if k != "total") for i in (0, 1))
    assert counts["total"] == (trained, all_of_it)
    frozen = parameter_counts(image_model(folder, "open_clip:tiny-vit", "frozen"))
    assert frozen["encoder"][0] == 0
    merge_lora(tower(model))
    assert parameter_counts(model)["encoder"][1] == frozen["encoder"][1]
