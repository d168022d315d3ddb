"""How a set becomes numbers: one protocol per file, each over any `Predictor`."""
