"""Captions → noun phrases: objects with their attributes."""

import pytest
from quantize.annotate.errors import AnnotateError
from quantize.annotate.parser import load_parser
from quantize.annotate.parser.lexicon_parser import LexiconParser, parse
from quantize.annotate.parser.phrase import Phrase
from quantize.annotate.parser.spacy_parser import SpacyParser, phrases
from spacy.lang.en import English
from spacy.tokens import Doc

# caption → things, attributes in brackets, + where several are meant, in the order of the caption; generic words left out
CAPTIONS = {
    "a red and white bus": "bus[red,white]",
    "two dogs playing with a ball": "dog+ ball",
    "traffic light": "traffic light",
    "Three traffic lights hang over the street.": "traffic light+ street",
    "hot dog": "hot dog",
    "A hot dog and a cold drink on a paper plate": "hot dog, drink[cold], paper plate",
    "man in a blue shirt": "man shirt[blue]",
    "The bus is red.": "bus[red]",
    "The dog next to the bus is black and white.": "dog[black,white] bus",
    "A bus that is red and very old": "bus[red,old]",
    "the man holding a green bag is tall": "man[tall] bag[green]",
    "The gate is closed.": "gate[closed]",
    "an open gate": "gate[open]",
    "An orange on a plate next to an orange cat": "orange plate cat[orange]",
    "an orange and white cat": "cat[orange,white]",
    "a light blue shirt with dark green stripes": "shirt[light blue] stripe+[dark green]",
    "A smiling man holding a wrapped present": "man[smiling] present[wrapped]",
    "the dog's bowl": "dog bowl",
    "a brick wall with a metal fence": "wall[brick] fence[metal]",
    "A kitchen with stainless steel appliances and wooden cabinets": "kitchen appliance+[stainless,steel] cabinet+[wooden]",
    "A group of people sit at a dining table": "person+, dining table",
    "A car parked on the street": "car street",
    "a parked car": "car[parked]",
    "A jacketed man with his back to the camera": "man[jacketed]",
    "A man skis down a snowy hill": "man hill[snowy]",
    "a man on skis": "man ski+",
    "Two women in swimming trunks": "woman+, swimming trunk+",
    "A brown and white dog runs through the tall green grass": "dog[brown,white] grass[tall,green]",
    "A boy with curly, blond hair": "boy hair[curly,blond]",
    "A half eaten sandwich on a plate": "sandwich[eaten] plate",
    "A high shot of a beautiful vase full of flowers": "vase[beautiful] flower+",
    "A man in blue watches a family": "man family",
    "A girl rides her bike past a bus stop.": "girl bike, bus stop",
    "people walk their dogs along the beach": "person+ dog+ beach",
    "A dog jumps over a hurdle": "dog hurdle",
    "A girl swings on a swing": "girl swing",
    "Three boys ride skateboards": "boy+ skateboard+",
    "A double decker bus drives down the street.": "double decker bus, street",
    "Two young children, one in a red coat, are in the snow": "child+[young] coat[red] snow",
    "A light brown horse stands in a field of tall dry grass.": "horse[light brown] field grass[tall,dry]",
    "A fisherman casts his fishing pole into the water": "fisherman, fishing pole, water",
    "a man wearing glasses and two glasses of wine": "man glasses+ glass+ wine",
    "a pair of scissors and a knife": "scissors knife",
    "a bunch of ripe bananas": "banana+[ripe]",
    "a picture of a fire hydrant": "fire hydrant",
    "a close up view of a tennis racket": "tennis racket",
    "A woman is holding an umbrella": "woman umbrella",
    "A little girl eating pieces of cake": "girl[little] cake",
    "Another woman is standing next to her holding a glass": "woman glass",
    "a cat sitting on top of a laptop computer": "cat, laptop computer",
    "A man in a suit and tie talks on a cell phone": "man suit tie, cell phone",
    "Several buses are parked in a parking lot": "bus+, parking lot",
    "knives and forks on a shelf": "knife+ fork+ shelf",
    "A teddy bear sits in a small wooden chair": "teddy bear, chair[small,wooden]",
    "A stop sign covered in snow": "stop sign, snow",
    "a wine glass and a glass bottle": "wine glass, bottle",
    "a snow-covered mountain and a long-haired dog": "mountain[snow-covered] dog[long-haired]",
    "A painting of a man hangs on the wall": "painting man wall",
    "A family of four bears": "family bear+",
    "The old man's white beard": "man[old] beard[white]",
    "women's tennis players": "woman+, tennis player+",
    "A very tall building": "building[tall]",
    "a boy in a red t-shirt": "boy t-shirt[red]",
    "an empty, dimly lit room": "room[empty,lit]",
    "There is a vase of flowers on the table.": "vase flower+ table",
    "There are many sheep grazing in an open field": "sheep+ field[open]",
    "It is red.": "",
    "Running very quickly!": "",
    "": "",
    "?!": "",
    "Un été à Zürich": "été zürich",
}  # fmt: skip


