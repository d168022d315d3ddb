"""What each paper's part adds at a small scale: `python -m quantize.ablations`."""
