import math

import numpy as np
import pytest

from onecycle_cli.suggest import FINAL, LADDER, Bounds, Estimate, Explosion, Measure, Probe


def test_a_probe_is_judged_by_its_last_fifth():
    losses = np.arange(20.0, 0, -1)
    probe = Probe(0.1, LADDER, 20, losses)
    assert probe.tail.tolist() == [4, 3, 2, 1]
    assert probe.loss == 2.5
    assert probe.start == 19
    assert probe.x == -1


@pytest.mark.parametrize(
    ("steps", "losses"),
    [(20, [2.0] * 19), (3, [2.0, 1.0, math.nan]), (3, [2.0, 1.0, math.inf]), (20, [2.0])],
)
def test_a_probe_that_broke_off_has_an_infinite_loss(steps, losses):
    probe = Probe(0.1, FINAL, steps, np.array(losses))
    assert probe.broke_off
    assert probe.loss == math.inf


def test_an_estimate_is_a_mean_and_its_standard_error():
    assert Estimate.of([1.0, 2.0, 3.0]) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert Estimate.of([1.0]) == (1.0, math.inf)


@pytest.mark.parametrize(
    ("end", "look"),
    [(0.5, "good"), (2.25, "good"), (2.26, "low"), (2.3, "low"), (2.9, "low"), (3.1, "high")],
)
def test_how_a_rate_looks_where_chance_is_known(probe, end, look):
    """Good: at most 0.98 of it. High: three losses in a row above 1.3 times of it."""
    it = probe(0.1, end)
    assert Measure.of([it], Bounds(0.0, 2.3)).look(it) == look


def test_a_probe_that_broke_off_looks_high(probe):
    it = probe(0.1, math.inf)
    assert Measure.of([it], Bounds(0.0, 2.3)).look(it) == "high"


def test_a_rise_in_between_makes_a_probe_high_only_if_it_learned_nothing(probe):
    good, bad = probe(0.1, 0.5), probe(0.1, 2.3)
    for it, look in ((good, "good"), (bad, "high")):
        it.losses[8:12] = 5.0
        assert Measure.of([it], Bounds(0.0, 2.3)).look(it) == look


def test_a_network_that_starts_far_above_chance_is_measured_by_its_start(probe):
    """At a loss of 20, three losses of 24 are no explosion; 27 are."""
    for peak, look in ((24.0, "low"), (27.0, "high")):
        it = probe(0.1, 19.0, start=20.0)
        it.losses[8:12] = peak
        assert Measure.of([it], Bounds(0.0, 2.3)).look(it) == look


@pytest.mark.parametrize("offset", [-1000.0, -1.0, 0.0, 1000.0])
def test_an_unknown_chance_makes_adding_a_constant_to_a_loss_no_matter(probe, offset):
    ends = [1.9, 0.4, 0.9, 2.31, 2.6]
    probes = [probe(0.1, end) for end in ends]
    for it in probes:
        it.losses[:] += offset
    measure = Measure.of(probes, Bounds())
    looks = [measure.look(it) for it in probes]
    assert looks[:3] == ["good"] * 3
    assert "good" not in looks[3:]
    heights = measure.heights_of(probes)
    assert heights.argmin() == 1
    floor = 0.4 - 0.1 * 1.9
    start = np.median([np.mean(it.losses[:3]) for it in probes]) - offset
    floor = 0.4 - 0.1 * (start - 0.4)
    assert heights[0] == pytest.approx(math.log((1.9 - floor) / (start - floor)), rel=1e-6)
    assert heights[3:].tolist() == [0, 0]


def test_a_known_floor_makes_adding_a_constant_to_a_loss_no_matter(probe):
    probes = [probe(0.1, end) for end in (1.9, 0.4, 2.3, 3.1)]
    plain = Measure.of(probes, Bounds(0.0, 2.3))
    looks, heights = [plain.look(it) for it in probes], plain.heights_of(probes)
    for it in probes:
        it.losses[:] += 1000.0
    raised = Measure.of(probes, Bounds(1000.0, 1002.3))
    assert [raised.look(it) for it in probes] == looks == ["good", "good", "low", "high"]
    assert raised.heights_of(probes) == pytest.approx(heights)
    losses = [1002.3] * 3 + [1009.3] * 3
    rule = Explosion(Bounds(1000.0, 1002.3))
    rule.follow(losses)
    assert rule.found


@pytest.mark.parametrize(
    ("guessing", "floor"), [(None, 0.0), (2.3, None), (0.0, 0.0), (1.0, 2.0), (None, None)]
)
def test_bounds_help_only_if_both_are_known_and_apart(guessing, floor):
    assert not Bounds(floor, guessing).are_known
    assert Bounds(0.0, 2.3).are_known


def test_heights_are_logarithms_of_the_share_of_chance(probe):
    probes = [probe(0.1, end) for end in (0.23, 1.15, 2.3, math.inf)]
    heights = Measure.of(probes, Bounds(0.0, 2.3)).heights_of(probes)
    assert heights == pytest.approx([math.log(0.1), math.log(0.5), 0, 0])


def test_losses_and_heights_say_the_same(probe):
    for chance in (2.3, None):
        probes = [probe(0.1, end) for end in (0.3, 1.0, 1.9)]
        measure = Measure.of(probes, Bounds(0.0, chance))
        again = measure.losses(measure.heights_of(probes), probes)
        assert again == pytest.approx([0.3, 1.0, 1.9])


def test_a_loss_of_zero_has_a_height(probe):
    it = probe(0.1, 0.0)
    assert np.isfinite(Measure.of([it], Bounds(0.0, 2.3)).heights_of([it])).all()


def explodes(losses, guessing):
    rule = Explosion(Bounds(0.0, guessing))
    for place, loss in enumerate(losses):
        rule.follow([loss])
        if rule.found:
            return place
    return None


def test_a_probe_explodes_when_three_losses_are_four_times_chance():
    assert explodes([2.3, 2.3, 2.3, 9.1, 9.1, 9.1, 9.1], 2.3) is None
    assert explodes([2.3, 2.3, 2.3, 9.3, 9.3, 9.3, 9.3], 2.3) == 5
    assert explodes([2.3, 2.3, 2.3, 50.0], 2.3) == 3


def test_a_probe_that_starts_high_has_not_exploded():
    assert explodes([50.0] * 10, 2.3) is None
    assert explodes([50.0] * 3 + [190.0] * 10, 2.3) is None
    assert explodes([50.0] * 3 + [210.0] * 10, 2.3) == 5


def test_without_chance_the_first_losses_alone_count():
    assert explodes([-2.0] * 3 + [7.0] * 9, None) is None
    assert explodes([-2.0] * 3 + [9.0] * 9, None) == 5


def test_after_a_fresh_start_three_more_losses_are_needed():
    rule = Explosion(Bounds(0.0, 2.3))
    rule.follow([2.3, 2.3, 2.3, 20.0, 20.0])
    assert rule.found
    rule.start_afresh()
    rule.follow([20.0, 20.0])
    assert not rule.found
    rule.follow([20.0])
    assert rule.found
