"""CLOC's Prompter (arXiv 2410.02746, section 3.2): one picture's dense features, encoded once, answer many prompts.

A prompt token (box, point, mask or text) is put before the dense tokens; both go through one single-layer, single-head
transformer encoder, and what comes out is pooled and normalised.

Prompts of a picture do not see one another, so most of the layer is common to them. With one more key, attention of a dense
token is a blend of what it is without a prompt and the prompt's value; and since everything up to the activation is then linear
in that blend but for the norm's divisor, the products with weights are done once a picture and once a prompt, not once a prompt
and token. The result is exactly `layer` run on each prompt's sequence.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from quantize.model.dense import Slots, wide
from quantize.settings.model import CODES

FINEST = 128.0  # half periods of the finest position code along the canvas
KEPT = 2**24  # hidden values that are made at a time


def codes(xy: Tensor, width: int) -> Tensor:
    """Sinusoidal codes of places: [..., 2] fractions of the canvas → [..., width]; half periods go from 1 to FINEST per side."""
    n = width // CODES
    exponent = torch.arange(n, device=xy.device, dtype=xy.dtype) / max(n - 1, 1)
    angle = xy[..., None] * (math.pi * FINEST**exponent)
    return torch.cat([angle.sin(), angle.cos()], -1).flatten(-2)


def cell_centres(h: int, w: int, device: torch.device) -> Tensor:
    """[h*w, 2] centres (x, y) of a map's cells as fractions of the canvas."""
    ys, xs = torch.meshgrid((torch.arange(h, device=device) + 0.5) / h, (torch.arange(w, device=device) + 0.5) / w, indexing="ij")
    return torch.stack([xs, ys], -1).reshape(-1, 2)


def _hidden(a: Tensor, c: Tensor, owner: Tensor, b: Tensor, blend: Tensor, inverse: Tensor, bias: Tensor) -> Tensor:
    """Mean over tokens of the feed-forward network's hidden values: [B,N,F], [B,N,F], [R], [R,F], [R,N], [R,N] → [R,F]."""
    x = a[owner] + blend[..., None].to(a.dtype) * (b[:, None] - c[owner])
    return F.gelu(x * inverse[..., None].to(a.dtype) + bias).mean(1)


