"""Names and the words of captions."""

from pathlib import Path

import pytest
from quantize.data.words import TagParser, frequent, imagenet_names, lemma, phrases


@pytest.mark.parametrize(
    ("word", "singular"),
    [
        ("dogs", "dog"), ("boxes", "box"), ("dresses", "dress"), ("benches", "bench"), ("dishes", "dish"),
        ("puppies", "puppy"), ("men", "man"), ("children", "child"), ("knives", "knife"), ("dress", "dress"), ("bus", "bus"),
        ("tennis", "tennis"), ("grass", "grass"), ("is", "is"), ("red", "red"), ("ties", "tie"), ("shoes", "shoe"),
        ("horses", "horse"), ("houses", "house"), ("glasses", "glass"), ("as", "as"), ("axes", "axe"), ("people", "person"),
        ("buses", "bus"), ("blouses", "blouse"), ("cactuses", "cactus"), ("women", "woman"), ("firemen", "fireman"),
        ("feet", "foot"), ("geese", "goose"), ("skis", "ski"), ("taxis", "taxi"), ("cookies", "cookie"), ("movies", "movie"),
        ("pies", "pie"), ("berries", "berry"), ("tomatoes", "tomato"), ("canoes", "canoe"), ("toes", "toe"),
        ("wolves", "wolf"), ("gloves", "glove"), ("sleeves", "sleeve"), ("bookshelves", "bookshelf"), ("waves", "wave"),
        ("scissors", "scissors"), ("canvas", "canvas"), ("canvases", "canvas"), ("lens", "lens"), ("gas", "gas"),
        ("sunglasses", "sunglasses"), ("roses", "rose"), ("vases", "vase"), ("watches", "watch"), ("quizzes", "quiz"),
        ("specimen", "specimen"), ("olives", "olive"), ("mazes", "maze"),
    ],
)  # fmt: skip
def test_lemma(word: str, singular: str) -> None:
    assert lemma(word) == singular


def test_phrases_are_runs_of_up_to_three_words_with_a_singular_end() -> None:
    assert phrases("Two red cups!") == {
        "two",
        "red",
        "cups",
        "cup",
        "two red",
        "red cups",
        "red cup",
        "two red cups",
        "two red cup",
    }
    assert phrases("a dog's bowl") >= {"dog's", "dog's bowl"}
    assert phrases("") == set()
    assert "one two three four" not in phrases("one two three four")


TAGS = ["dog", "hot dog", "red", "bus", "red bus", "Tennis Racket", "man", "traffic light", "light"]


@pytest.mark.parametrize(
    ("texts", "tags"),
    [
        (["Two dogs run."], ["dog"]),
        (["A hot dog on a plate"], ["hot dog"]),  # the longer tag wins
        (["A hot dog", "a dog"], ["hot dog", "dog"]),  # within each text
        (["a red bus", "a red ball"], ["red bus", "red"]),  # attributes and objects
        (["men with tennis rackets"], ["man", "tennis racket"]),
        (["Traffic lights, light"], ["traffic light"]),
        (["the busy street"], []),
        ([], []),
    ],
)
def test_tag_parser(texts: list[str], tags: list[str]) -> None:
    assert TagParser(TAGS)(texts) == tags


def test_frequent_counts_pictures_and_sorts() -> None:
    assert frequent([["a", "b"], ["b"], ["b", "c"], ["c"]], 2) == ["b", "c"]
    assert frequent([], 1) == []


def test_imagenet_names_skip_the_background(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("background\ntench, Tinca tinca\n\ngoldfish,  Carassius auratus,\n")
    assert imagenet_names(path) == [["tench", "Tinca tinca"], ["goldfish", "Carassius auratus"]]
