"""Cuts texts to what a bundle's text tower takes, so that every runtime embeds the same words."""

from pathlib import Path

from tokenizers import Tokenizer

from quantize.bundle.manifest import BundleError, Manifest


class TextCutter:
    """Shortens captions of more tokens than the tower has places for."""

    def __init__(self, model: Path, manifest: Manifest) -> None:
        """Reads `tokenizer.json` of the bundle `model`."""
        path = model / "tokenizer.json"
        if not path.is_file():
            raise BundleError(f"{path}: no such file, expected a model bundle (--model)")
        self.tokenizer = Tokenizer.from_file(str(path))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        # The longest template and the tokens around a sentence take their places first.
        around = max(len(self.tokenizer.encode(template.replace("{}", "")).ids) for template in manifest.templates)
        self.places = manifest.text_max_tokens - around

    def __call__(self, text: str) -> str:
        """The text up to the last token that fits."""
        offsets = self.tokenizer.encode(text, add_special_tokens=False).offsets
        return text if len(offsets) <= self.places else text[: offsets[self.places - 1][1]]
