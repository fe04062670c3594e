import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onecycle_cli import suggest
from onecycle_cli.suggest import DEFAULT_MOMENTUM, suggest_momentum


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
        assert suggest.paired_error(exploded, runs(1.0)) == math.inf

    def test_is_never_suggested(self, exploded, runs):
        decay = suggest.suggest_weight_decay({1e-2: exploded, 1e-3: runs(1.0), 1e-4: runs(1.5)})
        assert (decay.verdict, decay.value) == ("ok", 1e-3)
        momentum = suggest_momentum({0.8: exploded, 0.9: runs(1.5), "cycled": runs(1.0)})
        assert (momentum.verdict, momentum.value) == ("ok", DEFAULT_MOMENTUM)
        assert suggest.survivors({0.8: exploded, 0.9: runs(1.0), 0.95: runs(1.001)}, min) == [
            0.9,
            0.95,
        ]

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


class TestSuggestWeightDecay:
    @pytest.mark.parametrize(
        ("scores", "verdict", "value", "interval"),
        [
            ({1e-3: 1.5, 1e-4: 1.0, 1e-5: 1.3}, "ok", 1e-4, (1e-4, 1e-4)),
            ({1e-3: 1.5, 1e-4: 1.001, 1e-5: 1.0}, "undecided", 1e-4, (1e-5, 1e-4)),
            ({1e-3: 1.001, 1e-4: 1.002, 0.0: 1.0}, "undecided", 1e-3, (0.0, 1e-3)),
            ({1e-2: None, 1e-3: 1.0}, "ok", 1e-3, (1e-3, 1e-3)),
        ],
    )
    def test_the_largest_that_ties_with_the_best(
        self, scores, verdict, value, interval, diverged, runs
    ):
        scores = {d: diverged if mean is None else runs(mean) for d, mean in scores.items()}
        found = suggest.suggest_weight_decay(scores)
        assert (found.verdict, found.value, found.interval) == (verdict, value, interval)

    def test_all_diverged(self, diverged):
        found = suggest.suggest_weight_decay({1e-3: diverged, 1e-4: diverged})
        assert (found.verdict, found.value) == ("non_finite", None)
        assert "lower the learning rate" in found.reason

    def test_noise_alone_is_rarely_decided(self):
        random = np.random.default_rng(0)
        verdicts = [
            suggest.suggest_weight_decay(
                {10.0**-d: list(random.normal(size=(2, 60))) for d in range(5)}
            ).verdict
            for _ in range(200)
        ]
        assert verdicts.count("ok") <= 8


class TestSuggestMomentum:
    @pytest.mark.parametrize(
        ("scores", "verdict", "value", "interval"),
        [
            # a constant that wins is cycled around
            ({0.8: 1.0, 0.9: 1.5, "cycled": 1.4}, "ok", (0.85, 0.75), (0.75, 0.85)),
            ({0.0: 1.0, 0.9: 1.5, "cycled": 1.4}, "ok", (0.05, 0.0), (0.0, 0.05)),
            ({0.99: 1.0, 0.9: 1.5, "cycled": 1.4}, "ok", (0.99, 0.94), (0.94, 0.99)),
            # the default range wins, or ties
            ({0.8: 1.5, 0.9: 1.5, "cycled": 1.0}, "ok", (0.95, 0.85), (0.85, 0.95)),
            ({0.8: 1.5, 0.9: 1.001, "cycled": 1.0}, "undecided", (0.95, 0.85), (0.85, 0.95)),
            ({0.8: 1.0, 0.99: 1.002, "cycled": 1.001}, "undecided", (0.95, 0.85), (0.8, 0.99)),
            # the default range is worse than what ties: it is no safe choice
            ({0.5: 1.0, 0.6: 1.001, "cycled": 1.5}, "undecided", (0.55, 0.45), (0.45, 0.6)),
            ({0.5: 1.0, 0.6: 1.001, "cycled": None}, "undecided", (0.55, 0.45), (0.45, 0.6)),
            # nobody tried it
            ({0.5: 1.0, 0.6: 1.001}, "undecided", (0.95, 0.85), (0.5, 0.95)),
        ],
    )
    def test_verdicts(self, scores, verdict, value, interval, diverged, runs):
        scores = {m: diverged if mean is None else runs(mean) for m, mean in scores.items()}
        found = suggest_momentum(scores)
        assert found.verdict == verdict
        assert found.value == {"max": value[0], "min": value[1]}
        assert found.interval == interval
        assert f"{value[0]:g} to {value[1]:g}" in found.reason or verdict == "ok"

    def test_all_diverged(self, diverged):
        found = suggest_momentum({0.9: diverged, "cycled": diverged})
        assert (found.verdict, found.value, found.interval) == ("non_finite", None, None)

    def test_the_default_is_handed_out_as_a_copy(self, runs):
        suggest_momentum({0.9: runs(1.0), "cycled": runs(1.0)}).value["max"] = 0
        assert DEFAULT_MOMENTUM == {"max": 0.95, "min": 0.85}


class TestRungs:
    """Of several rungs, the last one decides; who was dropped keeps the distance it had."""

    def test_distances_are_those_of_the_last_common_rung(self, runs):
        first = {1e-3: runs(1.2), 1e-4: runs(1.0), 1e-5: runs(0.99)}
        last = {1e-4: runs(0.5), 1e-5: runs(0.7)}
        best, others = suggest.rank(first, last)
        assert best == 1e-4
        assert others[1e-5] == suggest.paired_difference(last[1e-5], last[1e-4])
        assert others[1e-3] == suggest.paired_difference(first[1e-3], first[1e-4])

    def test_a_dropped_candidate_that_was_not_beaten_leaves_it_undecided(self, runs):
        first = {1e-3: runs(1.5), 1e-4: runs(1.0), 1e-5: runs(1.001), 1e-2: runs(1.002)}
        last = {1e-4: runs(0.5), 1e-5: runs(0.7)}
        found = suggest.suggest_weight_decay(first, last)
        assert (found.verdict, found.value) == ("undecided", 1e-4)
        assert found.interval == (1e-4, 1e-2)

    def test_momentum_of_several_rungs(self, runs):
        first = {0.8: runs(1.5), 0.9: runs(1.4), "cycled": runs(1.001), 0.5: runs(1.0)}
        found = suggest_momentum(first, {"cycled": runs(0.9), 0.5: runs(0.5)})
        assert (found.verdict, found.value) == ("ok", {"max": 0.55, "min": 0.45})
        found = suggest_momentum(first, {"cycled": runs(0.5), 0.5: runs(0.501)})
        assert (found.verdict, found.value) == ("undecided", DEFAULT_MOMENTUM)


def test_a_constant_and_the_default_may_mean_the_same_range():
    assert suggest.momentum_range("cycled") == suggest.momentum_range(0.9) == DEFAULT_MOMENTUM
    assert suggest.momentum_range(0.99) == {"max": 0.99, "min": 0.94}


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.dictionaries(
        st.floats(0, 0.999) | st.just("cycled"),
        st.lists(arrays.arrays(float, 6, elements=numbers), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_comparisons_never_raise(scores):
    found = suggest_momentum(scores)
    if found.accepted:
        low, high = found.value["min"], found.value["max"]
        assert 0 <= low <= high < 1
        assert found.interval[0] <= low and high <= found.interval[1]
    decays = {c: runs for c, runs in scores.items() if c != "cycled"}
    found = suggest.suggest_weight_decay(decays)
    if found.accepted:
        assert found.value in decays
        assert found.interval[0] <= found.value <= found.interval[1]
