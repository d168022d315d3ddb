"""The tag vocabulary: what enough pictures mention, without generic words, synonyms merged (TagAlign, arXiv 2312.14149)."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quantize.annotate.errors import AnnotateError
from quantize.annotate.parser.phrase import GENERIC, GENERIC_ATTRIBUTES, Phrase

KINDS = ("object", "attribute")


@dataclass(frozen=True)
class Synonyms:
    """Names of one thing → one name. Names that two things share (`bat`) stay as they are."""

    canonical: dict[str, str] = field(default_factory=dict)

    def __call__(self, name: str) -> str:
        """The one name."""
        return self.canonical.get(name, name)


def plain(name: str) -> str:
    """`car_(automobile)` → `car`."""
    return name.split("_(")[0].replace("_", " ").lower()


def read_synonyms(path: str) -> Synonyms:
    """A JSON list of tables with `synonyms`, the first the name to keep, as LVIS's categories have them; no path, no synonyms.

    Raises:
        AnnotateError: it is missing or of another form.
    """
    if not path:
        return Synonyms()
    try:
        groups = [list(dict.fromkeys(plain(name) for name in entry["synonyms"])) for entry in json.loads(Path(path).read_text())]
    except OSError as error:
        raise AnnotateError(f"synonyms {path}: {error.strerror}, expected a JSON list such as LVIS's categories") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AnnotateError(
            f'synonyms {path}: found another form, expected a JSON list of {{"synonyms": ["name", ...]}}'
        ) from None
    shared = Counter(name for group in groups for name in group)
    firsts = {group[0] for group in groups if group}
    return Synonyms({n: g[0] for g in groups for n in g[1:] if shared[n] == 1 and n not in firsts and shared[g[0]] == 1})


@dataclass(frozen=True)
class Vocabulary:
    """Names of each kind with the number of pictures that mention them, most first."""

    counts: dict[str, dict[str, int]]

    def __contains__(self, tag: tuple[str, str]) -> bool:
        kind, name = tag
        return name in self.counts[kind]

    def write(self, path: Path) -> None:
        """As JSON: kind → name → pictures."""
        path.write_text(json.dumps(self.counts, indent=1, ensure_ascii=False) + "\n")


def read_vocabulary(path: Path) -> Vocabulary:
    """Raises AnnotateError when it is missing or of another form."""
    try:
        values = json.loads(path.read_text())
        return Vocabulary({kind: {str(n): int(count) for n, count in values[kind].items()} for kind in KINDS})
    except OSError as error:
        raise AnnotateError(f"vocabulary {path}: {error.strerror}, expected an earlier run's vocabulary.json") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AnnotateError(f"vocabulary {path}: found another form, expected an earlier run's vocabulary.json") from None


def mentioned(phrases: Iterable[Phrase], synonyms: Synonyms) -> dict[tuple[str, str], list[str]]:
    """Tags (kind, name) that phrases mention → the objects that an attribute belongs to.

    An object counts by its head and, where there is more, by all its nouns: `player` and `soccer player`.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for phrase in phrases:
        if phrase.generic:
            continue
        head = synonyms(phrase.head)
        for name in dict.fromkeys([head, synonyms(phrase.noun)]):
            found.setdefault(("object", name), [])
        for attribute in phrase.attributes:
            if attribute not in GENERIC_ATTRIBUTES:
                owners = found.setdefault(("attribute", attribute), [])
                if head not in owners:
                    owners.append(head)
    return found


def count(tag_sets: Iterable[Sequence[tuple[str, str]]], least: int, most: int) -> Vocabulary:
    """The `most` frequent names of each kind that `least` pictures have, letters only; equal counts in alphabetic order."""
    counts = Counter(tag for tags in tag_sets for tag in set(tags))
    kept: dict[str, dict[str, int]] = {}
    for kind in KINDS:
        named = [(name, n) for (k, name), n in counts.items() if k == kind and n >= least and usable(name)]
        kept[kind] = dict(sorted(named, key=lambda item: (-item[1], item[0]))[:most])
    return Vocabulary(kept)


def usable(name: str) -> bool:
    """Letters, more than one, and no generic word."""
    return len(name) > 1 and name.replace(" ", "").replace("-", "").isalpha() and name not in GENERIC
