import numpy as np
import pytest

from onecycle_cli import suggest


def race(random, truth, candidates, rung, *, shared=0.1, own=0.02, of_run=0.01):
    """Return what a rung of a simulated race scores: the last fifth of each run's losses."""
    n = rung.steps // 5
    batches = shared * random.normal(size=(rung.replicates, n))
    return {
        c: [truth[c] + b + own * random.normal(size=n) + of_run * random.normal() for b in batches]
        for c in candidates
    }


class TestPlanRace:
    @pytest.mark.parametrize(
        ("candidates", "steps", "replicates", "plan"),
        [
            (6, 100, 3, [(6, 25, 1), (3, 50, 2), (2, 100, 3)]),
            (7, 300, 3, [(7, 75, 1), (4, 150, 2), (2, 300, 3)]),
            (6, 48, 3, [(6, 24, 1), (3, 24, 2), (2, 48, 3)]),  # none shorter than 24
            (6, 12, 1, [(6, 12, 1), (3, 12, 1), (2, 12, 1)]),  # unless the last one is
            (3, 100, 3, [(3, 50, 1), (2, 100, 3)]),
            (2, 100, 3, [(2, 100, 3)]),
            (1, 100, 3, [(1, 100, 3)]),
        ],
    )
    def test_half_as_many_run_twice_as_long(self, candidates, steps, replicates, plan):
        rungs = suggest.plan_race(candidates, steps, replicates)
        assert [(r.candidates, r.steps, r.replicates) for r in rungs] == plan

    def test_a_race_goes_on_with_another_replicate(self):
        rungs = suggest.plan_race(3, 100, 5, done=1)
        assert [(r.candidates, r.steps, r.replicates) for r in rungs] == [(3, 50, 2), (2, 100, 5)]


def largest(tied):
    return max(tied)


class TestSurvivors:
    @pytest.mark.parametrize(
        ("means", "left"),
        [
            ([1.0, 1.0005, 1.001, 1.0015, 1.002, 1.0025], [0, 1, 5]),  # half, and the safest of all
            ([1.0, 1.001, 1.002, 1.5, 1.5, 1.6], [0, 1, 2]),  # clearly worse is never safe
            ([1.5, 1.0, 1.5, 1.5, 1.001], [1, 4]),
            ([1.001, 1.0], [1, 0]),  # two may tie to the end
            ([1.5, 1.0, 1.5], [1]),
            ([None, 1.0, None], [1]),
            ([None, None], []),
        ],
    )
    def test_who_goes_on(self, means, left, diverged, runs):
        scores = {c: diverged if m is None else runs(m) for c, m in enumerate(means)}
        assert suggest.survivors(scores, largest) == left

    def test_one_run_each_does_not_end_the_race(self, diverged, runs):
        scores = {c: runs(m, count=1) for c, m in enumerate([1.0, 1.5, 1.4])}
        assert suggest.survivors(scores, largest) == [0, 2]
        assert suggest.survivors(scores | {2: diverged[:1]}, largest) == [0, 1]
        assert suggest.survivors({0: runs(1.0, count=1), 1: diverged[:1]}, largest) == [0]

    def test_a_defended_candidate_stays_even_if_it_is_worse(self, diverged, runs):
        scores = {c: runs(m) for c, m in enumerate([1.0, 1.001, 1.002, 1.6])}
        assert suggest.survivors(scores, lambda _: 3) == [0, 3]
        assert suggest.survivors(scores | {3: diverged}, lambda _: 3) == [0, 1]

    def test_the_best_is_rarely_dropped(self):
        """A simulated race of six, whose runs differ by a third of what tells the best two apart.

        Each step's loss has a noise that all share, one of its own, and each run an error of its
        own, that a single run can't show. Beaten by another only where the two hardly differ, the
        best one must reach the last rung in most races, and whoever wins must not be much worse.
        """
        random = np.random.default_rng(0)
        truth = np.array([1.0, 1.03, 1.06, 1.1, 1.2, 1.5])
        reached, regrets = 0, []
        for _ in range(300):
            left, done, rungs = list(range(6)), 0, []
            while not rungs or (len(rungs[-1]) > 2 and len(left) > 1):
                rung = suggest.plan_race(len(left), 48, 3, done=done)[0]
                rungs.append(race(random, truth, left, rung))
                left, done = suggest.survivors(rungs[-1], largest), done + 1
            winner, _ = suggest.rank(*rungs)
            reached += 0 in rungs[-1]
            regrets.append(truth[winner] - truth[0])
        assert reached / 300 > 0.9
        assert np.mean(regrets) < 0.01
        assert max(regrets) <= 0.1

    def test_equals_are_seldom_told_apart(self):
        random = np.random.default_rng(1)
        verdicts = []
        for _ in range(200):
            first = race(random, np.ones(6), range(6), suggest.plan_race(6, 48, 3)[0])
            left = suggest.survivors(first, largest)
            last = race(random, np.ones(6), left, suggest.Rung(len(left), 48, 3))
            verdicts.append(suggest.suggest_weight_decay(first, last).verdict)
        assert verdicts.count("ok") <= 4
