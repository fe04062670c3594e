"""Each task is trained by its loss and judged by its measures, as NumPy computes them."""

import numpy as np
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, DataError, ModelError
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(80, 4)).astype(np.float32)
BINARY = (X @ [1, -2, 0.5, 0] + RANDOM.normal(size=80) > 0).astype(int)
SEVERAL = (X @ RANDOM.normal(size=(4, 3)) + RANDOM.normal(size=(80, 3)) > 0).astype(int)

HEAD = """
x = keras.Input(input_shape)
return keras.Model(x, keras.layers.Dense({units}, activation={activation!r})(x))
"""
LIBRARY = {"name": "mlp", "options": {"hidden": 8}}


@pytest.fixture
def bench(small, user_model, tmp_path):
    """Set up a workbench on targets, with a linear model that ends in so many units."""
    open_ones = []

    def set_up(y, units="num_outputs", activation="sigmoid", model=None, **settings):
        np.savez(tmp_path / "mine.npz", x_train=X, y_train=y)
        dataset = {"name": "arrays", "path": str(tmp_path / "mine.npz"), "limit": None}
        head = HEAD.format(units=units, activation=activation)
        settings = {"batch_size": 16, **settings, "dataset": dataset}
        config = small(**settings) | {"model": model or user_model(head)}
        open_ones.append(Workbench(load_config(config), Observer()))
        return open_ones[-1]

    yield set_up
    for each in open_ones:
        each.close()


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, np.float64)))


def cross_entropy(p, t):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def logits_of(bench, rows):
    kernel, bias = (np.asarray(w, np.float64) for w in bench.model.get_weights())
    return bench.dataset.normalise(bench.dataset.x[rows]) @ kernel + bias


def stepped(bench):
    """Return the weights after one step, and those that NumPy makes of the same batch."""
    x, y, *_ = bench._batches(num_steps=1)[0]
    kernel, bias = (np.asarray(w, np.float64) for w in bench.model.get_weights())
    targets = y.reshape(len(y), -1)
    slope = (sigmoid(x @ kernel + bias) - targets) / targets.size
    bench.assign({"learning_rate": 0.1, "momentum": 0.0, bench.decay_name: 0.0})
    bench.train(1, [])
    return bench.model.get_weights(), [kernel - 0.1 * x.T @ slope, bias - 0.1 * slope.sum(0)]


BINARY_TARGETS = [BINARY, BINARY == 1, BINARY.astype(np.uint8)[:, None], BINARY.astype(float)]


@pytest.mark.samples(2)
@pytest.mark.parametrize("y", BINARY_TARGETS, ids=["int", "bool", "column", "float"])
def test_a_model_with_one_output_learns_two_classes(bench, y):
    says = {"task": "binary"} if y.dtype == float else {}
    bench = bench(y, units=1, **says)
    assert bench.objective.task == bench.dataset.task == "binary"
    assert bench.dataset.classes == ("0", "1")
    found, expected = stepped(bench)
    for ours, numpys in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, numpys, rtol=1e-4, atol=1e-6)


def test_two_classes_are_judged_by_their_probability(bench):
    bench = bench(BINARY, units=1)
    rows = bench.dataset.validation
    p, t = sigmoid(logits_of(bench, rows))[:, 0], BINARY[rows]
    examined = bench.examine("validation")
    np.testing.assert_allclose(examined.losses, cross_entropy(p, t), rtol=1e-4)
    assert examined.accuracy == ((p >= 0.5) == t).mean()
    assert examined.confusion.tolist() == [
        [((p >= 0.5) == answer)[t == true].sum() for answer in (0, 1)] for true in (0, 1)
    ]
    assert set(examined.scores) == {"accuracy", "auc", "f1"}


def test_logits_give_the_same_scores_as_probabilities(bench):
    logits = {"loss": {"name": "auto", "from_logits": True}}
    plain, linear = bench(BINARY, units=1), bench(BINARY, 1, None, **logits)
    for one, other in zip(plain.model.variables, linear.model.variables, strict=True):
        other.assign(one)
    plain, linear = plain.examine("validation"), linear.examine("validation")
    np.testing.assert_allclose(plain.losses, linear.losses, rtol=1e-4)
    assert plain.scores == linear.scores
    assert plain.confusion.tolist() == linear.confusion.tolist()


def test_several_labels_are_learned_and_judged_each_by_itself(bench):
    bench = bench(SEVERAL)
    assert bench.objective.task == "multilabel"
    rows = bench.dataset.validation
    p, t = sigmoid(logits_of(bench, rows)), SEVERAL[rows]
    examined = bench.examine("validation")
    np.testing.assert_allclose(examined.losses, cross_entropy(p, t).mean(axis=1), rtol=1e-4)
    assert examined.accuracy == pytest.approx(((p >= 0.5) == t).mean())
    assert examined.confusion is None
    assert len(examined.scores["auc_per_label"]) == 3
    found, expected = stepped(bench)
    for ours, numpys in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, numpys, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("task", ["auto", "multiclass"])
