"""Names and the words of captions: the tag bank, and which tags a caption mentions (TagAlign, arXiv 2312.14149)."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

MAX_WORDS = 3


def words(text: str) -> frozenset[str]:
    """A list of words for a look-up."""
    return frozenset(text.split())


IRREGULAR = {
    "children": "child",
    "people": "person",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "dice": "die",
    "oxen": "ox",
    "cacti": "cactus",
    "fungi": "fungus",
    "lenses": "lens",
    "canvases": "canvas",
    "gases": "gas",
    "skis": "ski",
    "taxis": "taxi",
    "bikinis": "bikini",
    "quizzes": "quiz",
    "waltzes": "waltz",
}
# plurals in -ves whose singular ends in -f or -fe; the others only lose their s (gloves, waves, sleeves)
VES = {
    "calves": "calf",
    "elves": "elf",
    "halves": "half",
    "hooves": "hoof",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "scarves": "scarf",
    "shelves": "shelf",
    "thieves": "thief",
    "wives": "wife",
    "wolves": "wolf",
}
# singulars in -ie and -oe, which look like the plurals of -y and -o
KEEP_E = words(
    """birdie boogie bookie brownie budgie calorie collie cookie foodie genie goalie hippie hoodie junkie magpie movie necktie
    pie pinkie pixie prairie rookie selfie smoothie sweetie tie veggie walkie-talkie yuppie zombie canoe doe foe hoe horseshoe
    oboe shoe snowshoe tiptoe toe"""
)
# the same in singular and plural, or only plural
UNCHANGED = words(
    """always binoculars canvas chassis christmas clothes gas goggles gymnastics jeans leggings lens mathematics news pajamas
    pants physics pliers pyjamas scissors series shorts species sunglasses tights tongs trousers"""
)


def synonyms(line: str) -> list[str]:
    """`tench, Tinca tinca` → the names of one class."""
    return [part.strip() for part in line.split(",") if part.strip()]


def imagenet_names(labels: Path) -> list[list[str]]:
    """The 1000 classes, each with its synonyms; the file's first line is the background class."""
    lines = [line for line in labels.read_text().splitlines() if line.strip()]
    return [synonyms(line) for line in lines[1:]]


def lemma(word: str) -> str:
    """Singular of an English noun in lower case: irregular ones by list, the rest by their ending."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in UNCHANGED:
        return word
    for plural, singular in VES.items():
        if word.endswith(plural):  # also bookshelves, housewives
            return word[: -len(plural)] + singular
    if word.endswith("men") and word not in ("abdomen", "omen", "specimen", "stamen"):
        return word[:-2] + "an"
    if word[:-1] in KEEP_E and word.endswith("s"):
        return word[:-1]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes", "oes")):
        return word[:-2]
    if word.endswith("uses") and not word.endswith(("auses", "ouses", "fuses", "muses")):
        return word[:-2]  # buses, cactuses, but houses
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def phrases(text: str) -> set[str]:
    """All runs of one to three words, as written and with a singular last word."""
    said = re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())
    found = set()
    for n in range(1, MAX_WORDS + 1):
        for i in range(len(said) - n + 1):
            run = said[i : i + n]
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
