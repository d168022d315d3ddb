"""The space in which a user's example pictures are compared, from a bundle and pictures: `features.safetensors`, `[examples]`."""
