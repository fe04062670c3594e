import math

import numpy as np
import pytest

from onecycle_cli import suggest


class TestConfirmLR:
    TRIED = (0.01, 0.02, 0.04, 0.08, 0.16)

    @pytest.mark.parametrize(
        ("means", "verdict", "value", "interval"),
        [
            ({0.02: 1.0, 0.04: 1.5, 0.08: 1.5}, "ok", 0.02, (0.0152, 0.0263)),
            ({0.02: 1.5, 0.04: 1.0, 0.08: 1.5}, "ok", 0.04, (0.0304, 0.0526)),
            # the smallest of those that can't be told from the best
            ({0.02: 1.001, 0.04: 1.5, 0.08: 1.0}, "ok", 0.02, (0.0152, 0.105)),
            # a candidate that diverged counts for nothing
            ({0.02: None, 0.04: 1.0, 0.08: None}, "ok", 0.04, (0.0304, 0.0526)),
            ({0.02: None, 0.04: None}, "non_finite", None, None),
            ({}, "non_finite", None, None),
            # at the ends of what was tried, something better may lie beyond
            ({0.01: 1.0, 0.02: 1.5}, "undecided", 0.01, (0.0076, 0.0132)),
            ({0.08: 1.5, 0.16: 1.0}, "undecided", 0.16, (0.122, 0.211)),
        ],
    )
    def test_the_smallest_that_is_as_good_as_the_best(
        self, means, verdict, value, interval, diverged, runs
    ):
        scores = {lr: diverged if mean is None else runs(mean) for lr, mean in means.items()}
        found = suggest.confirm_lr(scores, tried=self.TRIED, normalised=True)
        assert (found.verdict, found.value, found.interval) == (verdict, value, interval)
        if found.accepted:
            assert "confirmed by short, complete 1cycles: " in found.reason

    def test_a_network_without_normalisation_gets_a_margin(self, runs):
        scores = {0.02: runs(1.5), 0.04: runs(1.0), 0.08: runs(1.001)}
        found = suggest.confirm_lr(scores, tried=self.TRIED, normalised=False)
        assert found.value == pytest.approx(0.04 / math.sqrt(2), rel=0.01)
        reach = 3**0.25
        ends = (0.04 / math.sqrt(2) / reach, 0.08 / math.sqrt(2) * reach)
        assert found.interval == pytest.approx(ends, rel=0.01)
        assert "divided by 1.41, as the network has no normalisation" in found.reason

    def test_replicates_that_contradict_each_other_widen_the_error(self):
        """Each replicate is sure, and they disagree: 0.5 worse, 0.4 better."""
        flipping = {0.04: [np.full(60, 1.5), np.full(60, 0.6)], 0.08: [np.full(60, 1.0)] * 2}
        assert suggest.as_good_as_the_best(flipping) == [0.04, 0.08]
        agreeing = {0.04: [np.full(60, 1.05)] * 2, 0.08: [np.full(60, 1.0)] * 2}
        assert suggest.as_good_as_the_best(agreeing) == [0.08]

    def test_the_standard_error_by_hand(self, runs):
        """Between: 0.5 and -0.4, of which half the distance is 0.45; within there is none."""
        error = suggest.paired_error([np.full(60, 1.5), np.full(60, 0.6)], [np.ones(60)] * 2)
        assert error == pytest.approx(0.45)
        worse, best = runs(1.1, count=1), runs(1.0, count=1)
        blocks = (worse[0] - best[0]).reshape(10, 6).mean(axis=1)
        assert suggest.paired_error(worse, best) == pytest.approx(blocks.std(ddof=1) / 10**0.5)
        assert suggest.paired_error([[1.0]], [[2.0]]) == math.inf
        assert suggest.paired_error([[math.nan, 1]], [[2.0, 2]]) == math.inf

    def test_the_finalists_are_the_best_and_half_a_step_to_either_side(self):
        means = {0.01: 3.0, 0.03: 1.0, 0.09: None}
        scores = {lr: [np.array([m or np.inf])] for lr, m in means.items()}
        assert suggest.finalists(scores) == [0.0173, 0.03, 0.052]
        assert suggest.finalists({0.1: [np.array([np.nan])]}) == []

    def test_the_ladder_is_around_the_provisional_value(self):
        assert suggest.ladder(0.3) == [0.1, 0.3, 0.9]
        assert suggest.ladder(0.123456)[1] == 0.123

    @pytest.mark.parametrize(
        ("means", "further"),
        [
            ({0.1: 2.0, 0.3: 1.0, 0.9: 3.0}, None),
            ({0.1: 1.0, 0.3: 2.0, 0.9: 3.0}, 0.0333),
            ({0.1: 3.0, 0.3: 2.0, 0.9: 1.0}, 2.7),
            ({0.1: 1.0, 0.3: None, 0.9: None}, 0.0333),
            ({0.1: None, 0.3: None, 0.9: None}, 0.0333),
            ({0.1: 2.0, 0.3: 1.0, 0.9: None}, None),
            ({0.1: 1.0}, 0.0333),
        ],
    )
    def test_the_ladder_grows_where_its_end_is_the_best(self, means, further, diverged, runs):
        scores = {lr: diverged if mean is None else runs(mean) for lr, mean in means.items()}
        assert suggest.next_rate(scores) == further
