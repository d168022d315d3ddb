"""Vectors of examples, on numbers small enough to work out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from quantize.arithmetic import examples
from quantize.arithmetic.examples import Rows, Space, Taught
from quantize.arithmetic.geometry import Floats
from quantize.bundle.manifest import ExamplePool, Examples, Pool

POOL = ExamplePool(Pool(("m",), (), 1.0, False, 2), 0.5, ((1.0, 2.0, 3.0, 4.0), (0.0, 4.0, 1.0, 0.0)), ((2.0, 1.0), (4.0, 3.0)))
SETTINGS = Examples(10.0, 0.5, 20.0, 4.0, POOL, POOL)


def vector(*values: float) -> Floats:
    return np.array(values, np.float32)


def row(*values: float) -> Rows:
    found = examples.quantise(vector(*values))
    assert found is not None
    return found


def none() -> Rows:
    return row(1, 0, 0, 0).take([])


SPACE = Space(
    mean=vector(1, 1), deviation=vector(1, 2), projection=np.array([[127, 0], [0, 127]], np.int8), projection_scale=vector(1, 1),
    region_centre=vector(0, 0), picture_centre=vector(0, 0), bank=examples.joined([row(1, 0, 0, 0), row(0, 1, 0, 0)]),
)  # fmt: skip


def test_the_largest_number_becomes_127_and_halves_round_to_even() -> None:
    found = examples.quantise(vector(2, -1, 1 / 127, 3 / 127))
    assert found is not None
    assert found.q.tolist() == [[127, -64, 0, 2]]
    assert found.scale[0] == pytest.approx(2 / 127 / math.sqrt(5 + 10 / 127**2))


@pytest.mark.parametrize("broken", [(0.0, 0.0), (math.nan, 1.0), (math.inf, 1.0)])
def test_what_has_no_direction_has_no_vector(broken: tuple[float, float]) -> None:
    assert examples.quantise(vector(*broken)) is None


def test_a_vector_is_what_the_trunk_sees_then_the_embedding_at_its_length() -> None:
    found = examples.vector(SPACE, vector(4, 9), vector(0, 1), SPACE.region_centre, 0.5)
    real = found.q[0] * found.scale[0] * math.sqrt(1.25)
    assert real.tolist() == pytest.approx([0.6, 0.8, 0, 0.5], abs=0.01)


def test_what_the_trunk_does_not_see_has_no_vector_but_an_embedding_may_be_missing() -> None:
    assert len(examples.vector(SPACE, SPACE.mean, vector(0, 1), SPACE.region_centre, 0.5)) == 0
    found = examples.vector(SPACE, vector(2, 1), vector(0, 0), SPACE.region_centre, 0.5)
    assert found.q.tolist() == [[127, 0, 0, 0]]


def test_a_mean_lies_between_its_examples() -> None:
    found = examples.mean(examples.joined([row(1, 0, 0, 0), row(0, 5, 0, 0)]))
    assert found.q.tolist() == [[127, 127, 0, 0]]
    cancelled = examples.joined([row(1, 0, 0, 0), row(-1, 0, 0, 0)])
    assert len(examples.mean(cancelled)) == len(examples.prototype(SPACE, 0.1, cancelled)) == 0


def test_a_prototype_says_one_of_its_examples_and_nothing_of_everyday_things() -> None:
    bank = np.array([[1.0, 0, 0], [0.5, 0.5, 0]])
    found = examples.regressed(bank, 0.5, np.array([[0.6, 0.8, 0.5]]))[0]
    u = np.linalg.inv(bank.T @ bank / 2 + 0.5 * np.eye(3)) @ [0.6, 0.8, 0.5]
    assert found == pytest.approx(u / (1 + u @ [0.6, 0.8, 0.5]))
    # Half of the one example is everyday; the other half tells it.
    taught = row(0.6, 0, 0.8, 0)
    compared = examples.prototype(SPACE, 0.01, taught)
    assert float(examples.cosines(compared, taught)[0]) > 0.9
    assert abs(float(examples.cosines(compared, row(1, 0, 0, 0))[0])) < 0.05
    assert examples.prototype(SPACE, None, taught).q.tolist() == taught.q.tolist()


def test_everyday_things_are_a_mean_over_the_bank() -> None:
    expected = math.log((math.exp(10) + 1) / 2)
    assert examples.everyday(SPACE, row(1, 0, 0, 0), 10.0) == pytest.approx(expected, abs=1e-4)


def test_weights_move_from_one_example_to_many() -> None:
    assert examples.weights(POOL.alone, 1) == [2.0, 1.0]
    assert examples.weights(POOL.alone, 4) == [3.5, 2.5]


def test_words_and_examples_add_up() -> None:
    query = row(0, 0, 1, 0)
    taught = [
        Taught(none(), none(), vector(1, 0)),
        Taught(row(0, 0, 2, 0), none(), vector(0.6, 0.8)),
        Taught(row(0, 0, 2, 0), none(), None),
    ]
    found = examples.above_negatives(SPACE, SETTINGS, POOL, query, taught, vector(-1.5, 2.0, 0.0))
    evidence = 10.0 - 0.0
    assert found.tolist() == pytest.approx([-1.5, 2.0 + 2 * evidence + 3 + 4 * 0.6, 2 * evidence + 1], abs=1e-3)


def test_words_that_do_not_fit_their_examples_give_way() -> None:
    query, pool = row(0, 0, 1, 0), replace(POOL, trust=(2.0, -1.0, 3.0))
    taught = [Taught(row(0, 0, 2, 0), none(), vector(0.6, 0.8))]
    trust = 1 / (1 + math.exp(-(2 * 0.6 - 1 + 3)))
    found = examples.above_negatives(SPACE, SETTINGS, pool, query, taught, vector(2.0))
    assert found[0] == pytest.approx(math.log(trust * math.exp(2.0 + 20.0 + 3 + 4 * 0.6) + (1 - trust) * math.exp(21)), abs=1e-3)


def test_without_a_vector_words_alone_count() -> None:
    taught = [Taught(row(0, 0, 2, 0), none(), vector(1, 0)), Taught(row(0, 0, 2, 0), none(), None)]
    assert examples.above_negatives(SPACE, SETTINGS, POOL, none(), taught, vector(2.0, 0.0)).tolist() == [2.0, -math.inf]


def test_a_counter_example_counts_where_it_is_nearer_than_every_example() -> None:
    query = row(1, 0, 0, 0)
    near, far, same = row(0.8, 0.6, 0, 0), row(0, 1, 0, 0), row(1, 0, 0, 0)
    assert examples.countered(SETTINGS, query, Taught(near, none(), None)) == 1.0
    assert examples.countered(SETTINGS, query, Taught(same, near, None)) == 1.0
    assert examples.countered(SETTINGS, query, Taught(near, same, None)) == pytest.approx(math.exp(-20 * 0.2), rel=0.02)
    assert examples.countered(SETTINGS, query, Taught(far, same, None)) == pytest.approx(math.exp(-20 * 0.5), rel=0.02)
    assert examples.countered(SETTINGS, query, Taught(none(), same, None)) == pytest.approx(math.exp(-20 * 0.5), rel=0.02)
