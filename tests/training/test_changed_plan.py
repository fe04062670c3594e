"""Other numbers of epochs for a training that is resumed."""

import signal

import numpy as np
import pytest

from onecycle_cli.errors import ConfigError, Terminated
from onecycle_cli.experiments.train import train


def longer(config, first):
    return config(cycles=[{"epochs": first}, {"epochs": 2, "max_lr": 0.02}])


@pytest.mark.samples(1)
@pytest.mark.parametrize("epochs", [2, 5])
def test_stretching_spreads_what_remains(copy, config, smith, table, epochs):
    result = train(longer(config, epochs), resume=copy, policy="stretch")
    steps = table(result.folder / "steps.csv")
    rates = smith(18, 0.1)[0]
    first = steps["lr"][steps["cycle"] == 1]
    assert len(first) == 6 * epochs
    done = result.events[0]["step"]
    np.testing.assert_allclose(first[:done], rates[:done], rtol=1e-12)
    places = done + np.arange(6 * epochs - done) * (18 - done) / (6 * epochs - done)
    rest = np.interp(places, np.arange(19), [*rates, rates[-1]])
    np.testing.assert_allclose(first[done:], rest, rtol=1e-9)
    assert result.cost.training_runs == 1
    assert (steps["cycle"] == 2).sum() == 12


def test_extending_holds_the_present_rate_first(copy, config, smith, table):
    result = train(longer(config, 5), resume=copy, policy="extend")
    steps = table(result.folder / "steps.csv")
    rates = smith(18, 0.1)[0].tolist()
    done = result.events[0]["step"]
    expected = rates[:done] + [rates[done]] * 12 + rates[done:]
    np.testing.assert_allclose(steps["lr"][steps["cycle"] == 1], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("epochs", "policy", "said"),
    [
        (5, None, "say how, by --policy stretch"),
        (1, "stretch", "has done .* steps and cannot have 6"),
        (2, "extend", "cannot make cycle 1 shorter"),
    ],
)
def test_changes_that_cannot_be(copy, config, epochs, policy, said):
    with pytest.raises(ConfigError, match=said):
        train(longer(config, epochs), resume=copy, policy=policy)
    assert (copy / "resume.json").is_file()


@pytest.mark.harness
def test_a_changed_plan_is_kept_over_another_break(copy, config, after):
    with pytest.raises(Terminated):
        train(longer(config, 5), resume=copy, policy="stretch", observer=after(3, signal.SIGTERM))
    result = train(resume=copy)
    assert [e.cycle for e in result.history] == [1] * 5 + [2] * 2
    assert [e["what"] for e in result.events] == ["plan"]
