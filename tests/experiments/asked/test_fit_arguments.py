"""What is said beside a model and its data, and what is answered to what can't be said."""

import keras
import pytest

from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.asked.fit_arguments import config_for


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def refused(model, **fit):
    with pytest.raises(ConfigError) as caught:
        config_for(model, fit)
    return str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam"},
        {"batch_size": 5},
        {"seed": 1},
        {"dataset": {"normalise": True}},
        {"model": "mlp"},
        {"loss": "mse"},
        {"task": "regression"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_settings_that_would_change_nothing_are_refused(model, settings):
    (key,) = settings
    assert refused(model, settings=settings).startswith(f"settings: {key} ")


def test_cycles_of_settings_count_unless_epochs_are_given(model):
    settings = {"train": {"cycles": [{"epochs": 3}, {"epochs": 2}]}}
    cycles = config_for(model, {"settings": settings}).train.cycles
    assert [cycle.epochs for cycle in cycles] == [3, 2]
    assert "epochs=" in refused(model, settings=settings, epochs=4)


@pytest.mark.parametrize(
    ("fit", "said"),
    [
        ({"epochs": 0}, "epochs must be at least 1; got 0."),
        ({"batch_size": "32"}, "batch_size must be a whole number; got '32'."),
        ({"max_lr": -1}, "max_lr must be greater than 0 or 'auto'; got -1."),
        ({"validation_split": 2}, "validation_split must be less than 1; got 2."),
        ({"settings": {"find_lr": {"bugdet": 1}}}, "settings: unknown key find_lr.bugdet"),
        ({"settings": "cosine"}, "settings must be a mapping of a config's keys; got 'cosine'."),
        (
            {"settings": {"train": 3}},
            "settings: train must be a mapping of a config's keys; got 3.",
        ),
        ({"momentum": 0.9}, 'momentum must have keys and values of its own, such as {"max": 0.95,'),
        ({"verbose": 0}, "there is no argument verbose here, unlike in fit; take progress="),
        (
            {"callbacks": [], "verbose": 0},
            "there is no argument callbacks here, unlike in fit; the training has",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_errors_name_the_arguments_of_the_call(model, fit, said):
    assert refused(model, **fit).startswith(said)


def test_each_value_says_where_it_came_from(model):
    config = config_for(model, {"max_lr": 0.1, "settings": {"train": {"shape": "cosine"}}})
    assert config.origin("train.max_lr") == "argument"
    assert config.origin("train.shape") == "settings"
    assert config.origin("find_lr.budget") == "default"