def test_one_hot_rows_are_classes(bench, task):
    hot = np.eye(3)[np.arange(80) % 3]
    made = bench(hot, activation="softmax", task=task)
    assert made.loss_name == "sparse_categorical_crossentropy"
    assert made.dataset.y.tolist() == (np.arange(80) % 3).tolist()


@pytest.mark.parametrize(("y", "outputs"), [(BINARY, 1), (SEVERAL, 3)])
def test_models_of_ours_end_in_a_sigmoid_for_labels(bench, y, outputs):
    task = "binary" if outputs == 1 else "auto"
    last = bench(y, model=LIBRARY, task=task).model.layers[-1]
    assert (last.units, last.activation.__name__) == (outputs, "sigmoid")


def test_two_classes_are_a_softmax_to_models_of_ours(bench):
    assert bench(BINARY, model=LIBRARY).objective.task == "multiclass"
    named = bench(BINARY, model=LIBRARY, loss="binary_crossentropy")
    assert named.objective.task == "binary"


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_smoothed_labels_are_trained_on_and_not_judged_by(bench, smoothing):
    made = bench(BINARY, units=1, train={"label_smoothing": smoothing})
    x, y, *_ = made._batches(num_steps=1)[0]
    kernel, bias = (np.asarray(w, np.float64) for w in made.model.get_weights())
    smoothed = y * (1 - smoothing) + smoothing / 2
    expected = cross_entropy(sigmoid(x @ kernel + bias)[:, 0], smoothed).mean()
    before = made.examine("validation").losses
    made.train(1, [])
    assert made._instruments.batch_loss == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(before, bench(BINARY, units=1).examine("validation").losses)


@pytest.mark.samples(5)
@pytest.mark.parametrize(
    ("y", "settings", "error", "message"),
    [
        (BINARY, {"units": 3}, ModelError, r"outputs of shape \(None, 2\) or \(None, 1\); it has"),
        (BINARY, {"units": 1, "activation": None}, ModelError, "end in probabilities"),
        (BINARY, {"units": 1, "activation": "linear"}, ModelError, "a sigmoid, or set"),
        (SEVERAL, {"activation": None}, ModelError, "end in probabilities"),
        (SEVERAL, {"activation": "softmax", "units": 2}, ModelError, r"\(None, 3\); it has"),
        (SEVERAL, {"task": "binary"}, DataError, "labels 0 and 1 of shape"),
        (BINARY / 4 + 0.3, {"train": {"label_smoothing": 0.1}}, ConfigError, "needs class labels"),
        (
            X @ [1, 0, 0, 3],
            {},
            ModelError,
            r"which go from -\d.* goes from 0 to 1",
        ),
        (X @ [1, 0, 0, 3], {"activation": "relu"}, ModelError, "goes from 0 to inf"),
        (BINARY, {"loss": "mse", "task": "binary"}, ConfigError, "loss mse needs numbers as"),
        (SEVERAL, {"loss": "sparse_categorical_crossentropy"}, DataError, "or one-hot rows"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(bench, y, settings, error, message):
    with pytest.raises(error, match=message) as caught:
        bench(y, **settings)
    assert "\n" not in str(caught.value)


def test_weights_of_examples_weigh_in_training_and_validation(small, user_model, tmp_path):
    weights = RANDOM.random(80).astype(np.float32) * 4
    np.savez(tmp_path / "mine.npz", x_train=X, y_train=BINARY, weights_train=weights)
    dataset = {"name": "arrays", "path": str(tmp_path / "mine.npz"), "limit": None}
    head = HEAD.format(units=1, activation="sigmoid")
    config = small(batch_size=16, dataset=dataset) | {"model": user_model(head)}
    bench = Workbench(load_config(config), Observer())
    rows = bench.dataset.validation
    p = sigmoid(logits_of(bench, rows))[:, 0]
    expected = cross_entropy(p, BINARY[rows]) * weights[rows]
    np.testing.assert_allclose(bench.examine("validation").losses, expected, rtol=1e-4)

    x, y, w = bench._batches(num_steps=1)[0]
    kernel, bias = (np.asarray(v, np.float64) for v in bench.model.get_weights())
    bench.train(1, [])
    expected = (cross_entropy(sigmoid(x @ kernel + bias)[:, 0], y) * w).mean()
    assert bench._instruments.batch_loss == pytest.approx(expected, rel=1e-4)
    bench.close()


@pytest.mark.parametrize(("y", "units"), [(BINARY, 1), (SEVERAL, "num_outputs")])
def test_a_loss_without_effect_of_the_targets_is_not_suspected(bench, y, units):
    assert bench(y, units=units).caveats == []
