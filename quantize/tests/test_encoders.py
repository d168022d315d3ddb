"""Encoders and text towers of every library, with small random weights."""

import copy
from pathlib import Path

import open_clip
import pytest
import torch
import torch.nn.functional as F
import transformers
from quantize.model.encoders import TimmEncoder, load_encoder
from quantize.model.hf_models import HfEncoder, HfText
from quantize.model.mobilenetv2 import load_mobilenetv2
from quantize.model.open_clip_models import OpenClipEncoder, resized
from quantize.model.region_clip import RegionClip
from quantize.model.text import MiniLM
from quantize.model.text_towers import load_text_tower
from quantize.settings.model import ModelSettings
from quantize.tests.synthetic import write_teachers
from quantize.tests.tiny_towers import SIZE, register_open_clip, save_hf
from torch import Tensor

# channels and side of the map, length of the pooled vector
ENCODERS = {
    "open_clip:tiny-vit": (32, 4, 24),
    "open_clip:tiny-resnet": (256, 2, 24),
    "open_clip:tiny-timm": (512, 2, 24),
    "open_clip:tiny-map": (192, 4, 192),
    "timm:vit_tiny_patch16_224": (192, 4, 192),
    "timm:vit_small_patch16_dinov3": (384, 4, 384),
    "timm:swin_tiny_patch4_window7_224": (768, 2, 768),
    "timm:mobilenetv4_conv_small": (960, 2, 1280),
    "hf:clip": (32, 4, 24),
    "hf:siglip": (32, 4, 32),
    "hf:dinov2": (32, 4, 32),
    "hf:convnext": (32, 2, 32),
}
FIXED_SIZE = ("open_clip:tiny-map",)
TEXTS = {"open_clip:tiny-vit": 24, "open_clip:tiny-map": 192, "hf:clip": 24, "hf:siglip": 32, "hf:bert": 16, "minilm": 384}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("towers")
    register_open_clip(made)
    save_hf(made)
    return made


def settings(folder: Path, encoder: str = "cached:8:8", text: str = "cached:8", **changes: object) -> ModelSettings:
    names = {k: v.replace("hf:", f"hf:{folder}/") for k, v in (("encoder", encoder), ("text", text))}
    return ModelSettings(**names, dim=24, size=SIZE, prompter_width=16, **changes)  # type: ignore[arg-type]


def pixels(height: int = SIZE, width: int = SIZE) -> Tensor:
    return torch.randint(0, 256, (2, 3, height, width), generator=torch.Generator().manual_seed(3)).float()


def board(pixel: Tensor) -> Tensor:
    return (pixel - 128) / 127.5


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_give_a_map_and_a_pooled_vector(name: str, folder: Path) -> None:
    channels, side, pooled = ENCODERS[name]
    net = RegionClip(settings(folder, name)).eval()
    dense = net.encode(board(pixels()))
    assert dense.map.shape == (2, channels, side, side)
    assert dense.pooled.shape == (2, pooled)
    assert torch.allclose(net.image(dense).norm(dim=1), torch.ones(2), atol=1e-5)
    assert (dense.map[0] - dense.map[1]).abs().max() > 1e-4
    if name in FIXED_SIZE:
        with pytest.raises(ValueError, match=f"Its size is fixed: {SIZE}"):
            net.encode(board(pixels(SIZE, 2 * SIZE)))
    else:
        wide = net.encode(board(pixels(SIZE, 2 * SIZE)))
        assert wide.map.shape == (2, channels, side, 2 * side)
        assert wide.pooled.shape == (2, pooled)


@pytest.mark.parametrize("name", ENCODERS)
def test_gradients_reach_what_is_tuned(name: str, folder: Path) -> None:
    net = RegionClip(settings(folder, name)).train()
    assert net.encoder is not None
    dense = net.encode(board(pixels()))
    (net.pixels(dense).square().sum() * 0 + dense.map.square().sum() + dense.pooled.square().sum()).backward()  # type: ignore[no-untyped-call]
    bare = [n for n, p in net.encoder.named_parameters() if p.grad is None]
    assert len(bare) <= 1, bare  # DINOv2's mask token stands for pixels that are hidden in its own training
    frozen = RegionClip(settings(folder, name, tune_image="frozen")).train()
    assert frozen.encoder is not None
    assert not frozen.encoder.training
    assert not frozen.encode(board(pixels())).map.requires_grad


