"""The space of examples: its statistics, the fit of its weights, and the command's effect on a bundle."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from quantize.arithmetic.examples import load_space, vector
from quantize.arithmetic.geometry import Floats
from quantize.arithmetic.reference import unit
from quantize.bundle.manifest import Score, read_manifest
from quantize.prototypes import space
from quantize.prototypes.__main__ import START, make
from quantize.prototypes.fit import Rows, Trial, Words, fit, fit_trust, trials
from quantize.prototypes.seen import Material, Seen, plain
from quantize.settings.board import BoardRecipe


def seen(pooled: Floats, names: list[str]) -> Seen:
    n = len(names)
    embeddings = unit(np.random.default_rng(1).normal(size=(n, 3)).astype(np.float32))
    pictures = np.array([f"p{i}" for i in range(n)])
    return Seen(pooled.astype(np.float16), embeddings, np.zeros(n, np.float32), np.array(names), pictures)


def material(count: int = 40) -> Material:
    """Names differ in the first of four numbers, pictures of one name in the second."""
    rng = np.random.default_rng(0)
    names = [f"name {i % 8}" for i in range(count)]
    level = np.array([i % 8 for i in range(count)])
    pooled = np.stack([level, rng.normal(0, 9, count), rng.normal(0, 1, count), rng.normal(0, 1, count)], axis=1)
    rows = seen(pooled.astype(np.float32), names)
    return Material(rows, rows.take(np.arange(0)), rows.take(np.arange(count)))


CLASSIFIER = np.eye(4, dtype=np.float32)


def test_names_are_the_same_in_all_sources() -> None:
    assert plain("Tennis-Balls, yellow ones") == "tennis ball"
    assert plain("knives") == "knife"


def test_what_varies_within_a_name_counts_little() -> None:
    found = space.statistics(material(), CLASSIFIER, np.random.default_rng(0))
    size = np.linalg.norm(found.projection / found.deviation[:, None], axis=1) * found.deviation
    assert size[0] > 1.5 * size[1]


def test_names_aside_do_not_tell_how_much_a_name_varies() -> None:
    names = np.array(["a", "a", "b", "b", "", ""])
    rng = np.random.default_rng(0)
    assert len(space.named(names, frozenset(), rng)) == 2
    assert [names[rows].tolist() for rows in space.named(names, frozenset(["a"]), rng)] == [["b", "b"]]


def test_the_quantised_space_gives_the_vectors_of_the_statistics() -> None:
    rows = material()
    found = space.statistics(rows, CLASSIFIER, np.random.default_rng(0))
    made = space.quantised(found, space.bank_of(found, rows, START, np.random.default_rng(0)))
    expected = found.vectors(rows.pictures, found.picture_centre, 0.7)
    for pooled, embedding, row in zip(rows.pictures.pooled, rows.pictures.embedding, expected, strict=True):
        got = vector(made, pooled.astype(np.float32), embedding, made.picture_centre, 0.7)
        assert float((got.q[0] * got.scale[0]) @ row) > 0.995  # four numbers are rounded twice to a 127th of the largest


def test_a_bank_covers_what_it_is_made_from() -> None:
    points = unit(np.repeat(np.eye(5, dtype=np.float32), 9, axis=0))
    bank = space.everyday(points, np.random.default_rng(0))
    assert (points @ bank.T).max(axis=1) == pytest.approx(np.ones(45), abs=1e-5)


def asked() -> Rows:
    """Twelve names with four pictures each, whose vectors agree by half; words say nothing."""
    rng = np.random.default_rng(0)
    names = [f"name {i % 12}" for i in range(48)]
    middle = rng.normal(size=(12, 16))
    vectors = unit((middle[[i % 12 for i in range(48)]] + rng.normal(size=(48, 16))).astype(np.float32))
    return Rows(seen(np.zeros((48, 4), np.float32), names), vectors)


def test_where_words_say_nothing_examples_count() -> None:
    rows, rng = asked(), np.random.default_rng(0)
    names = sorted(set(rows.seen.names.tolist()))
    texts = unit(rng.normal(size=(12, 3)).astype(np.float32))
    words = Words(names, texts, np.zeros((0, 3), np.float32), 0.8)
    bank = unit(rng.normal(size=(30, 16)).astype(np.float32))
    drawn = trials(rows, rows, bank, words, Score(1.0, (0.0, 1.0)), START, 0.0)
    (one, many), loss = fit(drawn, Score(1.0, (0.0, 1.0)), beside_words=True)
    assert abs(one[0]) < 1
    assert one[1] > 0.2
    assert many[1] > 0.2
    (_, bias), alone = fit(drawn, Score(1.0, (0.0, 1.0)), beside_words=False)
    assert loss <= alone + 0.01
    assert len(bias) == 2


def test_words_are_trusted_where_they_agree_with_examples() -> None:
    agreement = torch.tensor([0.0, 0.1, 0.4, 0.5, 0.2, 0.3])
    own = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    nothing = torch.zeros(0)
    drawn = [Trial(count, nothing, nothing, agreement, nothing, nothing, nothing, own) for count in (1, 4)]
    slope, constant, few = fit_trust(drawn)
    assert slope > 0
    assert abs(few) < 0.1  # the number of examples says nothing here
    assert slope * 0.25 + constant == pytest.approx(0.0, abs=0.1)  # half way, nobody knows


def test_a_fit_needs_two_pictures_of_a_name() -> None:
    rows = asked()
    once = Rows(rows.seen.take(np.arange(12)), rows.vectors[:12])
    words = Words([], np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), 0.8)
    with pytest.raises(ValueError, match="12 rows without two of one name"):
        trials(once, once, rows.vectors, words, Score(1.0, (0.0, 1.0)), START, 0.0)


def test_the_command_adds_a_space_and_changes_nothing_else(recipe: BoardRecipe, bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundle, folder)
    before = read_manifest(folder)
    make(recipe, folder, [], frozenset())
    after = read_manifest(folder)
    assert after.examples is not None
    assert replace(after, examples=None) == before
    made = load_space(folder / "features.safetensors")
    assert made.projection.dtype == np.int8
    assert len(made.projection) == space.PROJECTED
    assert made.bank.q.shape[1] == space.PROJECTED + before.embedding
    assert '"features.safetensors" = ' in (folder / "model.toml").read_text()
