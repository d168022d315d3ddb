"""Small random towers in the formats that users bring: open_clip's and Hugging Face's."""

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}
SIZE = 64
VIT = {"image_size": SIZE, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16}
RESNET = {"image_size": SIZE, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None}
TIMM = {"timm_model_pretrained": False, "image_size": SIZE}
OPEN_CLIP = {
    "tiny-vit": {"embed_dim": 24, "vision_cfg": VIT},
    "tiny-resnet": {"embed_dim": 24, "vision_cfg": RESNET},
    "tiny-timm": {"embed_dim": 24, "vision_cfg": {**TIMM, "timm_model_name": "resnet10t", "timm_proj": "linear"}},
    "tiny-map": {
        "embed_dim": 192,
        "custom_text": True,
        "vision_cfg": {**TIMM, "timm_model_name": "vit_tiny_patch16_224", "timm_pool": "map", "timm_proj": "none"},
    },
}
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "red", "blue", "square", "circle", "photo", "of")


def register_open_clip(folder: Path) -> None:
    """Makes OPEN_CLIP's names known to open_clip."""
    for name, config in OPEN_CLIP.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps({**config, "text_cfg": TEXT}))
        open_clip.add_model_config(path)


def save_hf(folder: Path) -> None:
    """One folder a family with random weights, and a tokenizer beside those that read texts."""
    torch.manual_seed(0)
    vit: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIZE,
        "patch_size": 16,
    }
    text: dict[str, Any] = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": len(WORDS),
        "max_position_embeddings": 12, "projection_dim": 24, "eos_token_id": 3, "bos_token_id": 2, "pad_token_id": 0,
    }  # fmt: skip
    clip = transformers.CLIPConfig(vision_config={**vit, "projection_dim": 24}, text_config=text, projection_dim=24)
    siglip = transformers.SiglipConfig(vision_config=vit, text_config={**text, "projection_size": 32})
    for name, net in {
        "clip": transformers.CLIPModel(clip),
        "siglip": transformers.SiglipModel(siglip),
        "dinov2": transformers.Dinov2WithRegistersModel(transformers.Dinov2WithRegistersConfig(**vit)),
        "convnext": transformers.ConvNextModel(
            transformers.ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], layer_scale_init_value=1.0)
        ),
        "bert": transformers.BertModel(transformers.BertConfig(**text)),
    }.items():
        net.save_pretrained(folder / name)
        tokenizer().save_pretrained(folder / name)
    (folder / "clip" / "preprocessor_config.json").write_text(
        json.dumps({"image_processor_type": "CLIPImageProcessor", "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]})
    )


def tokenizer() -> transformers.PreTrainedTokenizerFast:
    """A word a token."""
    inner = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, "[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    fast: Any = transformers.PreTrainedTokenizerFast
    made: transformers.PreTrainedTokenizerFast = fast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    return made
