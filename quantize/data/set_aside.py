"""Which training pictures are set aside: nothing is trained on them, scores are calibrated and choices are made there.

The rule is fixed. `val.tar` and the held-out names are only for reporting.
"""

import zlib
from collections.abc import Mapping

MODULUS = 1000
SHARE = 0.04
SHARES = {"coco128_train2017": 0.5, "coco_mini": 1.0, "freiburg": 0.1}
"""Of the sources with people's boxes, which are few, more is set aside."""


def place(key: str) -> int:
    """Where a picture stands in its source's order: 0 to `MODULUS` - 1, by the hash of its key."""
    return zlib.crc32(key.encode()) % MODULUS


def is_set_aside(key: str, source: str, share: float = SHARE, shares: Mapping[str, float] = SHARES) -> bool:
    """The first `share` of each source; `shares` has other ones for single sources."""
    return place(key) < shares.get(source, share) * MODULUS
