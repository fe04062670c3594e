import keras
import numpy as np
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.train import train
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.steps_together import steps_together, trial_steps_together


@pytest.fixture
def together(small):
    def find(of=steps_together, **settings):
        bench = Workbench(load_config(small(**settings)), Observer())
        try:
            return of(bench)
        finally:
            bench.close()

    return find


def test_a_small_dense_network_takes_an_epoch_at_a_time(together):
    assert together(steps_per_execution="auto") == 6
    assert together(steps_per_execution=3) == 3
    assert together(steps_per_execution=1) == 1
    for other in (
        {"train": {"ema": 0.9}},
        {"train": {"log_grad_norm": True}},
        {"model": {"name": "mlp", "options": {"hidden": 2000, "layers": 2}}},
    ):
        assert together(steps_per_execution="auto", **other) == 1


def test_trials_need_not_have_a_multiple_of_what_is_run_together(together):
    assert together(trial_steps_together, steps_per_execution="auto") == 16
    assert together(trial_steps_together, steps_per_execution=4) == 4
    for other in ({"train": {"log_grad_norm": True}}, {"steps_per_execution": 1}):
        assert together(trial_steps_together, **other) == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"steps_per_execution": 4}, "must divide the 6 steps of an epoch; got 4; possible are 1, "
                                     "2, 3, 6"),
        ({"steps_per_execution": 2, "train": {"ema": 0.9}}, "must be 1 with train.ema; got 2"),
    ],
)  # fmt: skip
def test_what_cannot_be(together, settings, sentence):
    with pytest.raises(ConfigError, match=sentence):
        together(**settings)


@pytest.mark.harness
def test_the_bits_are_those_of_single_steps(small, tmp_path):
    """With losses, tables, momentum and weight decay; in both cycles."""
    settings = {"cycles": [{"epochs": 2}, {"epochs": 1, "max_lr": 0.02}], "weight_decay": 1e-3}
    runs = [
        train(small(steps_per_execution=k, train=settings), out=tmp_path / f"{k}").folder
        for k in (1, 3, "auto")
    ]
    for other in runs[1:]:
        for name in ("steps.csv", "history.csv"):
            assert (other / name).read_bytes() == (runs[0] / name).read_bytes()
        for name in ("model.keras", "best.keras"):
            ours, theirs = (
                keras.models.load_model(folder / name).get_weights() for folder in (other, runs[0])
            )
            for left, right in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(left, right)


@pytest.mark.harness
def test_trials_give_the_same_bits_too(small, tmp_path):
    """With numbers of steps that are no multiple, and rates at which the loss explodes."""
    search = {"method": "probes", "max_lr": 1e31, "rates": [0.01, 1.0, 1e30]}
    runs = [
        find_lr(small(steps_per_execution=k, find_lr=search), out=tmp_path / f"{k}").folder
        for k in (1, "auto")
    ]
    curves = [(folder / "curves.csv").read_text() for folder in runs]
    assert curves[0] == curves[1]
    assert (runs[0] / "trials.csv").read_text() == (runs[1] / "trials.csv").read_text()
    lengths = {i: sum(row.startswith(f"{i},") for row in curves[0].splitlines()) for i in range(3)}
    assert lengths[2] < lengths[0]
    assert all(n % 16 for n in lengths.values())
