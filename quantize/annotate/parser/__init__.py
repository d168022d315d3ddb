"""Captions → noun phrases with their attributes."""

from importlib.util import find_spec

from quantize.annotate.errors import AnnotateError
from quantize.annotate.parser.lexicon_parser import LexiconParser
from quantize.annotate.parser.phrase import Parser

SMALL_MODEL = "en_core_web_sm"


def load_parser(name: str) -> Parser:
    """`lexicon`, `spacy:MODEL`, or `auto`: spaCy's small English model where it is installed, else the lexicon.

    Raises:
        AnnotateError: another name, or the model is not installed.
    """
    if name == "auto":
        name = f"spacy:{SMALL_MODEL}" if find_spec("spacy") and find_spec(SMALL_MODEL) else "lexicon"
    kind, _, model = name.partition(":")
    if kind == "lexicon" and not model:
        return LexiconParser()
    if kind == "spacy" and model:
        from quantize.annotate.parser.spacy_parser import SpacyParser

        return SpacyParser.load(model)
    raise AnnotateError(f"parser is {name!r}, expected auto, lexicon or spacy:MODEL")
