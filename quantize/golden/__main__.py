"""Makes the golden cases of `tests/golden` again: `python -m quantize.golden`, after each change of the bundle."""

from quantize.golden.cases import (
    FOLDER,
    NETWORKS,
    example_cases,
    int8_cases,
    kernel_cases,
    model_cases,
    preprocess_cases,
    small_cases,
    text_cases,
)

if __name__ == "__main__":
    preprocess_cases(FOLDER / "preprocess")
    model_cases(FOLDER / "model")
    int8_cases(FOLDER / "int8")
    small_cases(NETWORKS)
    kernel_cases(FOLDER / "int8" / "kernels.safetensors")
    text_cases(FOLDER / "int8" / "texts.safetensors")
    example_cases(FOLDER / "examples" / "photos.safetensors")
