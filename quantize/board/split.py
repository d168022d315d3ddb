"""Which training pictures are held out for calibration."""

import zlib

from quantize.settings.board import BoardData

MODULUS = 1000


def is_held_out(key: str, source: str, data: BoardData) -> bool:
    """A fixed share of each source by the hash of its key; `dev_shares` sets another share for single sources."""
    return zlib.crc32(key.encode()) % MODULUS < data.dev_shares.get(source, data.dev_share) * MODULUS
