"""Measures a bundle on the validation shard, next to reference models run by the same code.

`python -m quantize.evaluate` is the command. Every protocol is one file and uses its predictor
only through the interface in `predictor.py`, so that the binary, ONNX Runtime and PyTorch are
measured by the same code.
"""
