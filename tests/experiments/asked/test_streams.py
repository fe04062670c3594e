"""Pipelines in hand: tf.data, PyDataset, a function that makes a generator, a DataLoader's like."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import onecycle_cli
from onecycle_cli.errors import ConfigError, DataError
from onecycle_cli.experiments.asked.in_hand import given
from onecycle_cli.experiments.session import workbench

RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(120, 4)).astype(np.float32)
Y = (X @ [1.0, -2.0, 0.5, 0.0] > 0).astype(np.int32)
LABELS = np.digitize(X[:, 0], [-0.5, 0.5])
SIZE, STEPS = 16, 8
BATCHES = [(X[i : i + SIZE], Y[i : i + SIZE]) for i in range(0, 120, SIZE)]
QUICK = {
    "epochs": 3,
    "settings": {
        "find_lr": {"repeats": 2, "steps": 20},
        "find_wd": {"repeats": 1, "steps": 24, "values": [1e-3, 1e-5], "refine": False},
    },
}


class Indexed(keras.utils.PyDataset):
    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        return BATCHES[index]


class Loader:
    """What PyTorch's DataLoader is to Keras: it has a length, and lists of arrays."""

    def __len__(self):
        return STEPS

    def __iter__(self):
        return iter([list(batch) for batch in BATCHES])


def generated():
    yield from BATCHES


def data_loader():
    from torch import from_numpy
    from torch.utils.data import DataLoader, TensorDataset

    return DataLoader(TensorDataset(from_numpy(X), from_numpy(Y)), batch_size=SIZE)


PIPELINES = {
    "tf.data": lambda: tf.data.Dataset.from_tensor_slices((X, Y)).batch(SIZE),
    "PyDataset": Indexed,
    "loader": Loader,
    "generator": lambda: generated,
    "DataLoader": data_loader,
}
KINDS = [
    pytest.param(kind, marks=[pytest.mark.torch] * (kind == "DataLoader")) for kind in PIPELINES
]


def model(units=1, activation="sigmoid", loss="binary_crossentropy", **more):
    keras.utils.set_random_seed(3)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation=activation)])
    made.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss, **more)
    return made


def arguments(kind):
    return QUICK | ({"steps_per_epoch": STEPS} if kind == "generator" else {})


