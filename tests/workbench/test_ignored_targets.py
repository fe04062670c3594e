import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli.config import load_config
from onecycle_cli.errors import ModelError
from onecycle_cli.experiments.train import train
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.ignored_targets import ignores_targets

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
LABELS = np.array([0, 1, 2, 1, 0, 2], np.int32)
NUMBERS = X @ np.array([[1.0], [2.0], [-1.0]], np.float32)


def model_with(compute_loss):
    class Own(keras.Model):
        pass

    if compute_loss is not None:
        Own.compute_loss = compute_loss
    inputs = keras.Input((3,))
    model = Own(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    return model


def of_outputs(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
    return ops.mean(ops.square(y_pred))


def of_the_count(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
    return ops.mean(ops.square(y_pred)) + float(len(y))


def of_targets(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
    return ops.mean(ops.square(y_pred - ops.reshape(ops.cast(y, "float32"), (-1, 1))))


def of_their_order(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
    y = ops.reshape(ops.cast(y, "float32"), (-1,))
    return ops.mean(ops.cast(y[1:] > y[:-1], "float32") * (y_pred[1:, 0] - y_pred[:-1, 0]))


def failing(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
    raise ValueError("not now")


KINDS = [LABELS, NUMBERS, NUMBERS[:, 0], np.eye(3, dtype=np.float32)[LABELS]]


@pytest.mark.parametrize("y", KINDS)
@pytest.mark.parametrize(
    ("compute_loss", "ignored"),
    [(of_outputs, True), (of_the_count, True), (failing, False), (None, False)],
)
def test_a_loss_that_does_not_depend_on_the_targets(compute_loss, ignored, y):
    assert ignores_targets(model_with(compute_loss), X, y) is ignored


@pytest.mark.parametrize("y", KINDS[:3])
@pytest.mark.parametrize("compute_loss", [of_targets, of_their_order])
def test_a_loss_that_does_depend_on_them(compute_loss, y):
    assert not ignores_targets(model_with(compute_loss), X, y)


IGNORING = """
class Own(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.ops.square(y_pred)) {more}
x = keras.Input(input_shape)
h = keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))
return Own(x, keras.layers.Dense(num_outputs, activation="softmax")(h))
"""


def test_the_workbench_warns_once(small, user_model, listener):
    said = "does not depend on the targets: its compute_loss gives the same for a batch"
    model = user_model(IGNORING.format(more=""))
    Workbench(load_config(small() | {"model": model}), listener).close()
    assert [said in text for text in listener.warnings] == [True]
    listener.warnings.clear()
    sees = user_model(
        IGNORING.format(more="+ keras.ops.mean(keras.ops.cast(y, 'float32'))"), name="b"
    )
    bench = Workbench(load_config(small() | {"model": sees}), listener)
    assert listener.warnings == []
    bench.close()


FROZEN = """
x = keras.Input(input_shape)
out = keras.layers.Dense(num_outputs, activation="softmax", trainable=False)
return keras.Model(x, out(keras.layers.Flatten()(x)))
"""


def test_a_network_with_nothing_to_train_is_refused(small, user_model, tmp_path):
    with pytest.raises(ModelError, match="the model has nothing to train: all its layers are froz"):
        train(small() | {"model": user_model(FROZEN)}, out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
