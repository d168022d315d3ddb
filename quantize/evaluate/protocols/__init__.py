"""How a set becomes numbers: one protocol a file, each over any `Predictor`."""
