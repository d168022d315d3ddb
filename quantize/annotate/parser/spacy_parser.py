"""Noun phrases by a spaCy pipeline: base noun phrases of its tags, attributes of its dependencies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Token

from quantize.annotate.errors import AnnotateError
from quantize.annotate.parser import lexicon as lex
from quantize.annotate.parser.phrase import Phrase

NOUNS = ("NOUN", "PROPN")


@dataclass
class SpacyParser:
    """Needs a pipeline with tagger, parser and lemmatiser."""

    pipeline: Language
    name: str
    version: str

    @classmethod
    def load(cls, model: str) -> "SpacyParser":
        """Raises AnnotateError that says how to install the model."""
        try:
            pipeline = spacy.load(model, exclude=["ner"])
        except OSError:
            hint = f"python -m spacy download {model}"
            raise AnnotateError(f'spaCy\'s model {model} is not installed; run `{hint}`, or set parser = "lexicon"') from None
        return cls(pipeline, f"spacy:{model}", str(pipeline.meta.get("version", "?")))

    def __call__(self, captions: Sequence[str]) -> list[list[Phrase]]:
        """The phrases of each caption, in order."""
        return [phrases(doc) for doc in self.pipeline.pipe(captions)]


def phrases(doc: Doc) -> list[Phrase]:
    """One phrase for each noun that is not part of another noun's compound."""
    heads = [t for t in doc if t.pos_ in NOUNS and not (t.dep_ == "compound" and t.head.i > t.i)]
    return [_phrase(head) for head in heads]


def _phrase(head: Token) -> Phrase:
    compound = [t for t in head.lefts if t.dep_ == "compound"]
    compound = sorted((part for t in compound for part in t.subtree), key=lambda t: t.i)
    nouns = [*(t.lower_ for t in compound), head.lemma_.lower()]
    name = next((known for i in range(len(nouns)) if (known := lex.compound(tuple(nouns[i:])))), nouns[-1])
    attributes = list(_attributes(head))
    materials = [word for word in nouns[: len(nouns) - len(name.split())] if word in lex.MATERIALS]
    left = [t for t in head.lefts if t.dep_ in ("amod", "compound")]
    first = min((part.i for t in left for part in t.subtree), default=head.i)
    text = " ".join(t.lower_ for t in head.doc[first : head.i + 1] if not t.is_punct)
    several = "Plur" in head.morph.get("Number", []) or any(
        t.dep_ == "nummod" and t.lower_ not in ("one", "1") for t in head.lefts
    )
    return Phrase(text, " ".join(nouns), name, tuple(dict.fromkeys([*attributes, *materials])), several)


def _attributes(head: Token) -> Iterator[str]:
    """Adjectives before the noun, and those of `the noun is …`, with all that is joined to them."""
    for token in head.children:
        if token.dep_ == "amod":
            yield from _joined(token)
        elif token.dep_ == "relcl" and token.lemma_ == "be":  # a bus that is red
            yield from (w for t in token.children if t.dep_ == "acomp" for w in _joined(t))
    if head.dep_ in ("nsubj", "nsubjpass") and head.head.lemma_ == "be":
        yield from (w for t in head.head.children if t.dep_ == "acomp" for w in _joined(t))


def _joined(adjective: Token) -> Iterator[str]:
    shades = [t.lower_ for t in adjective.lefts if t.dep_ in ("amod", "advmod") and t.lower_ in lex.SHADES]
    yield " ".join([*shades, adjective.lower_])
    for token in adjective.children:
        if token.dep_ == "conj":
            yield from _joined(token)
