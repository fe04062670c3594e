"""A model's function may return a compiled model: what it was compiled with is what counts."""

import numpy as np
import pytest
import yaml

import onecycle_cli
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, ModelError
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench

X = np.random.default_rng(5).normal(size=(80, 4)).astype(np.float32)
Y = (X @ [1, -2, 0.5, 0] > 0).astype(int)

BODY = """
x = keras.Input(input_shape)
model = keras.Model(x, keras.layers.Dense({units}, activation={activation!r})(x))
model.compile({optimizer}, {loss})
return model
"""
ADAMW = "keras.optimizers.AdamW(0.01, beta_1=0.8, weight_decay=0.02)"


@pytest.fixture
def config(small, user_model, tmp_path):
    def make(
        optimizer=ADAMW,
        loss="'binary_crossentropy'",
        units=1,
        activation="sigmoid",
        said=(),
        **more,
    ):
        settings = more | dict(said)
        np.savez(tmp_path / "mine.npz", x_train=X, y_train=Y)
        dataset = {"name": "arrays", "path": str(tmp_path / "mine.npz"), "limit": None}
        body = BODY.format(units=units, activation=activation, optimizer=optimizer, loss=loss)
        whole = small(batch_size=16, **settings, dataset=dataset)
        return {k: v for k, v in whole.items() if k != "optimizer" or "optimizer" in settings} | {
            "model": user_model(body)
        }

    return make


def made(config):
    bench = Workbench(load_config(config), Observer())
    bench.close()
    return bench


def test_optimizer_and_loss_are_those_of_the_model(config):
    bench = made(config())
    adopted = bench.config.optimizer
    assert (adopted.name, adopted.momentum) == ("adamw", pytest.approx(0.8))
    assert (adopted.weight_decay, adopted.decay_kind) == (pytest.approx(0.02), "decoupled")
    assert bench.objective.task == "binary"
    assert type(bench.model.optimizer).__name__ == "AdamW"


@pytest.mark.samples(3)
@pytest.mark.parametrize(
    ("optimizer", "name", "momentum", "kind"),
    [
        ("'sgd'", "sgd", 0, "l2"),
        ("keras.optimizers.SGD(0.1, momentum=0.5, nesterov=True)", "sgd", 0.5, "l2"),
        ("keras.optimizers.SGD(0.1, weight_decay=0.1)", "sgd", 0, "decoupled"),
        ("'adagrad'", "adagrad", 0, "l2"),
        ("type('Mine', (keras.optimizers.Adam,), {})()", "compiled", 0.9, "l2"),
    ],
)
def test_every_optimizer_says_what_it_is(config, optimizer, name, momentum, kind):
    adopted = made(config(optimizer)).config
    assert (adopted.optimizer.name, adopted.optimizer.decay_kind) == (name, kind)
    assert adopted.optimizer.momentum == pytest.approx(momentum)
    assert (adopted.train.momentum == "auto") == (momentum > 0)


def test_labels_become_rows_where_the_loss_takes_these(config):
    bench = made(config(loss="'categorical_crossentropy'", units=2, activation="softmax"))
    y = bench._batches(num_steps=1)[0][1]
    assert bench.objective.task == "multiclass"
    assert y.shape == (16, 2)
    assert bench.examine("validation").accuracy is not None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": {"name": "sgd"}}, "comes compiled, .* remove optimizer.name"),
        ({"optimizer": {"momentum": 0.9}}, "remove optimizer.momentum"),
        ({"loss": "mse"}, "remove loss"),
        ({"train": {"label_smoothing": 0.1}}, "remove train.label_smoothing"),
    ],
)
def test_nothing_else_may_be_said(config, settings, message):
    with pytest.raises(ConfigError, match=message):
        made(config(said=settings))


@pytest.mark.harness
def test_a_run_is_repeated_by_the_configuration_that_it_wrote(config, tmp_path):
    quick = {"find_lr": {"repeats": 1, "steps": 30}, "train": {"max_lr": 0.05}}
    first = onecycle_cli.find_lr(config(**quick), out=tmp_path)
    said = yaml.safe_load((first.folder / "config.yaml").read_text())
    assert said["loss"]["name"] == "compiled"
    assert said["optimizer"]["name"] == "adamw"
    again = onecycle_cli.find_lr(first.folder / "config.yaml", out=tmp_path)
    assert again.curves[0].losses == first.curves[0].losses


def test_a_trained_one_is_evaluated_by_its_own_loss(config, tmp_path):
    result = onecycle_cli.train(config(train={"max_lr": 0.05}), out=tmp_path)
    found = onecycle_cli.evaluate(result.folder)
    assert found.examined.loss == pytest.approx(result.test_loss)
    assert found.examined.accuracy == result.test_accuracy


@pytest.mark.harness
def test_one_with_a_loss_of_its_own_is_trained_and_evaluated_elsewhere(config, tmp_path):
    loss = "type('Mine', (keras.losses.MeanSquaredError,), {})()"
    result = onecycle_cli.train(config(loss=loss, train={"max_lr": 0.05}), out=tmp_path)
    assert result.test_loss > 0
    with pytest.raises(ModelError, match=r"evaluate it in Python|cannot be loaded"):
        onecycle_cli.evaluate(result.folder)
