import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from onecycle_cli.suggest import (
    FINAL,
    LADDER,
    Bounds,
    Estimate,
    SearchPlan,
    profile_of,
    suggest_from_probes,
)

from .conftest import CHANCE, valley

PLAN = SearchPlan(960, 0.1, 1e-5, 10.0)


def answer(probes, chance=CHANCE, plan=PLAN, **more):
    return suggest_from_probes(probes, plan, bounds=Bounds(0.0, chance), **more)


@pytest.mark.parametrize("best", [2e-4, 0.003, 0.05, 0.1, 0.13, 0.8])
def test_it_finds_the_lowest_loss(search, best):
    found = answer(search(PLAN, valley(best, cliff=1.5)))
    assert found.verdict == "ok"
    assert abs(math.log10(found.value / best)) < 0.12
    assert found.interval[0] < best < found.interval[1]


def test_a_cliff_to_the_right_pushes_the_answer_to_the_left(search):
    free, near = (answer(search(PLAN, valley(0.1, cliff=c))).value for c in (9, 0.2))
    assert near < free


def test_the_interval_is_as_wide_as_the_valley(search):
    """Between a tenth and six tenths of a decade to either side, and less far on a steep one."""

    def widths(**world):
        found = answer(search(PLAN, valley(0.1, **world)))
        return [math.log10(b / a) for a, b in itertools.pairwise(spread(found))]

    def spread(found):
        return found.interval[0], found.value, found.interval[1]

    narrow, wide, cliff = (widths(**w) for w in ({"width": 0.3}, {"width": 2.0, "cliff": 9}, {"cliff": 0.5}))  # fmt: skip # noqa: E501
    assert sum(narrow) < 0.6 * sum(wide)
    assert cliff[1] < 0.85 * cliff[0]
    assert all(0.09 < side < 0.61 for side in (*narrow, *wide, *cliff))


@pytest.mark.parametrize(("ends", "side"), [((1.0, 1.0, 1.0), 0.6), ((2.2, 1e-5, 2.2), 0.1)])
def test_the_interval_has_a_least_and_a_largest_width(probe, ends, side):
    rates = (0.001, 0.1, 9.9)
    found = answer([probe(lr, end, FINAL) for lr, end in zip(rates, ends, strict=True)])
    assert math.log10(found.value / found.interval[0]) == pytest.approx(side, abs=0.01)


@pytest.mark.parametrize("shift", [-0.1, 0.1])
def test_the_whole_training_is_longer_than_the_probes(search, shift):
    probes = search(PLAN, valley(0.1, cliff=9))
    ratio = answer(probes, shift=shift).value / answer(probes).value
    assert ratio == pytest.approx(10**shift, rel=0.02)


def test_it_stays_near_the_best_probe(search):
    probes = search(PLAN, valley(0.1))
    best = min((p for p in probes if p.stage == FINAL), key=lambda p: p.loss).value
    for shift in (-3, 3):
        assert answer(probes, shift=shift).value == pytest.approx(
            best * 10 ** math.copysign(0.32, shift), rel=0.01
        )


def test_the_smoothed_curve_is_the_curve_blurred_by_a_quarter_of_a_decade(probe):
    """Against a sum written by hand."""
    probes = [probe(lr, end, FINAL) for lr, end in ((0.01, 1.0), (0.1, 0.5), (1.0, 2.0))]
    profile = profile_of(probes, Bounds(0.0, CHANCE))

    def raw(x):
        if x < -2:
            return min(0, math.log(1 / CHANCE) + 0.5 * (-2 - x))
        if x > 0:
            return min(0, math.log(2 / CHANCE) + 2 * x)
        ends = [math.log(end / CHANCE) for end in (1.0, 0.5, 2.0)]
        return float(np.interp(x, [-2, -1, 0], ends))

    offsets = np.arange(-75, 76) * 0.01
    weights = np.exp(-0.5 * (offsets / 0.25) ** 2)
    for x in (-1.5, -1.0, -0.7):
        place = int(np.abs(profile.x - x).argmin())
        here = profile.x[place]
        by_hand = sum(w * raw(here + o) for w, o in zip(weights, offsets, strict=True))
        assert profile.raw[place] == pytest.approx(raw(here), abs=1e-9)
        assert profile.smoothed[place] == pytest.approx(by_hand / weights.sum(), abs=1e-6)


