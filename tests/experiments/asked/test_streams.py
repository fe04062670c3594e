"""Pipelines in hand: tf.data, PyDataset, a function that makes a generator, a DataLoader's like."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import onecycle_cli
from onecycle_cli.errors import DataError

RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(120, 4)).astype(np.float32)
Y = (X @ [1.0, -2.0, 0.5, 0.0] > 0).astype(np.int32)
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


def model():
    keras.utils.set_random_seed(3)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    made.compile(keras.optimizers.SGD(0.05, momentum=0.9), "binary_crossentropy")
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
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


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


def test_a_training_needs_something_to_validate_on():
    with pytest.raises(DataError, match="nothing to validate on"):
        onecycle_cli.train(model(), Indexed(), max_lr=0.2, **QUICK)
