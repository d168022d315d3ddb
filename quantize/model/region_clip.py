"""RegionClip: one encoder pass; embeddings of the picture, of regions and of pixels in the space of its texts."""

import logging
import math
from contextlib import nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn

from quantize.model import regions
from quantize.model.dense import Dense, Encoder, unit
from quantize.model.encoders import cached_channels, load_encoder
from quantize.model.prediction import Prediction, PredictionHead
from quantize.model.projector import Projector, projection
from quantize.model.prompter import Prompter
from quantize.model.text_towers import TextTower, cached_width, load_text_tower
from quantize.model.tuning import hold_still, merge_lora, parameter_counts, tune
from quantize.settings.model import ModelSettings

log = logging.getLogger(__name__)
KINDS = ("image", "region", "pixel", "tag")


class RegionClip(nn.Module):
    """All embeddings are unit vectors [..., dim]; boxes and points are fractions of the canvas; `owner` [R] names each row's
    picture. `Dense` may come from a cache: only `encode` needs the encoder, only `text` the text tower.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        channels, pooled = self._add_encoder(settings)
        width, dim = self._add_text_tower(settings), settings.dim
        self.image_projection = projection(pooled, dim)
        self.text_projection = projection(width, dim)
        self.projector = Projector(channels, dim)
        if settings.regions == "prompter":
            w = settings.prompter_width
            self.prompter = Prompter(channels, w, dim, settings.pool)
            self.region_projection = projection(w, dim)
            self.grounding = nn.Sequential(nn.Linear(w, w), nn.GELU(), nn.Linear(w, 4))
        else:
            self.region_projection = projection(channels, dim)
        self.prediction = PredictionHead(channels, settings.head_width, settings.bins, settings.prototypes)
        self.log_scale = nn.ParameterDict({k: nn.Parameter(torch.tensor(math.log(settings.start_scale))) for k in KINDS})
        self.logit_bias = nn.ParameterDict({k: nn.Parameter(torch.tensor(settings.start_bias)) for k in KINDS})
        self.train()
        counts = (f"{part} {trained:,} of {everything:,}" for part, (trained, everything) in parameter_counts(self).items())
        log.info("RegionClip, parameters trained: %s", ", ".join(counts))

    def _add_encoder(self, settings: ModelSettings) -> tuple[int, int]:
        """C and P"""
        self.encoder: nn.Module | None = None
        cached = cached_channels(settings.encoder)
        if cached:
            return cached
        self.encoder = load_encoder(settings)
        self._tune(
            self.encoder, settings.tune_image, f"encoder {settings.encoder}", torch.zeros(1, 3, settings.size, settings.size)
        )
        known = cast(Encoder, self.encoder)
        return known.channels, known.pooled_channels

    def _add_text_tower(self, settings: ModelSettings) -> int:
        """Its width."""
        self.text_tower: nn.Module | None = None
        width = cached_width(settings.text)
        if width:
            return width
        self.text_tower = load_text_tower(settings)
        self._tune(self.text_tower, settings.tune_text, f"text {settings.text}", ["a"])
        return cast(TextTower, self.text_tower).width

    def _tune(self, tower: nn.Module, how: str, what: str, example: object) -> None:
        s = self.settings
        tune(tower, how, what, s.lora_rank, s.adapter_width, lambda: tower(example))
        if s.recompute and how != "frozen":
            if not hasattr(tower, "recompute"):
                raise ValueError(f"recompute is true, which {what} cannot do; expected recompute = false")
            cast(Any, tower).recompute()

    def train(self, mode: bool = True) -> "RegionClip":
        super().train(mode)
        for tower, how in ((self.encoder, self.settings.tune_image), (self.text_tower, self.settings.tune_text)):
            if tower is not None:
                hold_still(tower, how)
        return self

    def merge(self) -> None:
        """Puts LoRA's updates into the towers' weights, for export."""
        for tower in (self.encoder, self.text_tower):
            if tower is not None:
                merge_lora(tower)

    def encode(self, pictures: Tensor) -> Dense:
        """[B,3,S,S] as `(pixel - 128) / 127.5`"""
        if self.encoder is None:
            raise ValueError(f"encoder is {self.settings.encoder}: it takes features from a cache and encodes no pictures")
        with torch.no_grad() if self.settings.tune_image == "frozen" else nullcontext():
            try:
                dense: Dense = self.encoder(pictures)
            except AssertionError as error:  # how timm refuses a size
                raise ValueError(f"encoder {self.settings.encoder}: {error} Its size is fixed: {self.settings.size}.") from None
        return dense

    def image(self, dense: Dense) -> Tensor:
        """[B,dim]"""
        return unit(self.image_projection(dense.pooled))

    def text(self, texts: list[str]) -> Tensor:
        """[N,dim]"""
        return self.project_text(self.text_vectors(texts))

    def text_vectors(self, texts: list[str]) -> Tensor:
        """[N,width] of the text tower, for `project_text`: what a cache of a frozen tower holds."""
        if self.text_tower is None:
            raise ValueError(f"text is {self.settings.text}: it takes vectors from a cache and encodes no texts")
        with torch.no_grad() if self.settings.tune_text == "frozen" else nullcontext():
            vectors: Tensor = self.text_tower(texts)
        return vectors

    def project_text(self, vectors: Tensor) -> Tensor:
        """[..., width] vectors of the text tower, as it gives them."""
        return unit(self.text_projection(unit(vectors)))

    def regions(self, dense: Dense, boxes: Tensor, owner: Tensor) -> Tensor:
        """[R,4] corners x0, y0, x1, y1 → [R,dim]"""
        if self.settings.regions == "prompter":
            return self._prompted(dense, self.prompter.box_prompts(boxes), owner)
        found = regions.align(dense.map, boxes, owner, self.settings.roi_samples)
        return unit(self.region_projection(found))

    def points(self, dense: Dense, points: Tensor, owner: Tensor) -> Tensor:
        """[R,2] → [R,dim]"""
        if self.settings.regions == "prompter":
            return self._prompted(dense, self.prompter.point_prompts(points), owner)
        return unit(self.region_projection(regions.at_points(dense.map, points, owner)))

    def prompted_masks(self, dense: Dense, masks: Tensor, owner: Tensor) -> Tensor:
        """[R,H,W] masks over the canvas as prompts → [R,dim]"""
        share = regions.shares(masks, *dense.map.shape[-2:])
        if self.settings.regions == "prompter":
            tokens = self.prompter.dense_tokens(dense.map)
            prompts = self.prompter.mask_prompts(regions.mask_pool(tokens, share, owner))
            return unit(self.region_projection(self.prompter(tokens, prompts, owner)))
        found = regions.mask_pool(dense.map.flatten(2).transpose(1, 2), share, owner)
        return unit(self.region_projection(found))

    def masked(self, dense: Dense, masks: Tensor, owner: Tensor) -> Tensor:
        """[R,H,W] masks over the canvas → [R,dim] mean pixel embeddings inside (UMG-CLIP); zeros for an empty mask."""
        pixels = self.pixels(dense)
        share = regions.shares(masks, *pixels.shape[-2:])
        return unit(regions.mask_pool(pixels.flatten(2).transpose(1, 2), share, owner))

    def ground(self, dense: Dense, text: Tensor, owner: Tensor) -> Tensor:
        """[R,dim] text embeddings → [R,4] corners of the box of what each says (CLOC's grounding)."""
        if self.settings.regions != "prompter":
            raise ValueError(f"regions is {self.settings.regions}: grounding expects regions = prompter")
        tokens = self.prompter.dense_tokens(dense.map)
        found = self.grounding(self.prompter(tokens, self.prompter.text_prompts(text), owner)).sigmoid()
        centre, half = found[:, :2], found[:, 2:] / 2
        return torch.cat([centre - half, centre + half], 1)

    def pixels(self, dense: Dense) -> Tensor:
        """[B,dim,h,w], one unit vector per cell."""
        return unit(self.projector(dense.map), 1)

    def patch_mean(self, dense: Dense) -> Tensor:
        """[B,dim]: the mean of the projected patches, which TagAlign compares with captions and tags."""
        return unit(self.projector(dense.map).mean((2, 3)), 1)

    def predict(self, dense: Dense) -> Prediction:
        found: Prediction = self.prediction(dense.map)
        return found

    def scale(self, kind: str) -> Tensor:
        """Inverse temperature of one kind (image, region, pixel, tag)."""
        scale: Tensor = self.log_scale[kind].exp()
        return scale.clamp(max=self.settings.max_scale)

    def bias(self, kind: str) -> Tensor:
        """Added to one kind's logits by the sigmoid losses."""
        bias: Tensor = self.logit_bias[kind]
        return bias

    def _prompted(self, dense: Dense, prompts: Tensor, owner: Tensor) -> Tensor:
        found = self.prompter(self.prompter.dense_tokens(dense.map), prompts, owner)
        return unit(self.region_projection(found))
