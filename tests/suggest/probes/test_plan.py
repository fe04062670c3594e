import itertools
import math

import pytest

from onecycle_cli import suggest
from onecycle_cli.suggest import FINAL, LADDER, Bounds, SearchPlan, usual_budget
from onecycle_cli.suggest.probes.plan import COARSE, FEWEST_STEPS, FINE

from .conftest import CHANCE, valley


def plan(budget=960, first=0.1, lowest=1e-5, highest=10.0, given=()):
    return SearchPlan(budget, first, lowest, highest, given)


def rates(probes, stage):
    return sorted(probe.value for probe in probes if probe.stage == stage)


def test_it_starts_with_three_short_probes():
    wave = plan().next_round([], Bounds(0.0, CHANCE))
    assert (wave.stage, wave.steps) == (LADDER, 40)
    assert wave.values == (0.0237, 0.1, 0.422)
    assert wave.cost == 120


def test_around_a_best_rate_in_the_middle_come_three_longer_ones(search):
    probes = search(plan(), valley(0.1))
    assert rates(probes, LADDER) == [0.0237, 0.1, 0.422]
    assert rates(probes, FINAL) == [0.0422, 0.1, 0.237]
    assert {p.steps for p in probes if p.stage == FINAL} == {160}


@pytest.mark.parametrize("best", [1e-4, 1e-3, 0.01, 1.0, 5.0])
def test_it_climbs_to_a_best_rate_far_off(search, best):
    probes = search(plan(), valley(best))
    ladder, finals = rates(probes, LADDER), rates(probes, FINAL)
    assert ladder[0] < best < ladder[-1]
    assert min(abs(math.log10(rate / best)) for rate in finals) <= FINE / 2 + 0.01
    assert len(ladder) <= 7


def test_it_climbs_no_further_than_four_rates(search):
    probes = search(plan(first=10.0, highest=1e3, lowest=1e-9), valley(1e-6))
    short = [probe for probe in probes if probe.steps == 40]
    assert len(short) == 7


@pytest.mark.parametrize(
    ("lowest", "highest"),
    [(0.09, 0.2), (0.05, 0.05001), (1e-3, 0.03), (0.100499, 0.1004991), (0.0123456, 0.0123999)],
)
def test_no_probe_leaves_the_range(search, lowest, highest):
    first = min(max(0.1, lowest), highest)
    probes = search(plan(first=first, lowest=lowest, highest=highest), valley(0.1))
    assert probes
    assert all(lowest <= probe.value <= highest for probe in probes)


def test_where_nothing_is_learned_the_probes_get_longer(search):
    def slow(lr, steps):
        return valley(0.1)(lr, steps) if steps >= 80 else CHANCE

    probes = search(plan(), slow)
    assert sorted({p.steps for p in probes if p.stage == LADDER}) == [40, 80]
    assert rates(probes, FINAL)


def test_the_longer_ladder_begins_where_the_shorter_one_ended(search):
    """Low up to 0.1 and high from 0.422 on: the next one is around the highest of the low ones."""

    def slow(lr, steps):
        if lr > 0.3:
            return math.inf
        return 1.0 if steps > 40 and lr < 0.2 else CHANCE

    longer = [p.value for p in search(plan(), slow) if p.steps == 80]
    assert longer[:3] == [0.0237, 0.1, 0.422]


@pytest.mark.parametrize("budget", [144, 200, 480, 960, 3000])
@pytest.mark.parametrize(
    "world",
    [
        lambda lr, steps: CHANCE,
        lambda lr, steps: math.inf,
        lambda lr, steps: CHANCE * (0.5 if steps > 100 else 1),
        valley(1e-4),
        valley(0.1),
        valley(9.0),
    ],
)
def test_it_never_costs_more_than_its_budget(search, budget, world):
    probes = search(plan(budget), world)
    assert sum(len(probe.losses) for probe in probes) <= budget
    assert min(probe.steps for probe in probes) >= FEWEST_STEPS
    assert len(probes) <= 30


def test_one_more_comes_beyond_a_best_final_at_an_end_but_only_one(search):
    def moves(lr, steps):
        return valley(0.1 if steps == 40 else 5.0, cliff=9)(lr, steps)

    probes = search(plan(first=2.0), moves)
    assert max(rates(probes, LADDER)) > 5
    *others, beyond = rates(probes, FINAL)
    assert len(others) == 3
    assert beyond < 1