def test_open_clips_own_embedding_and_patch_tokens(folder: Path) -> None:
    model = open_clip.create_model("tiny-vit")
    torch.save(model.state_dict(), folder / "vit.pt")
    name = f"open_clip:tiny-vit:{folder}/vit.pt"
    net, projected = OpenClipEncoder(name, SIZE, False).eval(), OpenClipEncoder(name, SIZE, True).eval()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD))
    ready = (pixels() / 255 - mean) / std
    model.visual.output_tokens = True
    with torch.no_grad():
        pooled, tokens = model.visual(ready)  # tokens are before the last norm here
        dense, cells = net(board(pixels())), projected(board(pixels()))
        after = model.visual.ln_post(tokens)
    assert torch.allclose(dense.pooled, pooled, atol=1e-5)
    assert torch.allclose(cells.pooled, pooled, atol=1e-5)
    assert torch.allclose(dense.map.flatten(2).transpose(1, 2), after, atol=1e-4)
    assert torch.allclose(cells.map.flatten(2).transpose(1, 2), after @ model.visual.proj, atol=1e-5)


def test_a_resnets_attention_over_one_cell(folder: Path) -> None:
    net = OpenClipEncoder("open_clip:tiny-resnet", SIZE, True).eval()
    pool = net.net.visual.attnpool
    with torch.no_grad():
        trunk = OpenClipEncoder("open_clip:tiny-resnet", SIZE, False).eval()
        trunk.load_state_dict(net.state_dict())
        cells = trunk(board(pixels())).map
        values = pool.c_proj(pool.v_proj(cells[:, :, 1, 0]))
        assert torch.allclose(net(board(pixels())).map[:, :, 1, 0], values, atol=1e-5)


def test_clip_of_hugging_face_projected_and_normalised_by_its_file(folder: Path) -> None:
    reference = transformers.CLIPVisionModelWithProjection.from_pretrained(folder / "clip")
    reference.eval()  # type: ignore[no-untyped-call]
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)))
    with torch.no_grad():
        out = reference(pixel_values=(pixels() / 255 - mean) / std)
        dense = HfEncoder(f"hf:{folder}/clip", SIZE, True).eval()(board(pixels()))
        tokens = reference.vision_model.post_layernorm(out.last_hidden_state[:, 1:])
    assert torch.allclose(dense.pooled, out.image_embeds, atol=1e-5)
    assert torch.allclose(dense.map.flatten(2).transpose(1, 2), reference.visual_projection(tokens), atol=1e-5)


@pytest.mark.parametrize(("family", "mean"), [("siglip", 0.5), ("dinov2", 0.485)])
def test_families_have_their_usual_normalisation(family: str, mean: float, folder: Path) -> None:
    net = HfEncoder(f"hf:{folder}/{family}", SIZE, False)
    at_mean = torch.full((1, 3, 1, 1), (mean * 255 - 128) / 127.5)
    assert net.normalise(at_mean)[0, 0].item() == pytest.approx(0.0, abs=1e-6)


def test_register_and_class_tokens_are_no_cells(folder: Path) -> None:
    net = HfEncoder(f"hf:{folder}/dinov2", SIZE, False).eval()
    with torch.no_grad():
        states = net.net(pixel_values=net.normalise(board(pixels()))).last_hidden_state
        dense = net(board(pixels()))
    assert states.shape[1] == 1 + 4 + 16
    assert torch.allclose(dense.map[:, :, 1, 2], states[:, 5 + 4 + 2], atol=1e-6)
    assert torch.allclose(dense.pooled, states[:, 0], atol=1e-6)


def test_timm_tokens_behind_the_norm() -> None:
    net = TimmEncoder("vit_tiny_patch16_224", "", SIZE).eval()
    with torch.no_grad():
        tokens = net.net.forward_features(net.normalise(board(pixels())))
        dense = net(board(pixels()))
    assert torch.allclose(dense.map[:, :, 2, 1], tokens[:, 1 + 2 * 4 + 1], atol=1e-6)


def test_mobilenet_is_fed_as_the_board_feeds_it(tmp_path: Path) -> None:
    write_teachers(tmp_path)
    net = RegionClip(ModelSettings(encoder="mobilenet_v2", teachers=str(tmp_path), text="cached:8", tune_image="frozen")).eval()
    _, _, last = load_mobilenetv2(tmp_path / "mobilenet_v2_imagenet.npz")(board(pixels()))
    dense = net.encode(board(pixels()))
    assert torch.allclose(dense.map, last, rtol=1e-4, atol=1e-4)
    assert torch.allclose(dense.pooled, last.mean((2, 3)), rtol=1e-4, atol=1e-4)


