"""Objects and attributes that are scored against each other (TagAlign, arXiv 2312.14149)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from quantize.data.shards import IGNORED_MASK_NAMES, Sample


@dataclass(frozen=True)
class Vocabulary:
    """Names of segments first, then others, most frequent first."""

    names: list[str]

    @staticmethod
    def of(samples: Iterable[Sample], least: int, most: int) -> "Vocabulary":
        """All names of segments, and the `most` frequent other names that fit `least` pictures."""
        masked: dict[str, None] = {}
        counts: Counter[str] = Counter()
        for s in samples:
            masked |= dict.fromkeys(n for n in s.mask_names if n and n not in IGNORED_MASK_NAMES)
            counts.update({*s.labels, *(t.name for t in s.tags), *(b.name for b in s.boxes)})
        kept = [name for name, n in counts.most_common() if n >= least and name not in masked][:most]
        return Vocabulary([*masked, *kept])
