"""Pictures and their supervision: shards, canvases, words."""
