"""Both towers of models in the format of Hugging Face `transformers`, from a hub's id or a folder."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from quantize.model.dense import Dense
from quantize.model.preparation import Normalise, as_map, probe
from quantize.model.weights import explained

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
VISION = {
    "clip": transformers.CLIPVisionModelWithProjection,
    "clip_vision_model": transformers.CLIPVisionModelWithProjection,
    "siglip": transformers.SiglipVisionModel,
    "siglip_vision_model": transformers.SiglipVisionModel,
}
TEXT = {
    "clip": transformers.CLIPTextModelWithProjection,
    "clip_text_model": transformers.CLIPTextModelWithProjection,
    "siglip": transformers.SiglipTextModel,
    "siglip_text_model": transformers.SiglipTextModel,
}
MAX_TOKENS = 64


def load_model(what: str, source: str, classes: dict[str, Any]) -> tuple[Any, str]:
    """The network and its family's name. Raises ValueError over what is missing or misshapen."""
    if source.startswith(("/", ".", "~")) and not Path(source).is_dir():
        raise ValueError(f"{what}: {source} is missing; expected a folder with config.json and weights, or a hub's id")
    with explained(what), _quiet():
        kind = transformers.AutoConfig.from_pretrained(source).model_type
        net, report = classes.get(kind, transformers.AutoModel).from_pretrained(
            source, output_loading_info=True, ignore_mismatched_sizes=True
        )
    for name, found, expected in sorted(report["mismatched_keys"]):
        raise ValueError(f"{what}: {name} has shape {list(found)}, expected {list(expected)}")
    missing = sorted(report["missing_keys"])
    if missing and all(name.startswith("pooler.") for name in missing):
        net.pooler, missing = None, []  # common, and no token depends on it
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise ValueError(f"{what}: found no tensor {missing[0]}{more}, expected the weights of a {type(net).__name__}")
    return net, kind


@contextmanager
def _quiet() -> Iterator[None]:
    """No table of the tensors of the other tower, no bars."""
    log: Any = transformers.logging
    before = log.get_verbosity()
    bars = log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(before)
        if bars:
            log.enable_progress_bar()


def preprocessing(source: str, kind: str) -> Normalise:
    """The mean and deviation beside the weights, else those of the family."""
    try:
        values, _ = transformers.image_processing_utils.BaseImageProcessor.get_image_processor_dict(source)
        return Normalise(values["image_mean"], values["image_std"])
    except (OSError, KeyError):
        if kind.startswith("siglip"):
            return Normalise((0.5,) * 3, (0.5,) * 3)
        return Normalise(CLIP_MEAN, CLIP_STD) if kind.startswith("clip") else Normalise(IMAGENET_MEAN, IMAGENET_STD)


class HfEncoder(nn.Module):
    """ViTs give their patch tokens behind the last norm; position embeddings are interpolated for other sizes."""

    def __init__(self, name: str, size: int, projected: bool) -> None:
        super().__init__()
        source = name.removeprefix("hf:")
        self.net, kind = load_model(f"encoder {name}", source, VISION)
        self.projected = projected
        if projected and not hasattr(self.net, "visual_projection"):
            raise ValueError(f"dense is 'projected', which {type(self.net).__name__} cannot do; expected dense = 'tokens'")
        self.normalise = preprocessing(source, kind)
        takes = inspect.signature(self.net.forward).parameters
        self.arguments = {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in takes else {}
        with explained(f"encoder {name}: {type(self.net).__name__} gives no map of a picture", TypeError, AttributeError):
            self.channels, self.pooled_channels = probe(self, size)

    def forward(self, pictures: Tensor) -> Dense:
        found = self.net(pixel_values=self.normalise(pictures), **self.arguments)
        x = found.last_hidden_state
        pooled = found.get("image_embeds", found.get("pooler_output"))
        if x.ndim == 4:
            return Dense(x, x.mean((2, 3)) if pooled is None else pooled.flatten(1))
        if isinstance(self.net, transformers.CLIPVisionModelWithProjection):
            x = self.net.vision_model.post_layernorm(x)
            x = self.net.visual_projection(x) if self.projected else x
        patch = self.net.config.patch_size
        h, w = (side // patch for side in pictures.shape[-2:])
        return Dense(as_map(x, h, w), x[:, 0] if pooled is None else pooled)

    def recompute(self) -> None:
        self.net.activation_checkpointing_enable()


class HfText(nn.Module):
    """CLIP's and SigLIP's text embeddings; the mean of the last layer's tokens for any other encoder."""

    def __init__(self, name: str, max_tokens: int = MAX_TOKENS) -> None:
        super().__init__()
        source = name.removeprefix("hf:")
        self.net, kind = load_model(f"text {name}", source, TEXT)
        with explained(f"text {name}"):
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(source)
        known = kind in TEXT
        if not known and getattr(self.net, "pooler", None) is not None:
            self.net.pooler = None
        longest = getattr(self.net.config, "max_position_embeddings", max_tokens)
        self.length = min(longest, max_tokens)
        # SigLIP was trained on texts of full length
        self.padding = "max_length" if kind.startswith("siglip") else "longest"
        self.mean = not known
        with (
            torch.no_grad(),
            explained(f"text {name}: {type(self.net).__name__} gives no vector of a text", TypeError, AttributeError),
        ):
            self.width = self(["a"]).shape[1]

    def forward(self, texts: list[str]) -> Tensor:
        tokens = self.tokenizer(texts, padding=self.padding, truncation=True, max_length=self.length, return_tensors="pt")
        tokens = tokens.to(self.net.device)
        if self.mean:
            states = self.net(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
            mean: Tensor = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
            return mean
        found = self.net(**{k: v for k, v in tokens.items() if k in ("input_ids", "attention_mask")})
        out: Tensor = found.get("text_embeds", found.get("pooler_output"))
        return out

    def recompute(self) -> None:
        self.net.activation_checkpointing_enable()