def test_given_rates_are_tried_and_no_others(search):
    probes = search(plan(given=(0.01, 0.03, 0.3)), valley(1.0))
    assert [(p.value, p.stage, p.steps) for p in probes] == [
        (0.01, FINAL, 160), (0.03, FINAL, 160), (0.3, FINAL, 160),
    ]  # fmt: skip


def test_the_least_budget_is_enough_for_any_search(search):
    many = tuple(0.01 * k for k in range(1, 21))
    budget = suggest.least_budget(len(many))
    assert (suggest.least_budget(), budget) == (144, 240)
    assert plan(budget, given=many).next_round([], Bounds(0.0, CHANCE)).cost <= budget


def test_the_last_probes_are_longer_than_those_of_the_ladder(search):
    """Else there is nothing that they could add, and the ladder has to do."""

    def late(lr, steps):
        return valley(0.1)(lr, steps) if steps >= 160 else CHANCE

    probes = search(plan(), late)
    assert max(p.steps for p in probes if p.stage == LADDER) == 160
    assert not rates(probes, FINAL)


def test_many_given_rates_share_the_budget():
    wave = plan(given=tuple(0.01 * k for k in range(1, 21))).next_round([], Bounds(0.0, CHANCE))
    assert wave.steps == 48
    assert wave.cost == 960


def test_its_longest_course_is_what_it_may_take():
    course = plan().longest_course()
    assert [(wave.steps, len(wave.values)) for wave in course] == [(40, 7), (160, 4)]
    (only,) = plan(given=(0.1, 0.2)).longest_course()
    assert (only.steps, only.values) == (160, (0.1, 0.2))


@pytest.mark.parametrize(
    ("training", "budget"),
    [
        (1, 144),
        (96, 144),
        (97, 145),
        (200, 300),
        (400, 600),
        (6000, 600),
        (6010, 601),
        (50_000, 5000),
    ],
)
def test_the_usual_budget(training, budget):
    """One and a half trainings, at most 600 steps or a tenth, at least twelve probes of twelve."""
    assert usual_budget(training) == budget


def test_neighbours_are_as_far_apart_as_is_said(search):
    probes = search(plan(), valley(0.1))
    for stage, decades in ((LADDER, COARSE), (FINAL, FINE)):
        x = [math.log10(rate) for rate in rates(probes, stage)]
        assert [b - a for a, b in itertools.pairwise(x)] == pytest.approx([decades] * 2, abs=0.01)


def test_the_longer_ladder_is_around_the_best_even_if_that_has_learned_nothing_yet(search):
    """Far from the highest rate that does no harm: here all rates up to 1 are low, not high."""

    def slow(lr, steps):
        height = 0.3 * abs(math.log10(lr / 0.01))
        return CHANCE * ((1.0 if steps == 40 else 0.5) + 0.1 * height)

    probes = search(plan(), slow)
    longer = [p.value for p in probes if p.stage == LADDER and p.steps == 80]
    assert longer[:3] == [0.00133, 0.00562, 0.0237]


@pytest.mark.parametrize("nothing", [0.0, 1e-4, 1e-3])
def test_rates_that_change_nothing_do_not_draw_the_longer_ladder(search, nothing):
    """Where a network starts at the loss of guessing, the lowest loss is that of such a rate."""

    def slow(lr, steps):
        if steps == 40:
            return CHANCE - nothing if lr < 0.3 else CHANCE + 0.3
        return valley(0.1)(lr, steps)

    probes = search(plan(), slow)
    assert min(probe.value for probe in probes) > 0.02
    assert [p.value for p in probes if p.steps == 80] == [0.0237, 0.1, 0.422]


def test_more_finals_come_as_long_as_the_best_is_the_lowest_rate_of_all(search):
    """The ladder misleads; then each final is better than all rates above it."""

    def moves(lr, steps):
        if steps < 160:
            return valley(0.1)(lr, steps)
        return CHANCE * (0.5 + 0.1 * math.log10(lr))

    probes = search(plan(), moves)
    lowest_of_ladder = min(rates(probes, LADDER))
    assert rates(probes, FINAL)[0] < lowest_of_ladder
    assert len(rates(probes, FINAL)) == 5  # as far as the budget goes
    assert sum(len(probe.losses) for probe in probes) <= 960


@pytest.mark.parametrize(
    ("training", "budget"),
    [(40, 144), (96, 144), (300, 144), (400, 150), (6_000, 150), (9_000, 225)],
)
def test_a_quick_search_takes_a_quarter_of_the_usual_steps(training, budget):
    """But never fewer than any search needs."""
    assert suggest.quick_budget(training) == budget
    assert budget == max(144, usual_budget(training) // 4)