class Prompter(nn.Module):
    """Dense maps [B,channels,h,w] and prompts → [R,width]. `dim` is the joint space's, from which text prompts come."""

    def __init__(self, channels: int, width: int, dim: int, pool: str) -> None:
        super().__init__()
        self.width = width
        self.pool = pool
        self.tokens = nn.Sequential(nn.Linear(channels, width), nn.LayerNorm(width))
        self.layer = nn.TransformerEncoderLayer(width, 1, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(width)
        self.from_box = nn.Linear(2 * width, width)
        self.from_point = nn.Linear(width, width)
        self.from_mask = nn.Linear(width, width)
        self.from_text = nn.Linear(dim, width)

    def dense_tokens(self, features: Tensor) -> Tensor:
        """[B,C,h,w] → [B,h*w,width] with position codes."""
        h, w = features.shape[-2:]
        tokens: Tensor = self.tokens(features.flatten(2).transpose(1, 2))
        return tokens + codes(cell_centres(h, w, features.device), self.width)

    def box_prompts(self, boxes: Tensor) -> Tensor:
        """[R,4] corners x0, y0, x1, y1 as fractions of the canvas → [R,width]"""
        prompts: Tensor = self.from_box(codes(boxes.reshape(-1, 2, 2), self.width).flatten(1))
        return prompts

    def point_prompts(self, points: Tensor) -> Tensor:
        """[R,2] fractions of the canvas → [R,width]"""
        prompts: Tensor = self.from_point(codes(points, self.width))
        return prompts

    def mask_prompts(self, pooled: Tensor) -> Tensor:
        """[R,width] means of the dense tokens inside each mask → [R,width]"""
        prompts: Tensor = self.from_mask(pooled)
        return prompts

    def text_prompts(self, text: Tensor) -> Tensor:
        """[R,dim] unit text embeddings → [R,width]"""
        prompts: Tensor = self.from_text(text)
        return prompts

    def forward(self, tokens: Tensor, prompts: Tensor, owner: Tensor) -> Tensor:
        """[B,N,width] of `dense_tokens`, [R,width] prompts, [R] their pictures → [R,width]"""
        attention, slots = self.layer.self_attn, Slots(owner, len(tokens))
        weight, bias = attention.in_proj_weight, attention.in_proj_bias
        q, k, v = F.linear(self.layer.norm1(tokens), weight, bias).chunk(3, -1)
        qp, kp, vp = F.linear(self.layer.norm1(prompts), weight, bias).chunk(3, -1)
        root = math.sqrt(self.width)
        to_tokens = wide(slots.collect(slots.spread(qp) @ k.transpose(1, 2))) / root
        to_itself = wide(qp * kp).sum(1, keepdim=True) / root
        share = torch.cat([to_itself, to_tokens], 1).softmax(1)
        seen = slots.collect(slots.spread(share[:, 1:].to(v.dtype)) @ v) + share[:, :1].to(v.dtype) * vp
        x = prompts + attention.out_proj(seen)
        x = x + self.layer.linear2(F.gelu(self.layer.linear1(self.layer.norm2(x))))
        if self.pool == "mean" and len(prompts):
            x = self._mean(x, tokens, (q, k, v), (kp, vp), slots)
        pooled: Tensor = self.norm(x)
        return pooled

    def _mean(
        self, prompt_out: Tensor, tokens: Tensor, qkv: tuple[Tensor, Tensor, Tensor], kvp: tuple[Tensor, Tensor], slots: Slots
    ) -> Tensor:
        """Mean over the prompt's output and all dense tokens' outputs."""
        layer, n = self.layer, tokens.shape[1]
        (q, k, v), (kp, vp), owner = qkv, kvp, slots.owner
        out = layer.self_attn.out_proj
        root = math.sqrt(self.width)
        logits = wide(q @ k.transpose(1, 2)) / root
        alone = logits.softmax(2).to(v.dtype) @ v
        with_prompt = wide(slots.collect(slots.spread(kp) @ q.transpose(1, 2))) / root
        blend = (with_prompt - logits.logsumexp(2)[owner]).sigmoid()
        c, b = F.linear(alone, out.weight), F.linear(vp, out.weight)
        a = tokens + c + out.bias
        total = a.sum(1)[owner] + blend.sum(1, keepdim=True) * b - slots.collect(slots.spread(blend.to(c.dtype)) @ c)
        a, b, c = (z - z.mean(-1, keepdim=True) for z in map(wide, (a, b, c)))
        with torch.autocast(tokens.device.type, enabled=False):
            inverse = self._inverse_deviation(a, b, c, blend, slots)
        first = layer.linear1.weight * layer.norm2.weight
        bias = layer.linear1(layer.norm2.bias)
        ha, hb, hc = F.linear(a, first), F.linear(b, first), F.linear(c, first)
        rows = max(1, KEPT // (n * first.shape[0]))
        hidden = []
        for i in range(0, len(owner), rows):
            s = slice(i, i + rows)
            part = (ha, hc, owner[s], hb[s], blend[s], inverse[s], bias)
            once = rows >= len(owner)  # else they are made again in the backward pass
            hidden.append(_hidden(*part) if once else checkpoint(_hidden, *part, use_reentrant=False, preserve_rng_state=False))
        fed = layer.linear2(torch.cat(hidden))
        mean: Tensor = (prompt_out + total + n * fed) / (n + 1)
        return mean

    def _inverse_deviation(self, a: Tensor, b: Tensor, c: Tensor, blend: Tensor, slots: Slots) -> Tensor:
        """Of `a + blend * (b - c)` over its channels, for centred [B,N,W], [R,W], [B,N,W] and [R,N] → [R,N]."""
        spread = slots.spread(b)
        ab = slots.collect(spread @ a.transpose(1, 2))
        bc = slots.collect(spread @ c.transpose(1, 2))
        aa, ac, cc = ((x * y).sum(-1)[slots.owner] for x, y in ((a, a), (a, c), (c, c)))
        bb = (b * b).sum(-1, keepdim=True)
        variance = (aa + 2 * blend * (ab - ac) + blend.square() * (bb - 2 * bc + cc)) / self.width
        return (variance.clamp(min=0) + self.layer.norm2.eps).rsqrt()
