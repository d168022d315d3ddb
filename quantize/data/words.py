"""Names and the words of captions: the tag bank, and which tags a caption mentions (TagAlign, arXiv 2312.14149)."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

MAX_WORDS = 3
IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "people": "person",
    "knives": "knife",
    "leaves": "leaf",
    "shelves": "shelf",
    "mice": "mouse",
}


def synonyms(line: str) -> list[str]:
    """`tench, Tinca tinca` → the names of one class."""
    return [part.strip() for part in line.split(",") if part.strip()]


def imagenet_names(labels: Path) -> list[list[str]]:
    """The 1000 classes, each with its synonyms; the file's first line is the background class."""
    lines = [line for line in labels.read_text().splitlines() if line.strip()]
    return [synonyms(line) for line in lines[1:]]


def lemma(word: str) -> str:
    """Singular of a regular English noun."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def phrases(text: str) -> set[str]:
    """All runs of one to three words, as written and with a singular last word."""
    words = re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())
    found = set()
    for n in range(1, MAX_WORDS + 1):
        for i in range(len(words) - n + 1):
            run = words[i : i + n]
            found.add(" ".join(run))
            found.add(" ".join([*run[:-1], lemma(run[-1])]))
    return found


class TagParser:
    """Finds the tags of a fixed list that texts mention."""

    def __init__(self, tags: Iterable[str]) -> None:
        self.tags = {t.lower() for t in tags}

    def __call__(self, texts: Iterable[str]) -> list[str]:
        """Tags in any of the texts; a tag that is part of a longer found tag of the same text is left out."""
        found: dict[str, None] = {}
        for text in texts:
            here = phrases(text) & self.tags
            for tag in sorted(here):
                if not any(tag != other and f" {tag} " in f" {other} " for other in here):
                    found[tag] = None
        return list(found)


def frequent(tag_lists: Iterable[list[str]], least: int) -> list[str]:
    """Tags that at least `least` pictures mention, most frequent first."""
    counts = Counter(tag for tags in tag_lists for tag in tags)
    return [tag for tag, n in counts.most_common() if n >= least]
