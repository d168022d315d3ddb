"""The part of the tokenizer that prompts on the board can use.

MiniLM's WordPiece vocabulary has rows that were never trained (`[unused0]` …) and those of other scripts, which the English
model knows next to nothing about. Without them the program is a megabyte smaller, and a prompt in another script is refused as
unknown words instead of being looked for at random.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNUSED = re.compile(r"\[unused\d+\]")


def usable(token: str) -> bool:
    """Whether a token is of Latin script, a digit, or punctuation and symbols of any script's text (U+2000 to U+2BFF)."""
    return not UNUSED.fullmatch(token) and all(c < "\u0250" or "\u2000" <= c < "\u2c00" for c in token)


def pruned(tokenizer: dict[str, Any]) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """A WordPiece tokenizer (the content of `tokenizer.json`) with the usable tokens alone, and the former id of each.

    Ids are counted anew from 0. English text is cut into the same tokens as before.
    """
    former = sorted((id_, token) for token, id_ in tokenizer["model"]["vocab"].items() if usable(token))
    ids = {token: new for new, (_, token) in enumerate(former)}
    special = tokenizer["post_processor"]["special_tokens"]
    result = tokenizer | {
        "model": tokenizer["model"] | {"vocab": ids},
        "added_tokens": [added | {"id": ids[added["content"]]} for added in tokenizer["added_tokens"]],
        "post_processor": tokenizer["post_processor"]
        | {"special_tokens": {name: s | {"ids": [ids[token] for token in s["tokens"]]} for name, s in special.items()}},
    }
    return result, np.array([id_ for id_, _ in former])


def write_tokenizer(source: Path, target: Path) -> NDArray[np.int64]:
    """Writes the pruned form of the tokenizer `source`; the former ids of its tokens."""
    result, former = pruned(json.loads(source.read_text()))
    target.write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")))
    return former
