"""The board's model learns from frozen RegionClips: their outputs are stored once, or computed in every step."""
