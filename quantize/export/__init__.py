"""From trained weights to a bundle: graphs, int8, calibration, manifest, card."""
