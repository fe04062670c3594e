"""Which probes to run next: a coarse ladder of learning rates, then finer ones around its best."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from onecycle_cli.suggest.bounds import Bounds
from onecycle_cli.suggest.comparison import paired_difference
from onecycle_cli.suggest.probes.probe import FINAL, GOOD, LADDER, LOW, Measure, Probe
from onecycle_cli.suggest.probes.rounds import Round
from onecycle_cli.suggest.suggestion import rounded

COARSE, FINE = 5 / 8, 3 / 8
"""Decades between neighbours on the ladder, and between the last probes."""

MOST_RUNS = 1.5
"""A search costs no more training runs than so many."""

LONGEST_SEARCH = 600
"""Nor more steps than so many, or than `LONGEST_SHARE` of the training, whichever is more."""

LONGEST_SHARE = 0.1

FEWEST_STEPS = 12
"""Of a probe: the last fifth of fewer would be a loss or two."""

_LADDERS = (24, 12, 6)
_FINAL_SHARE = 6
_SHORTEST_FINAL_SHARE = 16
_START, _CLIMB = 3, 4
_CLEARLY_LONGER, _LONGER = 1.5, 1.25
_FEWEST_PROBES = 12
_ROUNDING = 0.006  # of three digits, at most


@dataclass(frozen=True)
class SearchPlan:
    """How a learning rate is searched by probes.

    The ladder starts with three rates, and goes on one further while the best of them, of those
    that learned something, is at its end. Where none has learned anything, probes of twice the
    length are tried around the best of them, as far as the budget allows. Then come three longer
    ones, of a quarter of the training, or of what is left, around the best rate; and one more if
    the best of these is at their end; and more as long as it is at the end of all rates tried, and
    the budget allows.

    Learning rates that are given are tried instead, all of them, and no others.

    Attributes:
        budget: how many steps all probes may take.
        first: the learning rate that the ladder starts around, > 0.
        lowest: no probe has a lower one.
        highest: no probe has a higher one.
        given: the learning rates to try, rising; empty to search for them.
    """

    budget: int
    first: float
    lowest: float
    highest: float
    given: tuple[float, ...] = ()

    @property
    def most_steps(self) -> int:
        """Steps that all probes take, at most: the budget."""
        return self.budget

    @property
    def final_steps(self) -> int:
        """The length of the last probes, if the ladder leaves room for it."""
        return max(FEWEST_STEPS, self.budget // _FINAL_SHARE)

    @property
    def given_steps(self) -> int:
        """The length of probes at rates that are given."""
        return max(FEWEST_STEPS, min(self.final_steps, self.budget // max(1, len(self.given))))

    @property
    def ladders(self) -> list[int]:
        """The lengths of the ladder's probes: the first, and those where it learned nothing."""
        lengths: list[int] = []
        for share in _LADDERS:
            length = max(FEWEST_STEPS, round(self.budget / share))
            if not lengths or length >= _CLEARLY_LONGER * lengths[-1]:
                lengths.append(length)
        return lengths

    def longest_course(self) -> list[Round]:
        """Return the rounds of a search that climbs as far as it may, at rates of any size."""
        if self.given:
            return [Round(FINAL, self.given_steps, self.given)]
        return [
            Round(LADDER, self.ladders[0], (self.first,) * (_START + _CLIMB)),
            Round(FINAL, self.final_steps, (self.first,) * (_START + 1)),
        ]

    def next_round(self, probes: Sequence[Probe], bounds: Bounds) -> Round | None:
        """Return the probes to run after those that are done; `None` when it is over."""
        if self.given:
            return None if probes else Round(FINAL, self.given_steps, self.given)
        if not probes:
            return Round(LADDER, self.ladders[0], self._around(self.first, COARSE))
        measure = Measure.of(probes, bounds)
        if not any(probe.stage == FINAL for probe in probes):
            ladder = self._next_of_ladder(probes, measure)
            if ladder is not None and ladder.cost <= self._left(probes):
                return ladder
            return self._first_finals(probes, measure)
        return self._beyond(probes)

    def is_cut_short(self, probes: Sequence[Probe], bounds: Bounds) -> bool:
        """Tell whether the budget ended a search that would have gone on."""
        if any(probe.stage == FINAL for probe in probes):
            return False
        return bool(probes) and best_of_ladder(probes, Measure.of(probes, bounds)) is not None

    def _next_of_ladder(self, probes: Sequence[Probe], measure: Measure) -> Round | None:
        steps = max(probe.steps for probe in probes)
        tried = [probe for probe in probes if probe.steps == steps]
        looks = {probe.value: measure.look(probe) for probe in tried}
        best = _most_promising(tried, measure)
        further = self._beyond_end(best.value, looks, COARSE)
        if further is not None and len(tried) < _START + _CLIMB:
            return Round(LADDER, steps, (further,))
        middle = best.value / 10**COARSE if best.broke_off else best.value
        rates = self._around(middle, COARSE)
        wanted = next((length for length in self.ladders if length > steps), 0)
        longer = min(wanted, self._left(probes) // len(rates))
        if GOOD in looks.values() or longer < _LONGER * steps:
            return None
        return Round(LADDER, longer, rates)

    def _beyond_end(self, best: float, tried: Collection[float], decades: float) -> float | None:
        """Return the rate so far beyond the best, if that is an end of those tried, else `None`."""
        lowest, highest = min(tried), max(tried)
        if best == highest:
            return self._within(best * 10**decades)
        return self._within(best / 10**decades) if best == lowest else None

    def _first_finals(self, probes: Sequence[Probe], measure: Measure) -> Round | None:
        best = best_of_ladder(probes, measure)
        if best is None:
            return None
        rates = self._around(best.value, FINE)
        steps = min(self.final_steps, self._left(probes) // (len(rates) + 1))
        if steps < max(best.steps + 1, self.budget // _SHORTEST_FINAL_SHARE):
            return None
        return Round(FINAL, steps, rates)

    def _beyond(self, probes: Sequence[Probe]) -> Round | None:
        """Return one more final beyond the best, if that is at an end.

        Only once, but for a best one that is the lowest or the highest of all rates tried.
        """
        finals = [probe for probe in probes if probe.stage == FINAL]
        best = min(finals, key=lambda probe: probe.loss)
        tried = [probe.value for probe in probes]
        if len(finals) > _START and best.value not in (min(tried), max(tried)):
            return None
        rate = self._beyond_end(best.value, [probe.value for probe in finals], FINE)
        further = Round(FINAL, best.steps, (rate,)) if rate is not None else None
        return further if further and further.cost <= self._left(probes) else None

    def _around(self, middle: float, decades: float) -> tuple[float, ...]:
        """Return a rate and its neighbours, as far as they are within the range."""
        middle = min(max(middle, self.lowest), self.highest)
        rates = (self._within(middle * 10 ** (k * decades)) for k in (-1, 0, 1))
        return tuple(rate for rate in rates if rate is not None)

    def _within(self, rate: float) -> float | None:
        """Return a rate with three digits; `None` if it is outside of the range."""
        rate = rounded(rate)
        inside = min(max(rate, self.lowest), self.highest)
        return inside if abs(rate / inside - 1) < _ROUNDING else None

    def _left(self, probes: Sequence[Probe]) -> int:
        return self.budget - sum(len(probe.losses) for probe in probes)


def _most_promising(probes: Sequence[Probe], measure: Measure) -> Probe:
    """Return the probe around which to look closer: of those that learned something, the best.

    Where none has, and the network started above the loss of guessing, it is the one with the
    lowest loss. Where it started there, a rate that changes nothing does as well as any: then it
    is the one with the highest rate of those that can't be told from the best. Where all broke
    off, it is the one with the lowest rate.
    """
    whole = [probe for probe in probes if not probe.broke_off]
    if not whole:
        return min(probes, key=lambda probe: probe.value)
    best = min(whole, key=lambda probe: probe.loss)
    if measure.look(best) == GOOD or measure.starts_above_guessing:
        return best
    low = [probe for probe in whole if measure.look(probe) == LOW]
    tied = [p for p in low if p is best or paired_difference([p.tail], [best.tail]).tied]
    return max(tied, key=lambda probe: probe.value, default=best)


def best_of_ladder(probes: Sequence[Probe], measure: Measure) -> Probe | None:
    """Return the best probe of the longest ladder; `None` if none learned anything."""
    ladder = [probe for probe in probes if probe.stage == LADDER]
    steps = max((probe.steps for probe in ladder), default=0)
    good = [p for p in ladder if p.steps == steps and measure.look(p) == GOOD]
    return min(good, key=lambda probe: probe.loss, default=None)


def usual_budget(training: int) -> int:
    """Return how many steps a search may take for a training of so many.

    One and a half trainings, but no more than 600 steps, or a tenth of the training if that is
    more; and never fewer than twelve probes of twelve steps take.
    """
    runs = MOST_RUNS * training
    longest = max(LONGEST_SEARCH, LONGEST_SHARE * training)
    return max(least_budget(), math.floor(min(runs, longest)))


def least_budget(given: int = 0) -> int:
    """Return the fewest steps that a search can do with: twelve probes, or so many, of twelve."""
    return max(_FEWEST_PROBES, given) * FEWEST_STEPS
