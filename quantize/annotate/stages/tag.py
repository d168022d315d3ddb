"""Tags of the whole picture: objects and attributes that its texts mention, and objects that detectors found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quantize.annotate.record import Record, Tag
from quantize.annotate.settings import Settings
from quantize.annotate.vocabulary import Synonyms, Vocabulary, mentioned, read_synonyms, read_vocabulary

PEOPLE = "captions"
"""The `model` of a tag that people's words name."""


def build(settings: Settings) -> "Tags":
    """From the settings `vocabulary` and `synonyms`."""
    return Tags(read_vocabulary(Path(settings.vocabulary)), read_synonyms(settings.synonyms))


@dataclass
class Tags:
    """Of several sources people come first, then the better score. Words must be in the vocabulary, boxes' names need not."""

    vocabulary: Vocabulary
    synonyms: Synonyms

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Fills `tags`, objects first, best score first."""
        return [self._one(record) for record in records]

    def _one(self, record: Record) -> Record:
        witnesses = [(1.0, PEOPLE)] * len(record.given_texts()) + [(c.score, c.model) for c in record.pseudo_captions]
        found: dict[tuple[str, str], Tag] = {}
        for phrases, (score, model) in zip(record.phrases, witnesses, strict=True):
            for (kind, name), of in mentioned(phrases, self.synonyms).items():
                if (kind, name) in self.vocabulary:
                    _keep(found, Tag(name, kind, score, model, tuple(of)))
        for box in record.pseudo_boxes:
            _keep(found, Tag(self.synonyms(box.name), "object", box.score, box.model))
            for attribute in box.attributes:
                if ("attribute", attribute) in self.vocabulary:
                    _keep(found, Tag(attribute, "attribute", box.score, box.model, (self.synonyms(box.name),)))
        ordered = sorted(found.values(), key=lambda tag: (tag.kind != "object", -tag.score))
        return replace(record, tags=tuple(ordered))


def _keep(found: dict[tuple[str, str], Tag], tag: Tag) -> None:
    old = found.get((tag.kind, tag.name))
    if old is None:
        found[tag.kind, tag.name] = tag
        return
    better = tag if (tag.model == PEOPLE, tag.score) > (old.model == PEOPLE, old.score) else old
    found[tag.kind, tag.name] = replace(better, of=tuple(dict.fromkeys([*old.of, *tag.of])))
