"""RegionClip: one encoder pass, embeddings of the picture, of regions and of pixels in the space of its texts."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize.model import regions
from quantize.model.dense import Dense
from quantize.model.encoders import cached_channels, load_encoder
from quantize.model.prediction import Prediction, PredictionHead
from quantize.model.projector import Projector, projection
from quantize.model.prompter import Prompter
from quantize.model.settings import ModelSettings
from quantize.model.text_towers import cached_width, load_text_tower

KINDS = ("image", "region", "pixel", "tag")


class RegionClip(nn.Module):
    """All embeddings are unit vectors [..., dim]; boxes and points are fractions of the canvas; `owner` [R] names each row's picture.

    `Dense` may come from a cache: only `encode` needs the encoder, only `text` the text tower.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        cached, width = cached_channels(settings.encoder), cached_width(settings.text)
        self.encoder = None if cached else load_encoder(settings)
        self.tower = None if width else load_text_tower(settings)
        channels, pooled = cached or (self.encoder.channels, self.encoder.pooled_channels)
        dim = settings.dim
        self.image_projection = projection(pooled, dim)
        self.text_projection = projection(width or self.tower.width, dim)
        self.projector = Projector(channels, dim)
        if settings.regions == "prompter":
            self.prompter = Prompter(channels, settings.prompter_width, dim, settings.pool)
            self.region_projection = projection(settings.prompter_width, dim)
            self.grounding = nn.Sequential(
                nn.Linear(settings.prompter_width, settings.prompter_width), nn.GELU(), nn.Linear(settings.prompter_width, 4)
            )
        else:
            self.region_projection = projection(channels, dim)
        self.prediction = PredictionHead(channels, settings.head_width, settings.bins, settings.prototypes)
        self.log_scale = nn.ParameterDict({k: nn.Parameter(torch.tensor(math.log(settings.start_scale))) for k in KINDS})
        self.start_bias = nn.ParameterDict({k: nn.Parameter(torch.tensor(settings.start_bias)) for k in KINDS})

    def encode(self, pictures: Tensor) -> Dense:
        """[B,3,S,S] as `(pixel - 128) / 127.5`"""
        if self.encoder is None:
            raise ValueError(f"encoder is {self.settings.encoder}: it takes features from a cache and encodes no pictures")
        dense: Dense = self.encoder(pictures)
        return dense

    def image(self, dense: Dense) -> Tensor:
        return F.normalize(self.image_projection(dense.pooled), dim=-1)

    def text(self, texts: list[str]) -> Tensor:
        if self.tower is None:
            raise ValueError(f"text is {self.settings.text}: it takes vectors from a cache and encodes no texts")
        return self.project_text(self.tower(texts))

    def project_text(self, vectors: Tensor) -> Tensor:
        """[..., width] vectors of the text tower, as it gives them."""
        return F.normalize(self.text_projection(F.normalize(vectors, dim=-1)), dim=-1)

    def regions(self, dense: Dense, boxes: Tensor, owner: Tensor) -> Tensor:
        """[R,4] corners x0, y0, x1, y1 → [R,dim]"""
        if self.settings.regions == "prompter":
            return self._prompted(dense, self.prompter.box_prompts(boxes), owner)
        found = regions.align(dense.map, boxes, owner, self.settings.roi_samples)
        return F.normalize(self.region_projection(found), dim=-1)

    def points(self, dense: Dense, points: Tensor, owner: Tensor) -> Tensor:
        """[R,2] → [R,dim]"""
        if self.settings.regions == "prompter":
            return self._prompted(dense, self.prompter.point_prompts(points), owner)
        return F.normalize(self.region_projection(regions.at_points(dense.map, points, owner)), dim=-1)

    def prompted_masks(self, dense: Dense, masks: Tensor, owner: Tensor) -> Tensor:
        """[R,H,W] masks over the canvas as prompts → [R,dim]"""
        share = regions.shares(masks, *dense.map.shape[-2:])
        if self.settings.regions == "prompter":
            tokens = self.prompter.dense_tokens(dense.map)
            prompts = self.prompter.mask_prompts(regions.mask_pool(tokens, share, owner))
            return F.normalize(self.region_projection(self.prompter(tokens, prompts, owner)), dim=-1)
        found = regions.mask_pool(dense.map.flatten(2).transpose(1, 2), share, owner)
        return F.normalize(self.region_projection(found), dim=-1)

    def masked(self, dense: Dense, masks: Tensor, owner: Tensor) -> Tensor:
        """[R,H,W] masks over the canvas → [R,dim] mean pixel embeddings inside (UMG-CLIP); zeros for an empty mask."""
        pixels = self.pixels(dense)
        share = regions.shares(masks, *pixels.shape[-2:])
        return F.normalize(regions.mask_pool(pixels.flatten(2).transpose(1, 2), share, owner), dim=-1)

    def ground(self, dense: Dense, text: Tensor, owner: Tensor) -> Tensor:
        """[R,dim] text embeddings → [R,4] corners of the box of what each says (CLOC's grounding)."""
        if self.settings.regions != "prompter":
            raise ValueError(f"regions is {self.settings.regions}: grounding expects regions = prompter")
        tokens = self.prompter.dense_tokens(dense.map)
        found = self.grounding(self.prompter(tokens, self.prompter.text_prompts(text), owner)).sigmoid()
        centre, half = found[:, :2], found[:, 2:] / 2
        return torch.cat([centre - half, centre + half], 1)

    def pixels(self, dense: Dense) -> Tensor:
        """[B,dim,h,w], a unit vector a cell."""
        return F.normalize(self.projector(dense.map), dim=1)

    def patch_mean(self, dense: Dense) -> Tensor:
        """[B,dim]: the mean of the projected patches, which TagAlign compares with captions and tags."""
        return F.normalize(self.projector(dense.map).mean((2, 3)), dim=1)

    def predict(self, dense: Dense) -> Prediction:
        found: Prediction = self.prediction(dense.map)
        return found

    def scale(self, kind: str) -> Tensor:
        """Inverse temperature of one kind (image, region, pixel, tag)."""
        scale: Tensor = self.log_scale[kind].exp()
        return scale.clamp(max=self.settings.max_scale)

    def bias(self, kind: str) -> Tensor:
        """Added to one kind's logits by the sigmoid losses."""
        bias: Tensor = self.start_bias[kind]
        return bias

    def _prompted(self, dense: Dense, prompts: Tensor, owner: Tensor) -> Tensor:
        found = self.prompter(self.prompter.dense_tokens(dense.map), prompts, owner)
        return F.normalize(self.region_projection(found), dim=-1)
