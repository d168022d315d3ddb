"""Boxes ↔ phrases: the last step of VESL (CLOC, arXiv 2410.02746).

An open detector's box was found by a phrase: it gets that phrase's head noun and attributes. A closed detector knows classes
only: a box gets a phrase when the class is the phrase's head noun or its synonym, and when it is certain which box is meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quantize.annotate.coco_words import CLASSES_OF
from quantize.annotate.parser.phrase import GENERIC_ATTRIBUTES, Phrase
from quantize.annotate.record import PseudoBox, Record
from quantize.annotate.settings import Settings
from quantize.annotate.vocabulary import Synonyms, read_synonyms


def build(settings: Settings) -> "Assign":
    """From the setting `synonyms`."""
    return Assign(read_synonyms(settings.synonyms))


@dataclass
class Assign:
    """Fills the boxes' `name`, `phrase` and `attributes`."""

    synonyms: Synonyms

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Boxes without a phrase keep the detector's name."""
        return [replace(r, pseudo_boxes=tuple(self._box(box, r) for box in r.pseudo_boxes)) for r in records]

    def _box(self, box: PseudoBox, record: Record) -> PseudoBox:
        if box.phrase:
            by_text = {phrase.text: phrase for phrases in record.phrases for phrase in phrases}
            return with_phrase(box, [by_text[box.phrase]], by_text[box.phrase].head) if box.phrase in by_text else box
        same = [other for other in record.pseudo_boxes if other.name == box.name and not other.phrase]
        phrases = self.certain(box.name, len(same), record.phrases)
        return with_phrase(box, phrases, box.name) if phrases else box

    def certain(self, name: str, boxes: int, texts: Sequence[Sequence[Phrase]]) -> list[Phrase]:
        """What the texts call the boxes of a class; nothing if a text mentions it twice, or fewer times than there are boxes."""
        found: list[Phrase] = []
        for phrases in texts:
            matching = [phrase for phrase in phrases if self.means(phrase, name)]
            if len(matching) > 1:
                return []
            found += matching
        return [] if any(phrase.plural != (boxes > 1) for phrase in found) else found

    def means(self, phrase: Phrase, name: str) -> bool:
        """The phrase's head noun is the class, a word for it, or a synonym."""
        words = {phrase.head, phrase.noun}
        return (
            name in words
            or any(name in CLASSES_OF.get(w, ()) for w in words)
            or self.synonyms(phrase.head) == self.synonyms(name)
        )


def with_phrase(box: PseudoBox, phrases: Sequence[Phrase], name: str) -> PseudoBox:
    """The longest phrase, with the attributes of all."""
    longest = max(phrases, key=lambda phrase: len(phrase.text.split()))
    attributes = dict.fromkeys(a for phrase in phrases for a in phrase.attributes if a not in GENERIC_ATTRIBUTES)
    return replace(box, name=name, phrase=longest.text, attributes=tuple(attributes))
