"""The board's model learns from frozen RegionClips: what they see of each picture, stored once or asked in every step."""
