"""Texts → noun phrases."""

from collections.abc import Sequence
from dataclasses import dataclass

from quantize.annotate.parser import load_parser
from quantize.annotate.parser.phrase import Parser
from quantize.annotate.record import Record
from quantize.annotate.settings import Settings


def build(settings: Settings) -> "Parse":
    """From the setting `parser`."""
    return Parse(load_parser(settings.parser))


@dataclass
class Parse:
    """All texts of a picture, one tuple of phrases per text."""

    parser: Parser

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Fills `phrases`."""
        return [
            record.done("parse", self.parser.name, self.parser.version, phrases=tuple(map(tuple, self.parser(record.texts()))))
            for record in records
        ]