@pytest.mark.samples(2)
@pytest.mark.parametrize("kind", KINDS)
def test_the_batches_are_those_of_the_pipeline_in_its_order(kind):
    made, twin = model(), model()
    before = made.get_weights()
    found = onecycle_cli.find_lr(made, PIPELINES[kind](), **arguments(kind))
    for a, b in zip(made.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    for step, lr in enumerate(found.curves[0].lrs):
        twin.optimizer.learning_rate = lr
        loss = float(twin.train_on_batch(*BATCHES[step % STEPS]))
        assert found.curves[0].losses[step] == pytest.approx(loss, rel=1e-4)


@pytest.mark.samples(2)
@pytest.mark.parametrize("kind", KINDS)
def test_training_passes_over_the_pipeline_and_validates_on_another(kind):
    made = model()
    validation = tf.data.Dataset.from_tensor_slices((X[:50], Y[:50])).batch(20)
    result = onecycle_cli.train(
        made, PIPELINES[kind](), max_lr=0.2, validation_data=validation, **arguments(kind)
    )
    expected = made.evaluate(X[:50], Y[:50], verbose=0)
    assert len(result.history) == 3
    assert result.history[-1].val_loss == pytest.approx(expected, rel=1e-5)
    assert result.history[-1].loss < result.history[0].loss


@pytest.mark.harness
def test_weight_decays_are_compared_on_the_same_batches():
    validation = PIPELINES["tf.data"]()
    found = onecycle_cli.find_wd(
        model(), Indexed(), max_lr=0.2, validation_data=validation, **QUICK
    )
    first = {trial.losses[0] for trial in found.trials if trial.replicate == 0}
    assert len(first) == 1


class Heard(onecycle_cli.Observer):
    def __init__(self):
        self.warnings, self.begun = [], []

    def warn(self, text):
        self.warnings.append(text)

    def begin(self, title, steps):
        self.begun.append(title)


@pytest.mark.harness
def test_a_pipeline_that_shuffles_is_said_to_be_another_each_time():
    shuffled, plain = Heard(), Heard()
    keras.utils.set_random_seed(1)
    data = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(120).batch(SIZE)
    onecycle_cli.find_lr(model(), data, observer=shuffled, **QUICK)
    onecycle_cli.find_lr(model(), Indexed(), observer=plain, **QUICK)
    assert any("gives other batches each time" in text for text in shuffled.warnings)
    assert not any("gives other batches each time" in text for text in plain.warnings)


def test_a_training_is_resumed_where_it_broke_off(tmp_path):
    settings = QUICK | {"max_lr": 0.2, "validation_data": Indexed(), "name": "mine"}
    whole = model()
    onecycle_cli.train(whole, Indexed(), **settings)

    class Stop(onecycle_cli.Observer):
        def note(self, text):
            if text.startswith("epoch 2"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        onecycle_cli.train(model(), Indexed(), out=tmp_path, observer=Stop(), **settings)
    again = model()
    (folder,) = (tmp_path / "mine/train").iterdir()
    onecycle_cli.train(again, Indexed(), out=tmp_path, resume=folder, **settings)
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("x", "more", "message"),
    [
        (generated(), {}, "can be gone through only once, .* give the function that makes"),
        (generated, {}, "does not know how many batches .* say so with steps_per_epoch"),
        (lambda: iter([]), {"steps_per_epoch": 3}, "must give batches, and gives none"),
        (lambda: iter([X]), {"steps_per_epoch": 3}, r"must give \(x, y\) or .*, got ndarray"),
        (Indexed(), {"y": Y}, "y can't be given where x is a pipeline"),
        (Indexed(), {"class_weight": {0: 2}}, "class_weight can't be given where x is a pipe"),
        (Indexed(), {"validation_data": (X, Y)}, "validation_data must be a pipeline too"),
    ],
)
def test_what_will_not_do_is_one_sentence(x, more, message):
    with pytest.raises(DataError, match=message):
        onecycle_cli.find_lr(model(), x, **QUICK | more)


class TestScores:
    """A pipeline is given the scores that arrays get, where the loss says what the task is."""

    @pytest.mark.samples(1)
    @pytest.mark.parametrize("weights", [None, np.linspace(0.5, 2.0, 50, dtype=np.float32)])
    @pytest.mark.parametrize(
        ("end", "loss", "y"),
        [
            ((1, "sigmoid"), "binary_crossentropy", Y),
            ((3, "softmax"), "sparse_categorical_crossentropy", LABELS),
            ((3, "softmax"), "categorical_crossentropy", np.eye(3)[LABELS]),
            ((2, None), "mse", X[:, :2]),
        ],
    )
    def test_are_those_of_the_same_examples_as_arrays(self, end, loss, y, weights):
        held_out = (X[:50], y[:50]) if weights is None else (X[:50], y[:50], weights)
        as_pipeline = tf.data.Dataset.from_tensor_slices(held_out).batch(20)
        found = {}
        for kind, x, targets, validation in (
            ("arrays", X, y, held_out),
            ("pipeline", tf.data.Dataset.from_tensor_slices((X, y)).batch(SIZE), None, as_pipeline),
        ):
            asked = given(
                model(*end, loss=loss),
                x,
                targets,
                None,
                validation_data=validation,
                batch_size=SIZE,
            )
            in_hand = asked.in_hand(to_be_trained=False)
            with workbench(asked.config, onecycle_cli.Observer(), None, in_hand) as bench:
                found[kind] = bench.examine("validation")
        assert found["pipeline"].losses == pytest.approx(found["arrays"].losses, rel=1e-5)
        assert found["pipeline"].accuracy == found["arrays"].accuracy
        assert found["pipeline"].single_scores == pytest.approx(found["arrays"].single_scores)

    def test_are_joined_by_the_metrics_that_the_model_was_compiled_with(self):
        top = keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2")
        made = model(
            3, "softmax", loss="sparse_categorical_crossentropy", metrics=[top, "accuracy"]
        )
        pipeline = tf.data.Dataset.from_tensor_slices((X, LABELS)).batch(SIZE)
        result = onecycle_cli.train(made, pipeline, max_lr=0.2, validation_data=pipeline, **QUICK)
        expected = made.evaluate(X, LABELS, verbose=0, return_dict=True)
        assert result.history[-1].val_accuracy == pytest.approx(expected["accuracy"])
        assert result.history[-1].scores == {"top2": pytest.approx(expected["top2"])}


class TestNothingToValidateOn:
    @pytest.mark.parametrize("kind", ["pipeline", "arrays"])
    def test_leaves_a_training_without_a_validation_score(self, kind, tmp_path):
        heard, trained = Heard(), model()
        x, y, more = (
            (Indexed(), None, {}) if kind == "pipeline" else (X, Y, {"validation_split": 0})
        )
        result = onecycle_cli.train(
            trained, x, y, max_lr=0.2, observer=heard, out=tmp_path, **QUICK | more
        )
        assert [epoch.val_loss for epoch in result.history] == [None] * 3
        assert result.history[-1].loss < result.history[0].loss
        assert result.best_epoch is None
        assert "validation" not in repr(result)
        assert any("so no epoch has a validation score" in text for text in heard.warnings)
        assert (result.folder / "model.keras").is_file()
        assert not (result.folder / "best.keras").exists()
        assert (result.folder / "plot.png").is_file()

    def test_is_refused_where_a_training_is_to_finish_early_by_it(self):
        settings = {"settings": {"train": {"early_finish": {"patience": 1}}}}
        with pytest.raises(ConfigError, match=r"early_finish looks at validation scores"):
            onecycle_cli.train(model(), Indexed(), max_lr=0.2, **QUICK | settings)

    def test_is_refused_before_the_first_trial_that_would_need_it(self):
        heard = Heard()
        with pytest.raises(DataError, match=r"trials of 24 steps .* let the trials take 8 steps"):
            onecycle_cli.find_wd(model(), Indexed(), max_lr=0.2, observer=heard, **QUICK)
        assert not heard.begun
