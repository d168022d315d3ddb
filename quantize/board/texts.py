"""Sentence vectors of every text that training uses, computed once and cached."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from quantize.files import whole_file
from quantize.model.text import TEMPLATES, MiniLM
from quantize.progress import track

CHUNK = 2048


@dataclass
class Texts:
    """`vectors` [N, templates, 384]; `index` finds a text's row."""

    index: dict[str, int]
    vectors: Tensor


def load_texts(texts: list[str], cache: Path) -> Texts:
    """Reads the cached vectors of exactly these texts, or makes them."""
    texts = list(dict.fromkeys(texts))
    digest = hashlib.sha256(json.dumps([texts, TEMPLATES]).encode()).hexdigest()[:16]
    path = cache / f"texts-{digest}.safetensors"
    if not path.exists():
        tower = MiniLM.load()
        parts = []
        for i in track(range(0, len(texts), CHUNK), f"texts x{CHUNK}"):
            with torch.autocast("cpu", torch.bfloat16):
                parts.append(tower.encode_templated(texts[i : i + CHUNK]).half())
        with whole_file(path) as draft:
            save_file({"vectors": torch.cat(parts)}, draft)
    return Texts({t: i for i, t in enumerate(texts)}, load_file(path)["vectors"].float())
