"""The tag vocabulary, synonyms, near duplicates."""

import json
from pathlib import Path

import numpy as np
import pytest
from quantize.annotate.duplicates import duplicates
from quantize.annotate.errors import AnnotateError
from quantize.annotate.parser.lexicon_parser import parse
from quantize.annotate.vocabulary import Synonyms, Vocabulary, count, mentioned, read_synonyms, read_vocabulary


def test_mentions_with_synonyms_and_owners() -> None:
    found = mentioned(
        parse("a red automobile, a tall soccer player and a red car on the left side"), Synonyms({"automobile": "car"})
    )
    assert found == {
        ("object", "car"): [],
        ("attribute", "red"): ["car"],
        ("object", "soccer player"): [],
        ("attribute", "tall"): ["soccer player"],
    }
    village = mentioned(parse("a mountain village"), Synonyms())
    assert list(village) == [("object", "village"), ("object", "mountain village")]
    assert ("attribute", "other") not in mentioned(parse("the other dog"), Synonyms())


def test_the_vocabulary_counts_pictures_and_prunes() -> None:
    pictures = [
        [("object", "dog"), ("object", "dog"), ("attribute", "red")],
        [("object", "dog"), ("object", "cat"), ("object", "x"), ("object", "side")],
        [("object", "cat"), ("object", "x"), ("object", "side"), ("object", "r2d2"), ("attribute", "red")],
        [("object", "bird"), ("object", "r2d2")],
    ]
    words = count(pictures, least=2, most=9)
    assert words.counts == {"object": {"cat": 2, "dog": 2}, "attribute": {"red": 2}}
    assert count(pictures, least=1, most=2).counts["object"] == {"cat": 2, "dog": 2}
    assert ("object", "dog") in words
    assert ("attribute", "dog") not in words
    assert count([], 1, 9).counts == {"object": {}, "attribute": {}}


def test_a_vocabulary_comes_back_from_its_file(tmp_path: Path) -> None:
    words = Vocabulary({"object": {"dog": 3}, "attribute": {"grün": 2}})
    words.write(tmp_path / "v.json")
    assert read_vocabulary(tmp_path / "v.json") == words


@pytest.mark.parametrize("content", ["{", "[]", '{"object": {"dog": 1}}', '{"object": [], "attribute": []}', '{"object": 3}'])
def test_other_files_are_no_vocabulary(content: str, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(content)
    with pytest.raises(
        AnnotateError, match=r"vocabulary .*v\.json: found another form, expected an earlier run's vocabulary\.json"
    ):
        read_vocabulary(tmp_path / "v.json")
    with pytest.raises(AnnotateError, match=r"No such file or directory, expected an earlier run's"):
        read_vocabulary(tmp_path / "absent.json")


def test_synonyms_that_two_things_share_stay(tmp_path: Path) -> None:
    groups = [
        ["airplane", "aeroplane"],
        ["bat_(animal)", "flittermouse"],
        ["baseball_bat", "bat"],
        ["cab_(taxi)", "taxi", "taxicab"],
    ]
    path = tmp_path / "lvis.json"
    path.write_text(json.dumps([{"synonyms": group} for group in groups]))
    synonyms = read_synonyms(str(path))
    names = ["aeroplane", "airplane", "taxi", "cab", "bat", "flittermouse", "dog"]
    assert [synonyms(name) for name in names] == ["airplane", "airplane", "cab", "cab", "bat", "flittermouse", "dog"]
    assert read_synonyms("")("taxi") == "taxi"


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[3]", '[{"name": "dog"}]'])
def test_other_files_are_no_synonyms(content: str, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(content)
    with pytest.raises(AnnotateError, match=r"synonyms .*s\.json: found another form, expected a JSON list"):
        read_synonyms(str(path))
    with pytest.raises(AnnotateError, match=r"synonyms .*absent: No such file or directory, expected a JSON list"):
        read_synonyms(str(tmp_path / "absent"))


@pytest.mark.parametrize("distance", [0, 1, 4, 9])
def test_near_duplicates_against_all_pairs(distance: int) -> None:
    rng = np.random.default_rng(distance)
    hashes = [int(v) for v in rng.integers(0, 1 << 63, 40)]
    for _ in range(120):  # copies with some bits turned
        flips = rng.choice(64, int(rng.integers(0, 12)), replace=False)
        hashes.append(hashes[int(rng.integers(0, len(hashes)))] ^ sum(1 << int(bit) for bit in flips))
    excluded, own = hashes[::5], [h for i, h in enumerate(hashes) if i % 5]

    def near(a: int, b: int) -> bool:
        return (a ^ b).bit_count() <= distance

    expected: dict[str, str] = {}
    kept: list[int] = []
    for i, value in enumerate(own):
        if any(near(value, other) for other in excluded):
            expected[str(i)] = "near duplicate of an excluded picture"
        elif any(near(value, other) for other in kept):
            expected[str(i)] = "near duplicate"
        else:
            kept.append(value)
    assert len(set(expected.values())) == 2
    assert duplicates(((str(i), value) for i, value in enumerate(own)), excluded, distance) == expected