def test_the_ladder_continues_the_curve_beyond_the_last_probes(probe):
    ladder = [
        probe(lr, end) for lr, end in ((0.001, 2.0), (0.01, 1.5), (0.1, 1.0), (1.0, math.inf))
    ]
    finals = [probe(lr, end, FINAL, 60) for lr, end in ((0.05, 0.4), (0.1, 0.3), (0.2, 0.5))]
    profile = profile_of([*ladder, *finals], Bounds(0.0, CHANCE))

    def at(lr):
        return profile.raw[np.abs(profile.x - math.log10(lr)).argmin()]

    assert at(0.1) == pytest.approx(math.log(0.3 / CHANCE), abs=0.02)
    ladder_at_first = np.interp(
        math.log10(0.05), [-2, -1], [math.log(1.5 / CHANCE), math.log(1 / CHANCE)]
    )
    lifted = math.log(0.4 / CHANCE) - ladder_at_first
    assert at(0.01) == pytest.approx(math.log(1.5 / CHANCE) + lifted, abs=0.02)
    assert at(1.0) == pytest.approx(0, abs=0.05)


def test_where_no_loss_is_finite_it_says_so(probe):
    probes = [probe(lr, math.inf) for lr in (0.01, 0.1)]
    for it in probes:
        it.losses[:] = math.nan
    assert answer(probes).verdict == "non_finite"


@pytest.mark.parametrize("end", [CHANCE, 2.27, 2.6])
def test_it_refuses_where_nothing_is_learned(search, end):
    found = answer(search(PLAN, lambda lr, steps: end))
    assert (found.verdict, found.value, found.interval) == ("never_descended", None, None)
    assert "a constant prediction" in found.reason


def test_where_every_training_explodes_it_asks_for_the_scale_of_the_data(search):
    found = answer(search(PLAN, lambda lr, steps: math.inf))
    assert (found.verdict, found.value) == ("never_descended", None)
    assert "the loss exploded in all of " in found.reason
    assert "standardise inputs and targets" in found.reason


def test_it_refuses_what_is_learned_by_heart_only(search):
    found = answer([replace(p, held_out=Estimate(2.5, 0.1)) for p in search(PLAN, valley(0.1))])
    assert found.verdict == "never_descended"
    assert "but not on others" in found.reason


def test_it_does_not_speak_of_learning_by_heart_where_others_fell_within_the_noise(search):
    found = answer([replace(p, held_out=Estimate(2.1, 0.4)) for p in search(PLAN, valley(0.1))])
    assert found.verdict == "never_descended"
    assert "clearly below that of a constant prediction" in found.reason


def test_one_probe_that_holds_for_new_examples_is_enough(search):
    probes = [
        replace(p, held_out=Estimate(2.5 if p.stage == FINAL else 2.0, 0.1))
        for p in search(PLAN, valley(0.1))
    ]
    assert answer(probes).verdict == "ok"


@pytest.mark.parametrize(
    ("spread", "verdict"), [(0.05, "ok"), (0.12, "undecided"), (0.3, "never_descended")]
)
def test_what_is_hardly_below_chance_may_be_noise(search, spread, verdict):
    """By 0.1, with an error of `spread` / sqrt(3): two of them are clear, one is likely."""
    plan = SearchPlan(480, 0.1, 1e-5, 10.0, (0.01, 0.05, 0.25))
    probes = search(plan, lambda lr, steps: 2.2 + 0.01 * abs(math.log10(lr / 0.05)))
    for it in probes:
        tail = len(it.tail)
        ripple = spread * (-1.0) ** np.arange(tail) * math.sqrt(tail / 3)
        it.losses[-tail:] = it.losses[-tail:].mean() + ripple - ripple.mean()
    assert answer(probes, plan=plan).verdict == verdict


def test_a_network_that_starts_far_above_chance_must_come_half_of_the_way(search):
    for end, verdict in ((9.0, "never_descended"), (30.0, "never_descended")):
        assert answer(search(PLAN, lambda lr, n, e=end: e, start=40.0)).verdict == verdict


