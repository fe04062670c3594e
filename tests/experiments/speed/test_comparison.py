from dataclasses import replace

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.experiments.speed import comparison
from onecycle_cli.experiments.speed.comparison import Way, compare
from onecycle_cli.observer import Observer

EPOCH, EPOCHS, STEP = 100, 10, 0.1
TO_COME = 3.5 * EPOCH * EPOCHS * STEP
"""Seconds that the searches and the training take: 350, of which timing may take 7."""


@pytest.fixture
def config(small):
    return load_config(small(train={"cycles": [{"epochs": 4}, {"epochs": EPOCHS - 4}]}))


@pytest.fixture
def way(monkeypatch):
    """Make ways whose timing takes as long as it is told, by a clock that nothing else moves."""
    now = [0.0]
    monkeypatch.setattr(comparison.time, "perf_counter", lambda: now[0])

    def make(name, seconds, *, took):
        def time(give_up):
            now[0] += took
            if isinstance(seconds, Exception):
                raise seconds
            return min(seconds, give_up), EPOCH

        return Way(name, f"in {name}", time)

    return make


@pytest.mark.parametrize(
    ("took", "besides", "known"), [(2.3, 0, True), (2.4, 0, False), (2, 0.9, True), (2, 1.1, False)]
)
def test_the_second_way_is_timed_where_it_takes_little(config, way, took, besides, known):
    first, second = way("a", STEP, took=took), way("b", 0.05, took=took)
    found = compare(config, first, second, Observer(), besides=besides)
    assert (3 * took + besides <= 0.02 * TO_COME) == known
    assert (found.first, found.second) == (STEP, 0.05 if known else None)
    assert found.gain == (2 if known else None)


def test_what_was_timed_before_counts_too(config, way):
    a, b, c = (way(name, STEP, took=1.8) for name in "abc")
    assert compare(config, a, b, Observer()).second == STEP
    assert compare(config, a, c, Observer()).second is None
    assert compare(config, a, b, Observer()).second == STEP


def test_nothing_is_timed_twice(config, way, listener):
    ways = way("a", STEP, took=1), way("b", 0.2, took=1)
    first, again = (compare(config, *ways, listener) for _ in range(2))
    assert first == again == comparison.Comparison(STEP, 0.2)
    assert listener.notes == ["timing a few steps in a ...", "timing a few steps in b ..."]


@pytest.mark.parametrize(
    ("again", "second", "first"),
    [(0.05, 0.09, 0.05), (0.11, 0.09, STEP), (0.05, 0.099, STEP), (0.05, 0.06, STEP)],
)
def test_a_second_way_that_seems_a_little_faster_must_be_so_twice(config, way, again, second, first):  # fmt: skip # noqa: E501
    """Not if it seems as fast as the first, and not if it is clearly faster."""
    times = iter([STEP, again])
    slow, b = way("a", STEP, took=1), way("b", second, took=1)
    a = replace(slow, seconds=lambda give_up: (next(times), slow.seconds(give_up)[1]))
    for _ in range(2):
        assert compare(config, a, b, Observer()) == comparison.Comparison(first, second)


def test_a_hopeless_second_way_ends_early(config, way):
    found = compare(config, way("a", STEP, took=1), way("b", 50.0, took=1), Observer())
    assert found.second == 2 * STEP


def test_a_second_way_that_fails_is_remembered(config, way, listener):
    ways = way("a", STEP, took=1), way("b", RuntimeError("of the backend"), took=1)
    for _ in range(2):
        assert compare(config, *ways, listener).gain == 0
    assert len(listener.notes) == 2


@pytest.mark.parametrize(("second", "faster"), [(0.0965, True), (0.0975, False), (0.2, False)])
def test_a_difference_of_chance_is_none(config, way, second, faster):
    found = compare(config, way("a", STEP, took=1), way("b", second, took=1), Observer())
    assert found.second_is_faster == faster


def test_a_comparison_in_words():
    said = [comparison.in_words("this", a, "that", b) for a, b in [(0.2, 0.3), (3.6, 0.3)]]
    assert said == [
        "this is 1.5 times as fast as that here (0.2 against 0.3 seconds a step)",
        "this is 12 times slower than that here (3.6 against 0.3 seconds a step)",
    ]
