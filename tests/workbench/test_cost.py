from types import SimpleNamespace

import pytest

from onecycle_cli.workbench.cost import Cost, probe_steps, short_run_steps


def bench(steps_per_epoch, *epochs):
    cycles = [SimpleNamespace(epochs=count) for count in epochs]
    config = SimpleNamespace(train=SimpleNamespace(cycles=cycles))
    return SimpleNamespace(steps_per_epoch=steps_per_epoch, config=config)


def test_costs_are_measured_in_epochs_and_in_trainings():
    cost = Cost.of(bench(23, 12, 8), 234, 3.0449)

    assert cost == Cost(steps=234, epochs=10.174, training_runs=0.5087, seconds=3.04)
    assert cost.as_dict() == {
        "steps": 234,
        "epochs": 10.174,
        "training_runs": 0.5087,
        "seconds": 3.04,
    }


@pytest.mark.parametrize(
    ("steps", "epochs", "words"),
    [
        (100, 1, "100 steps = 1 epoch = 100 % of the configured training"),
        (50, 40, "50 steps = 0.5 epochs = 1.2 % of the configured training"),
        (160, 2000, "160 steps = 1.6 epochs = 0.08 % of the configured training"),
        (1400, 7, "1400 steps = 14 epochs = 2 times the configured training"),
        (123_400, 10, "123400 steps = 1234 epochs = 123 times the configured training"),
    ],
)
def test_words(steps, epochs, words):
    assert str(Cost.of(bench(100, epochs), steps, 0)) == words
    assert Cost.forecast(bench(100, epochs), steps) == f"at most {words}"


@pytest.mark.parametrize(
    ("configured", "steps_per_epoch", "steps"),
    [("auto", 23, 100), ("auto", 200, 200), ("auto", 352, 300), (12, 352, 12), (5000, 23, 5000)],
)
def test_a_short_run_is_an_epoch_within_limits(configured, steps_per_epoch, steps):
    assert short_run_steps(configured, steps_per_epoch) == steps


@pytest.mark.parametrize(
    ("training", "steps"),
    [(10, 24), (120, 24), (125, 25), (1000, 200), (2000, 200), (2010, 201), (90_000, 9000)],
)
def test_probes_grow_with_the_training_but_slowly(training, steps):
    assert probe_steps("auto", training) == steps
    assert probe_steps(77, training) == 77
