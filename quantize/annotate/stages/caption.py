"""A captioner's words for pictures that have none (or for all)."""

from collections.abc import Sequence
from dataclasses import dataclass

from quantize.annotate.models.captioner import Captioner, load_captioner
from quantize.annotate.record import Caption, Record
from quantize.annotate.settings import Settings


def build(settings: Settings) -> "Captions":
    """From the settings `captioner` and `captions`."""
    return Captions(load_captioner(settings.captioner, settings.device), settings.captions == "all")


@dataclass
class Captions:
    """One caption per picture; it takes the place of an earlier run's."""

    captioner: Captioner
    everywhere: bool

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Captions those without people's words, or all."""
        wanted = [i for i, r in enumerate(records) if self.everywhere or not r.given_texts()]
        found = list(records)
        said = self.captioner([records[i].picture() for i in wanted]) if wanted else []
        for i, (text, score) in zip(wanted, said, strict=True):
            captions = (Caption(text, self.captioner.name, score),) if text else ()
            empty = () if text else ("pseudo_captions: empty",)
            found[i] = records[i].done(
                "caption", self.captioner.name, self.captioner.version,
                pseudo_captions=captions, removed=(*records[i].removed, *empty),
            )  # fmt: skip
        return found
