"""Asks networks that others trained about every training picture, once: `python -m quantize.teachers RECIPE`."""
