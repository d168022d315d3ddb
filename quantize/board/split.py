"""Which training pictures are held out for calibration."""

import zlib

from quantize.recipe import Recipe

MODULUS = 1000


def is_dev(key: str, source: str, recipe: Recipe) -> bool:
    """A fixed share of each source by the hash of its key; `dev_shares` sets another share for single sources."""
    return zlib.crc32(key.encode()) % MODULUS < recipe.dev_shares.get(source, recipe.dev_share) * MODULUS
