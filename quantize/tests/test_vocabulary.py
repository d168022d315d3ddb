"""The tokenizer of the bundle: fewer tokens, the same text."""

import json
from pathlib import Path

import onnx
import pytest
from quantize.export.vocabulary import pruned, usable, write_tokenizer
from quantize.model.text import MAX_TOKENS, minilm_folder
from tokenizers import Tokenizer

BUNDLE = Path(__file__).parents[2] / "models/default"


@pytest.mark.parametrize("token", ["cat", "##ing", "café", "[CLS]", "…", "€", "x²", "7"])
def test_latin_digits_and_punctuation_stay(token: str) -> None:
    assert usable(token)


@pytest.mark.parametrize("token", ["[unused3]", "кот", "##猫", "ひ", "ﬁ", "ɛ", "！"])
def test_other_scripts_and_unused_rows_go(token: str) -> None:
    assert not usable(token)


def test_english_is_cut_as_before(tmp_path: Path) -> None:
    former = write_tokenizer(minilm_folder() / "tokenizer.json", tmp_path / "tokenizer.json")
    whole, small = (Tokenizer.from_file(str(folder / "tokenizer.json")) for folder in (minilm_folder(), tmp_path))
    for tokenizer in (whole, small):
        tokenizer.no_padding()
    for text in ("a photo of a red double-decker bus", "Crème brûlée, 5 €", "antidisestablishmentarianism!", "woman's hand-bag"):
        a, b = whole.encode(text), small.encode(text)
        assert a.tokens == b.tokens
        assert a.ids == [former[i] for i in b.ids]
    assert small.encode("猫").tokens == ["[CLS]", "[UNK]", "[SEP]"]


def test_ids_follow_one_another() -> None:
    tokenizer = json.loads((minilm_folder() / "tokenizer.json").read_text())
    small, former = pruned(tokenizer)
    assert sorted(small["model"]["vocab"].values()) == list(range(len(former)))


def test_the_bundle_has_a_row_a_token() -> None:
    rows = Tokenizer.from_file(str(BUNDLE / "tokenizer.json")).get_vocab_size()
    shapes = [list(tensor.dims) for tensor in onnx.load(BUNDLE / "text.onnx").graph.initializer]
    assert [rows, 384] in shapes
    assert [MAX_TOKENS, 384] in shapes
