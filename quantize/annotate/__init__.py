"""Data engine: pictures → shards with captions, tags, boxes and masks (UMG-CLIP, CLOC's VESL, TagAlign)."""
