"""Training of RegionClip on shards: examples, batches, and the objective that UMG-CLIP, CLOC and TagAlign add up to."""
