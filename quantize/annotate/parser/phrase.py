"""What a parser finds, and which nouns are too generic to describe a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from quantize.data.words import words

GENERIC = words(
    """air area background back beginning bit bottom bunch camera center centre close close-up closeup collection corner couple
    day distance edge end foreground front group half image inside kind left line look lot middle moment night number one
    other outside pair part photo photograph picture piece place row scene screenshot series set shot side sort something
    someone stack style surface thing time top type variety view way"""
)

GENERIC_ATTRIBUTES = words(
    """other different same similar various separate main next last first second third single several certain another more good
    bad best great nice fine interesting unusual strange odd weird typical common special own such extra ready visible looking
    holding wearing sitting standing using"""
)


@dataclass(frozen=True)
class Phrase:
    """One noun phrase, in lower case.

    `text` is as written, without determiner and count; `noun` all nouns with the last one singular (`soccer player`); `head` the
    name of the thing: a known compound (`traffic light`) or the last noun's lemma (`player`). `attributes` belong to the head,
    also those said later (`the bus is red`). `plural`: more than one is meant.
    """

    text: str
    noun: str
    head: str
    attributes: tuple[str, ...] = ()
    plural: bool = False

    @property
    def generic(self) -> bool:
        """Names a place in the picture or an amount, not a thing."""
        return self.head in GENERIC


class Parser(Protocol):
    """Finds noun phrases; `name` and `version` go into the provenance."""

    name: str
    version: str

    def __call__(self, captions: Sequence[str]) -> list[list[Phrase]]:
        """The phrases of each caption, in order."""