def test_interpolated_positions_keep_the_class_token_and_a_linear_slope() -> None:
    ys, xs = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
    table = torch.cat([torch.tensor([[9.0, 9.0]]), torch.stack([xs, ys], 2).reshape(16, 2)])
    assert torch.allclose(resized(table, (4, 4), (4, 4)), table, atol=1e-5)
    found = resized(table, (4, 4), (8, 4))
    assert found.shape == (1 + 32, 2)
    assert found[0].tolist() == [9.0, 9.0]
    middle = found[1:].reshape(8, 4, 2)[3:5, 1:3]
    assert torch.allclose(middle[..., 0], torch.tensor([[1.0, 2.0], [1.0, 2.0]]), atol=0.1)
    assert torch.allclose(middle[..., 1], torch.tensor([[1.25, 1.25], [1.75, 1.75]]), atol=0.1)


@pytest.mark.parametrize("name", TEXTS)
def test_text_towers_give_the_width_they_say(name: str, folder: Path) -> None:
    net = RegionClip(settings(folder, text=name))
    vectors = net.text_vectors(["a red square", "a"])
    assert vectors.shape == (2, TEXTS[name])
    assert not vectors.requires_grad
    found = net.text(["a red square", "a", "a photo of a blue circle"])
    assert found.shape == (3, 24)
    assert torch.allclose(found.norm(dim=1), torch.ones(3), atol=1e-5)
    assert (found[0] - found[1]).abs().max() > 1e-4
    assert torch.allclose(found, net.project_text(net.text_vectors(["a red square", "a", "a photo of a blue circle"])))


@pytest.mark.parametrize("name", TEXTS)
def test_company_does_not_change_a_text(name: str, folder: Path) -> None:
    tower = load_text_tower(settings(folder, text=name)).eval()
    with torch.no_grad():
        together = tower(["a", "a red square of a photo of a blue circle"])
        assert torch.allclose(together[:1], tower(["a"]), atol=1e-5)
        assert tower(["a " * 300]).isfinite().all()


def test_trained_minilm_starts_as_the_boards_own(folder: Path) -> None:
    texts = ["a red bus", "two dogs on a sofa that look out of the window " * 9, ""]
    trained = load_text_tower(settings(folder, text="minilm", tune_text="full")).eval()
    with torch.no_grad():
        assert torch.allclose(trained(texts), MiniLM.load().encode(texts), atol=1e-4)


def test_open_clip_texts_are_its_own_embeddings(folder: Path) -> None:
    model = open_clip.create_model("tiny-vit").eval()
    torch.save(model.state_dict(), folder / "text.pt")
    tower = load_text_tower(settings(folder, text=f"open_clip:tiny-vit:{folder}/text.pt")).eval()
    with torch.no_grad():
        expected = model.encode_text(open_clip.get_tokenizer("tiny-vit")(["a red square"]))
        assert torch.allclose(tower(["a red square"]), expected, atol=1e-6)


def test_bert_is_averaged_over_its_tokens(folder: Path) -> None:
    tower = HfText(f"hf:{folder}/bert").eval()
    with torch.no_grad():
        states = tower.net(input_ids=torch.tensor([[2, 4, 5, 3]])).last_hidden_state
        assert torch.allclose(tower(["a red"])[0], states[0].mean(0), atol=1e-6)


@pytest.mark.parametrize("name", ["open_clip:tiny-vit", "timm:vit_tiny_patch16_224", "hf:clip"])
def test_recomputed_blocks_give_the_same_gradients(name: str, folder: Path) -> None:
    kept = RegionClip(settings(folder, name)).train()
    again = RegionClip(settings(folder, name, recompute=True)).train()
    again.load_state_dict(kept.state_dict())
    for net in (kept, again):
        F.cosine_similarity(net.encode(board(pixels())).pooled, torch.ones(1)).sum().backward()  # type: ignore[no-untyped-call]
    assert kept.encoder is not None
    assert again.encoder is not None
    for p, q in zip(kept.encoder.parameters(), again.encoder.parameters(), strict=True):
        if p.grad is not None and q.grad is not None:
            assert torch.allclose(p.grad, q.grad, atol=1e-6)
    assert any(p.grad is not None for p in again.encoder.parameters())


