"""Near duplicates by their perceptual hashes."""

from collections.abc import Iterable
from itertools import pairwise

BITS = 64


class Known:
    """Hashes so far.

    Two that differ in at most `distance` bits agree in at least one of `distance + 1` bands, so only those are compared.
    """

    def __init__(self, distance: int) -> None:
        self.distance = distance
        edges = [round(i * BITS / (distance + 1)) for i in range(distance + 2)]
        self.bands = [(low, (1 << (high - low)) - 1) for low, high in pairwise(edges)]
        self.buckets: list[dict[int, list[int]]] = [{} for _ in self.bands]

    def near(self, fingerprint: int) -> bool:
        """Whether a known hash is near."""
        for (low, mask), bucket in zip(self.bands, self.buckets, strict=True):
            for other in bucket.get(fingerprint >> low & mask, ()):
                if (other ^ fingerprint).bit_count() <= self.distance:
                    return True
        return False

    def add(self, fingerprint: int) -> None:
        """Remembers a hash."""
        for (low, mask), bucket in zip(self.bands, self.buckets, strict=True):
            bucket.setdefault(fingerprint >> low & mask, []).append(fingerprint)


def duplicates(fingerprints: Iterable[tuple[str, int]], excluded: Iterable[int], distance: int) -> dict[str, str]:
    """Which pictures to leave out, and why: near one of `excluded`, or near an earlier one that stays."""
    others, kept = Known(distance), Known(distance)
    for fingerprint in excluded:
        others.add(fingerprint)
    found = {}
    for key, fingerprint in fingerprints:
        if others.near(fingerprint):
            found[key] = "near duplicate of an excluded picture"
        elif kept.near(fingerprint):
            found[key] = "near duplicate"
        else:
            kept.add(fingerprint)
    return found
