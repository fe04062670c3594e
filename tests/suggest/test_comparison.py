import math

import numpy as np
import pytest

from onecycle_cli import suggest


class TestPairedDifference:
    @pytest.mark.parametrize(("count", "t"), [(1, 2.262), (2, 2.101)])
    def test_student_of_blocks_within_replicates(self, count, t, runs):
        """10 blocks of 6 each: 9 degrees of freedom for a replicate, 18 for two."""
        worse, best = runs(1.0, count=count), runs(0.9, count=count)
        blocks = [(a - b).reshape(10, 6).mean(axis=1) for a, b in zip(worse, best, strict=True)]
        mean = np.mean(blocks)
        error = np.sqrt(sum(b.var(ddof=1) / 10 for b in blocks)) / count
        found = suggest.paired_difference(worse, best)
        assert found.mean == pytest.approx(mean, rel=1e-12)
        assert found.interval == pytest.approx((mean - t * error, mean + t * error), rel=0.01)

    def test_normal_between_three_replicates(self):
        worse = [np.full(60, v) for v in (1.0, 1.3, 1.9)]
        found = suggest.paired_difference(worse, [np.zeros(60)] * 3)
        margin = 1.96 * np.std([1.0, 1.3, 1.9], ddof=1) / np.sqrt(3)
        assert found.mean == pytest.approx(1.4)
        assert found.interval == pytest.approx((1.4 - margin, 1.4 + margin))

    @pytest.mark.parametrize("count", [1, 2, 4])
    @pytest.mark.parametrize("n", [2, 5, 60])
    def test_the_interval_covers_the_truth(self, n, count):
        random = np.random.default_rng(0)
        hits = 0
        for _ in range(400):
            worse = list(0.3 + random.normal(size=(count, n)))
            low, high = suggest.paired_difference(worse, [np.zeros(n)] * count).interval
            hits += low <= 0.3 <= high
        assert hits / 400 > 0.92

    def test_pairing_removes_what_the_batches_share(self, runs):
        paired = suggest.paired_difference(runs(1.02), runs(1.0))
        unpaired = suggest.paired_difference(runs(1.02, seed=1), runs(1.0))
        assert not paired.tied
        assert unpaired.tied

    def test_one_loss_decides_nothing(self):
        found = suggest.paired_difference([[2.0]], [[1.0]])
        assert found.mean == 1 and found.interval == (-math.inf, math.inf) and found.tied

    @pytest.mark.parametrize("broken", [math.inf, -math.inf, math.nan])
    def test_a_loss_that_is_not_finite_is_infinitely_worse(self, broken):
        for worse, best in (([[1.0, broken]], [[1.0, 1.0]]), ([[broken, 1]], [[broken, 1]])):
            found = suggest.paired_difference(worse, best)
            assert found.interval == (math.inf, math.inf)
            assert not found.tied


class TestRank:
    def test_the_lowest_mean_wins(self, diverged, runs):
        best, others = suggest.rank({"a": runs(1.2), "b": runs(0.9), "c": diverged})
        assert best == "b"
        assert others["a"].mean == pytest.approx(0.3, abs=0.05)
        assert others["c"].mean == math.inf
        assert others["a"] == suggest.paired_difference(runs(1.2), runs(0.9))

    def test_one_broken_replicate_disqualifies(self, runs):
        broken = [runs(0.1)[0], np.full(60, np.nan)]
        assert suggest.rank({1: broken, 2: runs(1.0)})[0] == 2

    @pytest.mark.parametrize("scores", [{}, {1: [np.full(60, np.inf)]}, {1: []}, {1: [[]]}])
    def test_nothing_to_rank(self, scores):
        with pytest.raises(ValueError, match="no candidate"):
            suggest.rank(scores)


class TestExplodedCandidates:
    """One huge loss has an error as large as itself, which must not make a tie of it."""

    @pytest.fixture(params=[1e4, 1e20, 1e37, 1e300])
    def exploded(self, request, runs):
        losses = runs(1.0)
        losses[1][-1] = request.param
        return losses

    def test_is_infinitely_worse(self, exploded, runs):
        best, others = suggest.rank({"good": runs(1.0), "exploded": exploded})
        assert best == "good"
        assert others["exploded"].mean == math.inf and not others["exploded"].tied

    def test_is_never_suggested(self, exploded, runs):
        decays = {1e-2: exploded, 1e-3: runs(1.0), 1e-4: runs(1.5)}
        measure = suggest.Measure(suggest.Bounds(0.0, 2.3), 2.3)
        decay = suggest.suggest_weight_decay([decays], measure=measure, usual=5e-4)
        assert decay.verdict == "ok" and 1e-4 < decay.value <= 1e-3
        momentum = suggest.suggest_momentum([{0.8: exploded, 0.85: runs(1.5), 0.9: runs(1.0)}])
        assert (momentum.verdict, momentum.value) == ("ok", suggest.DEFAULT_MOMENTUM)

    def test_a_bad_batch_that_all_share_is_no_explosion_of_one(self, runs):
        one, other = runs(1.0), runs(1.5)
        for losses in (*one, *other):
            losses[7] = 1e20
        assert suggest.paired_difference(other, one).mean == pytest.approx(0.5, rel=0.1)

    def test_a_loss_of_zero_can_be_compared(self):
        worse = np.full(60, 1e-9)
        assert suggest.paired_difference([worse], [np.zeros(60)]).mean == pytest.approx(1e-9)
        worse[-1] = 1e20
        assert suggest.paired_difference([worse], [np.zeros(60)]).mean == math.inf


class TestRungs:
    """Of several rounds, the last one decides; who ran in the first alone keeps its distance."""

    def test_distances_are_those_of_the_last_common_round(self, runs):
        first = {1e-3: runs(1.2), 1e-4: runs(1.0), 1e-5: runs(0.99)}
        last = {1e-4: runs(0.5), 1e-5: runs(0.7)}
        best, others = suggest.rank(first, last)
        assert best == 1e-4
        assert others[1e-5] == suggest.paired_difference(last[1e-5], last[1e-4])
        assert others[1e-3] == suggest.paired_difference(first[1e-3], first[1e-4])