def test_a_best_rate_at_the_end_of_the_range_leaves_doubt(search):
    for world, highest, word in (
        (valley(5.0, cliff=9), 1.0, "raise find_lr.max_lr"),
        (valley(4e-3, cliff=9), 10.0, "lower find_lr.min_lr"),
    ):
        plan = SearchPlan(960, 0.1, 0.01, highest)
        found = answer(search(plan, world), plan=plan)
        assert found.verdict == "undecided"
        assert word in found.reason
        assert 0.01 <= found.value <= highest


def test_a_budget_that_ends_the_search_leaves_doubt(search):
    def late(lr, steps):
        return valley(0.1)(lr, steps) if steps >= 160 else CHANCE

    found = answer(search(PLAN, late))
    assert found.verdict in {"undecided", "never_descended"}
    assert "find_lr.budget" in found.reason


def test_without_a_known_chance_a_constant_changes_nothing(search):
    probes = search(PLAN, valley(0.05), chance=None)
    value = answer(probes, chance=None).value
    assert abs(math.log10(value / 0.05)) < 0.2
    for it in probes:
        it.losses[:] += -70.0
    assert answer(probes, chance=None).value == value


def test_given_rates_are_enough(search):
    plan = SearchPlan(960, 0.1, 1e-5, 10.0, (0.01, 0.05, 0.25))
    found = answer(search(plan, valley(0.05)), plan=plan)
    assert found.verdict == "ok"
    assert abs(math.log10(found.value / 0.05)) < 0.2


def test_the_reason_says_what_was_tried_and_how_the_answer_follows(search):
    probes = search(PLAN, valley(0.1))
    found = answer(probes)
    assert found.reason == (
        "6 short, complete 1cycle trainings from 0.0237 to 0.422: 0.1 has the lowest loss, the "
        f"smooth curve through all is lowest at {found.value:.3g}."
    )
    assert LADDER not in found.reason
    for shift, word in ((0.1, "above"), (-0.1, "below")):
        moved = answer(probes, shift=shift)
        assert (
            moved.reason
            == f"{found.reason[:-1]}, and a complete training does best a little {word} that."
        )
        assert (moved.value > found.value) == (shift > 0)


def test_the_reason_says_that_an_answer_was_kept_near_the_best_rate(search):
    found = answer(search(PLAN, valley(0.1)), shift=1.0)
    assert found.value == pytest.approx(0.1 * 10**0.32, rel=0.01)
    assert found.reason.endswith(
        "a complete training does best a little above that; "
        "the answer stays within a factor of 2.1 of 0.1."
    )


@pytest.mark.parametrize(
    ("lowest", "highest", "best", "advice"),
    [
        (0.05, 10.0, 1e-3, "a lower one may do better; lower find_lr.min_lr"),
        (1e-5, 0.3, 9.0, "a higher one may do better; raise find_lr.max_lr"),
        (1e-9, 10.0, 1e-8, "a lower one may do better; raise find_lr.budget"),
        (1e-5, 1e6, 1e5, "a higher one may do better; raise find_lr.budget"),
    ],
)
def test_at_an_end_of_what_was_tried_it_says_what_would_go_further(
    search, lowest, highest, best, advice
):
    """The limit of the range where that ended the search, and else the budget."""
    plan = SearchPlan(960, 0.1, lowest, highest)

    def slope(lr, steps):
        return CHANCE * min(0.99, 0.3 + 0.05 * abs(math.log10(lr / best)))

    found = answer(search(plan, slope), plan=plan)
    assert found.verdict == "undecided"
    assert advice in found.reason


@pytest.mark.parametrize("world", [valley(0.1), lambda lr, steps: CHANCE])
def test_a_quick_search_says_so_whatever_it_finds(search, world):
    quick = replace(PLAN, budget=150, usual=600)
    found = answer(search(quick, world), plan=quick)
    same = answer(search(quick, world), plan=replace(quick, usual=None))
    assert (found.value, found.interval, found.verdict) == (same.value, same.interval, same.verdict)
    assert found.reason.startswith(f"{same.reason} This was a quick search, of at most 150 steps")
    more = "search without --quick to be sure." if found.accepted else "may find a rate."
    assert found.reason.endswith(more)