def shown(found: list[Phrase]) -> list[str]:
    return [
        p.head + "+" * p.plural + (f"[{','.join(p.attributes)}]" if p.attributes else "") for p in found if not p.generic
    ]  # fmt: skip


@pytest.mark.parametrize("caption", CAPTIONS)
def test_captions(caption: str) -> None:
    expected = CAPTIONS[caption]
    assert " ".join(shown(parse(caption))) == expected.replace(",  ", " ").replace(", ", " ")


def test_a_phrase_keeps_what_was_written() -> None:
    (phrase,) = parse("Two very large red and white Soccer Players")
    assert phrase == Phrase(
        "very large red and white soccer players", "soccer player", "soccer player", ("large", "red", "white"), True
    )
    (phrase,) = parse("the mountain village church")
    assert (phrase.text, phrase.noun, phrase.head) == ("mountain village church", "mountain village church", "church")


def test_places_and_amounts_are_generic() -> None:
    assert [p.generic for p in parse("a view of the left side of a group of trees")] == [True, True, True, False]


def test_typographic_apostrophes_and_leftovers() -> None:
    assert shown(parse("the dog’s bowl")) == ["dog", "bowl"]
    assert shown(parse("two men / s hats")) == ["man+", "hat+"]


def test_many_captions_at_once() -> None:
    found = LexiconParser()(["a dog", "", "a cat"])
    assert [shown(each) for each in found] == [["dog"], [], ["cat"]]


def document(*rows: tuple[str, str, str, int, str, str]) -> Doc:
    """A parsed sentence: word, tag, lemma, head, dependency, number."""
    words, pos, lemmas, heads, deps, numbers = (list(column) for column in zip(*rows, strict=True))
    morphs = [f"Number={number}" if number else "" for number in numbers]
    return Doc(English().vocab, words, pos=pos, lemmas=lemmas, heads=heads, deps=deps, morphs=morphs)


def test_phrases_of_spacys_trees() -> None:
    doc = document(
        ("Two", "NUM", "two", 6, "nummod", ""), ("red", "ADJ", "red", 6, "amod", ""), ("and", "CCONJ", "and", 1, "cc", ""),
        ("white", "ADJ", "white", 1, "conj", ""), ("brick", "NOUN", "brick", 6, "compound", "Sing"),
        ("stop", "NOUN", "stop", 6, "compound", "Sing"), ("signs", "NOUN", "sign", 7, "nsubj", "Plur"),
        ("are", "AUX", "be", 7, "ROOT", ""), ("tall", "ADJ", "tall", 7, "acomp", ""),
    )  # fmt: skip
    (phrase,) = phrases(doc)
    assert phrase.text == "red and white brick stop signs"
    assert (phrase.noun, phrase.head, phrase.plural) == ("brick stop sign", "stop sign", True)
    assert phrase.attributes == ("red", "white", "tall", "brick")


def test_spacys_relative_clauses_and_shades() -> None:
    doc = document(
        ("a", "DET", "a", 1, "det", ""), ("bus", "NOUN", "bus", 1, "ROOT", "Sing"), ("that", "PRON", "that", 3, "nsubj", ""),
        ("is", "AUX", "be", 1, "relcl", ""), ("light", "ADJ", "light", 5, "amod", ""), ("blue", "ADJ", "blue", 3, "acomp", ""),
    )  # fmt: skip
    assert phrases(doc) == [Phrase("bus", "bus", "bus", ("light blue",), False)]


def test_spacy_models_that_are_not_installed() -> None:
    with pytest.raises(
        AnnotateError, match=r"spaCy's model absent_model is not installed; run `python -m spacy download absent_model`"
    ):
        load_parser("spacy:absent_model")


def test_parsers_by_name() -> None:
    assert load_parser("lexicon").name == "lexicon"
    with pytest.raises(AnnotateError, match="parser is 'nltk', expected auto, lexicon or spacy:MODEL"):
        load_parser("nltk")
    pipeline = English()
    pipeline.add_pipe("sentencizer")
    assert SpacyParser(pipeline, "blank", "0")(["A dog.", ""]) == [[], []]  # a pipeline without tagger finds nothing
