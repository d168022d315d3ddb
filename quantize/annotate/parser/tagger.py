"""Part of speech of each word of a caption, from word lists, endings and the words around it."""

import re
from collections.abc import Sequence

from quantize.annotate.parser import lexicon as lex
from quantize.data.words import lemma

TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+|[^\w\s]")
MODIFIERS = frozenset({"DT", "CD", "JJ", "POS"})
NOUNS = frozenset({"NN", "NNS"})
CLOSED: dict[str, str] = {
    **dict.fromkeys(lex.PREPOSITIONS, "IN"),
    **dict.fromkeys(lex.PRONOUNS, "PRP"),
    **dict.fromkeys(lex.DETERMINERS, "DT"),
    **dict.fromkeys(lex.NUMBERS, "CD"),
    **dict.fromkeys(lex.CONJUNCTIONS, "CC"),
    **dict.fromkeys(lex.AUXILIARIES, "MD"),
    **dict.fromkeys(lex.BE, "BE"),
    "which": "WH",
    "who": "WH",
    "to": "TO",
    "'s": "POS",
}


def tokens(caption: str) -> list[str]:
    """Words in lower case, numbers and punctuation; `dog's` is two."""
    found: list[str] = []
    for token in TOKEN.findall(caption.lower().replace("’", "'")):
        if token.endswith("'s") and token not in CLOSED:
            found += [token[:-2], "'s"]
        else:
            found.append(token)
    return found


def compounds(words: Sequence[str]) -> dict[int, int]:
    """Where known names of several words begin, and how many words they have; the longest first."""
    found: dict[int, int] = {}
    i = 0
    while i < len(words):
        for length in range(min(lex.LONGEST_COMPOUND, len(words) - i), 1, -1):
            if lex.compound(tuple(words[i : i + length])):
                found[i] = length
                break
        i += found.get(i, 1)
    return found


def tag(words: Sequence[str]) -> list[str]:
    """Penn-like tags: DT CD POS JJ NN NNS VB IN TO CC PRP WH MD BE RB SYM, and the punctuation itself."""
    tags: list[str] = []
    for start, length in sorted((dict.fromkeys(range(len(words)), 1) | compounds(words)).items()):
        if start < len(tags):  # inside a compound
            continue
        if length > 1:
            tags += ["NN"] * (length - 1) + [_noun(words[start + length - 1])]
        else:
            tags.append(_one(words, start, tags))
    return tags


def _noun(word: str) -> str:
    return "NNS" if lemma(word) != word else "NN"


def _one(words: Sequence[str], i: int, tags: list[str]) -> str:
    word, before = words[i], tags[-1] if tags else ""
    after = words[i + 1] if i + 1 < len(words) else ""
    if not word[0].isalnum() and word != "'s":
        return word
    if word.isdigit():
        return "CD"
    if len(word) == 1 and word not in ("a", "i"):  # what is left of a spelling such as men / s
        return "SYM"
    if word == "that" and before in NOUNS:
        return "WH"
    if word == "her" and not _continues(after):
        return "PRP"
    if word in lex.ADVERBS and word not in lex.ADJECTIVES:
        return "NN" if before in MODIFIERS and not (_continues(after) or _participle(after)) else CLOSED.get(word, "RB")
    if word in CLOSED:
        return CLOSED[word]
    if word.endswith("ly") and word not in lex.NOT_ADVERBS:
        return "RB"
    if _participle(word):
        modified = before == "RB" and tags[-2:-1] in (["DT"], ["CD"], ["JJ"], [","])  # a half eaten sandwich
        return _participle_tag(word, "JJ" if modified else before, words[i - 1] if i else "", after)
    if _is_adjective(word):
        return _adjective_tag(word, before, after, words[i + 2] if i + 2 < len(words) else "")
    return _verb_or_noun(word, before, after, tags)


def _participle(word: str) -> bool:
    if word in lex.NOUNS_IN_ING or word in lex.NOUNS_IN_ED:
        return False
    ends = (word.endswith("ing") and len(word) > 4) or (word.endswith("ed") and len(word) > 3)
    return ends or word in lex.IRREGULAR_VERBS


def _participle_tag(word: str, before: str, previous: str, after: str) -> str:
    if before == "BE":
        return "JJ" if word in lex.ADJECTIVES and not _continues(after) else "VB"
    nominal = _continues(after)
    if before in MODIFIERS:
        return "JJ" if nominal else "NN" if previous in ("a", "an", "the") else "VB"
    if word.endswith("ing") or before in NOUNS | {"PRP", "WH", "MD", "TO", "RB"}:
        return "VB"
    return "JJ" if nominal and (word.endswith("ed") or word in lex.ADJECTIVES) else "VB"


def _is_adjective(word: str) -> bool:
    if word in lex.ADJECTIVES:
        return True
    if word in lex.NOT_ISH_LESS_FUL or word.endswith("fish"):
        return False
    parts = word.split("-")
    if len(parts) > 1:
        return parts[-1] in lex.ADJECTIVE_ENDS or all(p in lex.ADJECTIVES or p in lex.SHADES or p == "and" for p in parts)
    return len(word) > 5 and word.endswith(("ish", "less", "ful", "ous", "ible"))


def _adjective_tag(word: str, before: str, after: str, then: str) -> str:
    if word in lex.VERBS and (before in {"TO", "MD", "PRP"} or (before == "NNS" and not _continues(after))):
        return "VB"
    if word in lex.MAYBE_NOUN and before != "BE" and not _continues(after):
        joined = after in lex.CONJUNCTIONS and _is_adjective(then)
        return "JJ" if joined else _noun(word)
    return "JJ"


def _continues(word: str) -> bool:
    """May stand behind a modifier in one noun phrase."""
    if not word or not word[0].isalpha() or (word in lex.ADVERBS and not _is_adjective(word)) or word in CLOSED:
        return False
    if word in lex.NEVER_NOUNS or (word.endswith("ly") and word not in lex.NOT_ADVERBS):
        return False
    return _is_adjective(word) or not (_participle(word) or word in lex.THIRD_PERSON) or word in lex.MAYBE_NOUN


def _verb_or_noun(word: str, before: str, after: str, tags: list[str]) -> str:
    if word in lex.NEVER_NOUNS and before not in {"DT", "CD", "POS"}:
        return "VB"
    if (
        before in {"NN", "JJ"}
        and after in lex.DETERMINERS
        and (word in lex.THIRD_PERSON or before == "NN")
        and _noun(word) == "NNS"
    ):
        return "VB"  # `a man in blue watches a family`: no noun phrase begins right behind a plural
    coordinated = before in {"CC", ","} and "VB" in tags
    if word in lex.THIRD_PERSON:
        return "VB" if before in NOUNS | {"PRP", "WH", "RB"} or (coordinated and tags[:-1][-1:] == ["RB"]) else _noun(word)
    if word in lex.VERBS:
        return "VB" if before in {"NNS", "PRP", "TO", "MD", "WH"} else "NN"
    return _noun(word)
