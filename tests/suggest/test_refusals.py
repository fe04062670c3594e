import math

import numpy as np
import pytest

from onecycle_cli import suggest
from onecycle_cli.suggest import suggest_lr

PLANNED = (100, 10.0)


class TestRefusals:
    """What is refused names what was seen: how many points, the planned end, how it ended."""

    @pytest.mark.parametrize("sweep", ["flat", "falling"])
    @pytest.mark.parametrize("n", [1, 5, 20, 60, 99])
    def test_a_test_that_fit_cut_short(self, request, sweep, n):
        lrs, losses = (values[:n] for values in request.getfixturevalue(sweep)(0))
        found = suggest_lr([(lrs, losses)], planned=PLANNED).suggestion
        assert (found.value, found.verdict) == (None, "too_short")
        assert found.reason == (
            f"the test was cut short: fit ended after {n} of 100 planned steps, at the learning "
            f"rate {lrs[-1]:.3g} instead of 10; give fit more epochs, or lower the number of steps."
        )

    def test_a_test_that_went_to_its_end_was_not_cut_short(self, falling, flat):
        for stopped in (None, "completed"):
            found = suggest_lr([falling(0)], planned=PLANNED, stopped=stopped).suggestion
            assert found.verdict == "never_diverged"
            assert "raise max_lr to 100" in found.reason
            assert "all 100 steps up to 10 were taken" in found.reason
            found = suggest_lr([flat(0)], planned=PLANNED, stopped=stopped).suggestion
            assert found.verdict == "never_descended"
            assert "all 100 steps up to 10 were taken; check the labels" in found.reason

    def test_a_loss_that_diverged_before_it_fell(self):
        lrs, losses = np.geomspace(1e-5, 10, 100)[:15], np.linspace(2.3, 90, 15)
        found = suggest_lr([(lrs, losses)], planned=PLANNED, stopped="diverged").suggestion
        assert found.verdict == "never_descended"
        assert "the loss diverged at step 15 of 100, at the learning rate 7.05e-05 on the way to 10; lower min_lr" in found.reason  # fmt: skip # noqa: E501
        assert "labels" not in found.reason and "raise max_lr" not in found.reason

    @pytest.mark.parametrize("n", [1, 5, 11])
    def test_a_loss_that_diverged_before_there_was_a_curve(self, n):
        lrs, losses = np.geomspace(1e-5, 10, 100)[:n], np.geomspace(2.3, 90, n)
        found = suggest_lr([(lrs, losses)], planned=PLANNED, stopped="diverged").suggestion
        assert found.verdict == "too_short"
        assert f"the loss diverged at step {n} of 100" in found.reason
        assert "lower min_lr" in found.reason

    @pytest.mark.parametrize("n", [10, 20])
    def test_a_linear_test_whose_steps_come_after_the_divergence(self, n):
        lrs, losses = np.linspace(1e-5, 10, 100)[:n], np.geomspace(2.3, 90, n)
        found = suggest_lr([(lrs, losses)], planned=PLANNED, stopped="diverged").suggestion
        assert f"diverged at step {n} of 100" in found.reason
        assert "raise the number of steps, or lower max_lr" in found.reason

    def test_the_step_at_which_it_diverged_is_of_a_test_that_did(self):
        lrs = np.geomspace(1e-5, 10, 100)
        sweeps = [(lrs[:15], np.linspace(2.3, 90, 15))] * 2 + [(lrs, np.full(100, 2.3))]
        found = suggest_lr(sweeps, planned=PLANNED, stopped="diverged").suggestion
        assert "diverged at step 15 of 100" in found.reason

    def test_a_loss_that_is_not_finite_names_the_planned_steps(self):
        lrs, losses = np.geomspace(1e-5, 10, 100), np.r_[np.full(5, 2.3), math.nan]
        found = suggest_lr([(lrs[:6], losses)], planned=PLANNED, stopped="non_finite").suggestion
        assert found.verdict == "non_finite"
        assert "not finite at step 6 of 100, at the learning rate 2.01e-05" in found.reason

    def test_a_loss_that_is_not_finite_after_no_fall(self, flat):
        lrs, losses = flat(0)
        losses[50:] = math.inf
        found = suggest_lr([(lrs, losses)], planned=PLANNED, stopped="non_finite").suggestion
        assert found.verdict == "never_descended"
        assert "after step 50 of 100" in found.reason and "not finite" in found.reason
        assert "check the labels" in found.reason and "raise max_lr" not in found.reason

    def test_few_steps_over_many_decades(self, flat):
        """20 steps over 6 decades: whether anything is learned can't be seen."""
        found = suggest_lr([flat(0, 20)], planned=(20, 10.0), stopped="completed").suggestion
        assert found.verdict == "never_descended"
        assert "all 20 steps up to 10 were taken; that is few for so wide" in found.reason
        assert "raise the number of steps to 60 first" in found.reason

    def test_where_nothing_is_known_of_the_plan(self, flat):
        found = suggest_lr([flat(0, 60)]).suggestion
        assert "60 steps were recorded, the last at the learning rate 10" in found.reason

    @pytest.mark.parametrize("planned", [None, PLANNED])
    def test_what_is_accepted_needs_no_plan(self, planned, drawn):
        for stopped in (None, *suggest.STOPPED):
            assert suggest_lr([drawn(0)], planned=planned, stopped=stopped) == suggest_lr(
                [drawn(0)]
            )

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"stopped": "done"}, r"`stopped` must be one of completed, .* got 'done'"),
            ({"skip_begin": -1}, "`skip_begin` must be at least 0; got -1"),
            ({"skip_end": -5}, "`skip_end` must be at least 0; got -5"),
        ],
    )
    def test_arguments_that_mean_nothing(self, wrong, message, drawn):
        with pytest.raises(ValueError, match=message):
            suggest_lr([drawn(0)], **wrong)
