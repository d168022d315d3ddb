"""Which training pictures are held out for calibration."""

from quantize.data.set_aside import is_set_aside
from quantize.settings.board import BoardData


def is_held_out(key: str, source: str, data: BoardData) -> bool:
    """A fixed share of each source; `dev_shares` sets another share for single sources."""
    return is_set_aside(key, source, data.dev_share, data.dev_shares)
