import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecycle_cli.suggest import Bounds, ComparisonPlan, Probe, rounds_of
from onecycle_cli.suggest.probes.probe import AGAIN, FIRST


def searched(plan, world, noise=0.001):
    """Run a plan in a world where a value and a replicate lead to a loss, or break off."""
    random, probes, waves = np.random.default_rng(0), [], []
    while (wave := plan.next_round(probes, Bounds())) is not None:
        waves.append(wave)
        for value in wave.values:
            loss = world(value, wave.replicate)
            broke_off = math.isinf(loss)
            scored = [np.inf] if broke_off else loss + noise * random.normal(size=40)
            losses = np.full(wave.steps, np.nan if broke_off else loss)
            probes.append(
                Probe(value, wave.stage, wave.steps, losses, None, wave.replicate, np.array(scored))
            )
    return probes, waves


def valley(best):
    return lambda value, replicate: 1 + abs(math.log10(max(value, 1e-9) / best))


def two_tie(value, replicate):
    return {0.8: 1.0, 0.85: 1.0001, 0.9: 1.2}[value]


def firsts(probes):
    return sorted({probe.value for probe in probes if probe.replicate == 0})


VALUES = (0.0, 1e-4, 1e-3, 1e-2)


def test_all_values_run_once_and_alike():
    probes, waves = searched(ComparisonPlan(VALUES, 50), valley(1e-3))
    assert [(w.stage, w.steps, w.values, w.replicate) for w in waves] == [(FIRST, 50, VALUES, 0)]
    assert [probe.value for probe in probes] == list(VALUES)


@pytest.mark.parametrize(
    ("best", "refinements", "further"),
    [
        (1e-3, 2, {3e-3, 3e-4}),
        (1e-3, 1, {3e-3}),
        (1e-2, 2, {3e-2, 3e-3}),
        (1e-1, 2, {3e-2, 1e-1}),  # beyond the highest, as long as that is better
        (1e0, 4, {3e-2, 1e-1, 3e-1, 1e0}),
        (1e-4, 2, {3e-4, 3e-5}),
        (3e-5, 3, {3e-4, 3e-5, 1e-5}),
        (1e-9, 2, set()),  # no decay is best: there is nothing half a decade from it
        (1e-3, 0, set()),
    ],
)
def test_half_a_decade_around_the_best_and_beyond_the_ends(best, refinements, further):
    world = valley(best)
    probes, _ = searched(ComparisonPlan(VALUES, 50, refinements=refinements), world)
    assert set(firsts(probes)) - set(VALUES) == further


def test_values_of_ones_own_are_refined_to_one_digit():
    probes, _ = searched(ComparisonPlan((2e-4, 2e-2), 50, refinements=2), valley(2e-2))
    assert set(firsts(probes)) - {2e-4, 2e-2} == {6e-2, 6e-3}


def test_the_best_two_run_again_from_other_weights():
    plan = ComparisonPlan((0.8, 0.85, 0.9), 50, repeats=3)
    _, waves = searched(plan, two_tie, noise=0.02)
    assert [(w.stage, w.values, w.replicate) for w in waves[1:]] == [
        (AGAIN, (0.8, 0.85), 1),
        (AGAIN, (0.8, 0.85), 2),
    ]


def test_what_is_decided_is_not_run_again():
    plan = ComparisonPlan((0.8, 0.85, 0.9), 50, repeats=3)
    _, waves = searched(plan, lambda value, replicate: 1 + value)
    assert len(waves) == 1


def test_where_all_break_off_it_ends():
    plan = ComparisonPlan(VALUES, 50, repeats=3, refinements=2)
    _, waves = searched(plan, lambda value, replicate: math.inf)
    assert len(waves) == 1


def test_rounds_are_everybody_and_then_those_that_ran_again():
    plan = ComparisonPlan((0.8, 0.85, 0.9), 50, repeats=2)
    probes, _ = searched(plan, two_tie, noise=0.02)
    first, last = rounds_of(probes)
    assert {v: len(runs) for v, runs in first.items()} == {0.8: 1, 0.85: 1, 0.9: 1}
    assert {v: len(runs) for v, runs in last.items()} == {0.8: 2, 0.85: 2}
    for value, runs in last.items():
        np.testing.assert_array_equal(runs[0], first[value][0])


@given(
    st.sets(st.sampled_from([0.0, 1e-6, 1e-5, 1e-4, 1e-3, 2e-3, 1e-2]), min_size=1),
    st.integers(1, 4),
    st.integers(0, 5),
    st.floats(1e-8, 1e2),
    st.floats(0, 3),
)
def test_it_takes_no_more_than_was_said(values, repeats, refinements, best, noise):
    plan = ComparisonPlan(tuple(sorted(values)), 24, repeats, refinements)
    probes, _ = searched(plan, valley(best), noise)
    assert sum(probe.steps for probe in probes) <= plan.most_steps
    course = plan.longest_course()
    assert sum(wave.cost for wave in course) == plan.most_steps
    assert len({(p.value, p.replicate) for p in probes}) == len(probes)
