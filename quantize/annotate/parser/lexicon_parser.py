"""Noun phrases without a model: `NP: DT? JJ* NN+` (CLOC, arXiv 2410.02746) over the lexicon's tags."""

from collections.abc import Sequence
from dataclasses import replace

from quantize.annotate.parser import lexicon as lex
from quantize.annotate.parser.phrase import Phrase
from quantize.annotate.parser.tagger import NOUNS, tag, tokens
from quantize.data.words import lemma

Span = tuple[int, int]


class LexiconParser:
    """Adjectives may be joined by commas and conjunctions (`a red and white bus`); `the bus is red` counts for the bus."""

    name = "lexicon"
    version = "1"

    def __call__(self, captions: Sequence[str]) -> list[list[Phrase]]:
        """The phrases of each caption, in order."""
        return [parse(caption) for caption in captions]


def parse(caption: str) -> list[Phrase]:
    """The noun phrases of one caption."""
    words = tokens(caption)
    tags = tag(words)
    found: list[tuple[Span, Phrase]] = []
    i = 0
    while i < len(words):
        chunk = _chunk(words, tags, i)
        if chunk is None:
            i += 1
        else:
            found.append(chunk)
            i = chunk[0][1]
    for at, is_a in enumerate(tags):
        if is_a == "BE":
            _predicate(words, tags, at, found)
    return [phrase for _, phrase in found]


def _chunk(words: list[str], tags: list[str], start: int) -> tuple[Span, Phrase] | None:
    """The noun phrase that begins at `start`."""
    i, several = start, False
    while i < len(tags) and tags[i] in {"DT", "CD", "POS"}:
        several |= words[i] in lex.PLURAL_DETERMINERS or (tags[i] == "CD" and words[i] not in ("one", "1"))
        i += 1
    first = i
    attributes, i = _adjectives(words, tags, i)
    nouns = i
    while i < len(tags) and tags[i] in NOUNS:
        i += 1
    if i == nouns:
        return None
    run = words[nouns:i]
    if run == ["glasses"] and tags[start] != "CD" and words[i : i + 1] != ["of"]:
        head = noun = "glasses"
    else:
        head, noun = _head(run), " ".join([*run[:-1], lemma(run[-1])])
    materials = [w for w in run[: len(run) - len(head.split())] if w in lex.MATERIALS]
    text = " ".join(w for w in words[first:i] if w[0].isalnum())
    return (start, i), Phrase(text, noun, head, tuple(dict.fromkeys([*attributes, *materials])), several or tags[i - 1] == "NNS")


def _adjectives(words: list[str], tags: list[str], i: int) -> tuple[list[str], int]:
    """Adjectives from `i` on, and where they end; an adverb or joint counts only before another adjective."""
    found: list[str] = []
    while i < len(tags):
        joints = 0
        while i + joints < len(tags) and tags[i + joints] in ({"CC", ",", "RB"} if found else {"RB"}):
            joints += 1
        if i + joints < len(tags) and words[i + joints] in lex.SHADES and words[i + joints + 1 : i + joints + 2] != []:
            shade, colour = words[i + joints], words[i + joints + 1]
            if colour in lex.COLOURS and tags[i + joints + 1] == "JJ":
                found.append(f"{shade} {colour}")
                i += joints + 2
                continue
        if i + joints >= len(tags) or tags[i + joints] != "JJ":
            break
        found.append(words[i + joints])
        i += joints + 1
    return found, i


def _head(nouns: list[str]) -> str:
    for first in range(len(nouns) - 1):
        known = lex.compound(tuple(nouns[first:]))
        if known:
            return known
    return lemma(nouns[-1])


def _predicate(words: list[str], tags: list[str], be: int, found: list[tuple[Span, Phrase]]) -> None:
    """Gives the adjectives behind a form of `be` to the subject's phrase."""
    attributes, end = _adjectives(words, tags, be + 1)
    before = [n for n, ((_, stop), _) in enumerate(found) if stop <= be]
    if not attributes or not before or (end < len(tags) and tags[end] in NOUNS):
        return
    subject = before[-1]
    between = tags[found[subject][0][1] : be]
    if any(t not in {"WH", "RB", "DT"} for t in between):
        return
    while "WH" not in between and subject > 0:  # `the dog next to the bus is black` speaks of the dog
        link = tags[found[subject - 1][0][1] : found[subject][0][0]]
        if not link or any(t not in {"IN", "TO", "JJ", "VB"} for t in link):
            break
        subject -= 1
    span, phrase = found[subject]
    found[subject] = span, replace(phrase, attributes=tuple(dict.fromkeys([*phrase.attributes, *attributes])))
