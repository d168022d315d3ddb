"""Trained weights → a bundle: `python -m quantize.export quantize/recipes/cpu.toml [--bundle models/default]`.

Exports float ONNX, quantises it, and compares: float ONNX with PyTorch, int8 with float. A difference beyond its bound exits 1.
"""

from quantize.command_line import missing_files_end_it, recipe_and_bundle, results_alone
from quantize.export.steps import export


def main() -> None:
    results_alone()
    recipe, bundle = recipe_and_bundle(__doc__)
    with missing_files_end_it():
        export(recipe, bundle)


if __name__ == "__main__":
    main()