@pytest.mark.parametrize("how", ["full", "adapter", "lora"])
def test_a_copy_stands_alone(how: str, folder: Path) -> None:
    net = RegionClip(settings(folder, "open_clip:tiny-vit", dense="projected", tune_image=how)).eval()
    twin = copy.deepcopy(net)
    with torch.no_grad():
        before = twin.encode(board(pixels())).map
        for p in net.parameters():
            p.add_(1.0)
        assert torch.equal(twin.encode(board(pixels())).map, before)
        assert not torch.allclose(net.encode(board(pixels())).map, before)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("open_clip:ViT-B-23", "is not known, expected a name of open_clip.list_models.*did you mean ViT-B-32"),
        ("open_clip:tiny-vit:nope", "found no weights 'nope', expected the path of a checkpoint"),
        ("open_clip:ViT-B-32:opena", "found no weights 'opena', expected the path of a checkpoint or one of openai"),
        ("timm:vit_tiny_patch16", "did you mean vit_tiny_patch16_"),
        ("timm:resnet18:/nowhere.pth", "/nowhere.pth is missing; expected a checkpoint"),
        ("hf:/nowhere", r"is missing; expected a folder with config.json"),
        ("tim:resnet18", "expected mobilenet_v2, timm:NAME, .*did you mean timm"),
    ],
)
def test_what_is_not_there_is_named(encoder: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_encoder(ModelSettings(encoder=encoder, size=SIZE))


def test_networks_of_the_other_kind_are_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"encoder hf:.*bert: BertModel gives no map of a picture: "):
        HfEncoder(f"hf:{folder}/bert", SIZE, False)
    with pytest.raises(ValueError, match=r"text hf:.*dinov2: Dinov2WithRegistersModel gives no vector of a text: "):
        HfText(f"hf:{folder}/dinov2")


def test_a_checkpoint_without_a_pooler_is_not_pooled_at_random(tmp_path: Path) -> None:
    config = transformers.ViTConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, image_size=SIZE, patch_size=16
    )
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    net = HfEncoder(f"hf:{tmp_path}", SIZE, False).eval()
    with torch.no_grad():
        dense = net(board(pixels()))
        states = net.net(pixel_values=net.normalise(board(pixels()))).last_hidden_state
    assert torch.allclose(dense.pooled, states[:, 0], atol=1e-6)


def test_checkpoints_of_another_shape_are_named(folder: Path) -> None:
    state = open_clip.create_model("tiny-vit").state_dict()
    path = folder / "wrong.pt"
    torch.save({**state, "visual.conv1.weight": torch.zeros(32, 3, 8, 8)}, path)
    with pytest.raises(
        ValueError, match=r"tiny-vit.*: visual.conv1.weight has shape \[32, 3, 8, 8\], expected \[32, 3, 16, 16\]"
    ):
        OpenClipEncoder(f"open_clip:tiny-vit:{path}", SIZE, False)
    state.pop("visual.proj")
    torch.save(state, path)
    with pytest.raises(ValueError, match=r"found no tensor visual\.proj"):
        OpenClipEncoder(f"open_clip:tiny-vit:{path}", SIZE, False)
    timm_net = TimmEncoder("resnet10t", "", SIZE).net.state_dict()
    torch.save({**timm_net, "conv1.0.weight": torch.zeros(24, 3, 5, 5)}, path)
    with pytest.raises(ValueError, match=r"resnet10t.*: conv1.0.weight has shape \[24, 3, 5, 5\], expected \[24, 3, 3, 3\]"):
        TimmEncoder("resnet10t", str(path), SIZE)


def test_hugging_face_checkpoints_of_another_shape_are_named(folder: Path, tmp_path: Path) -> None:
    net = transformers.Dinov2WithRegistersModel.from_pretrained(folder / "dinov2")
    net.save_pretrained(tmp_path)
    net.config.hidden_size = 48
    net.config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"has shape \[.*32.*\], expected \[.*48.*\]"):
        HfEncoder(f"hf:{tmp_path}", SIZE, False)
    net.config.hidden_size, net.config.num_hidden_layers = 32, 3
    net.config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"found no tensor encoder.layer.2.* more, expected the weights of a Dinov2With"):
        HfEncoder(f"hf:{tmp_path}", SIZE, False)
