"""What each script of keras-one-cycle does with the callbacks, in the spelling of Keras 3.

The calls, names and places of the arguments are theirs; data, network and ranges are small.
"""

import keras
import matplotlib
import numpy as np
import pytest

from onecycle_cli import LRFinder, OneCycleLR

BATCH_SIZE, CLASSES = 8, 3


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    (tmp_path / "weights").mkdir()
    return Scene()


class Scene:
    """The part that the scripts have in common."""

    def __init__(self):
        random = np.random.default_rng(5)
        self.x_train = random.normal(size=(206, 6)).astype("float32")
        self.x_test = random.normal(size=(40, 6)).astype("float32")
        slopes = random.normal(size=(6, CLASSES))
        self.y_train, self.y_test = (
            keras.utils.to_categorical((x @ slopes).argmax(axis=1), CLASSES)
            for x in (self.x_train, self.x_test)
        )
        self.num_samples = self.x_train.shape[0]

    def model(self, momentum, weight_decay=1e-4):
        model = keras.Sequential(
            [
                keras.Input((6,)),
                keras.layers.Dense(
                    CLASSES,
                    activation="softmax",
                    kernel_regularizer=keras.regularizers.L2(weight_decay),
                ),
            ]
        )
        optimizer = keras.optimizers.SGD(learning_rate=0.1, momentum=momentum, nesterov=True)
        model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
        return model

    def batches(self):
        """Yield batches without end, as an augmenting generator does, and none that is short."""
        random = np.random.default_rng(1)
        while True:
            rows = random.permutation(self.num_samples)[:BATCH_SIZE]
            yield self.x_train[rows], self.y_train[rows]

    def fit(self, model, callbacks, epochs=1, *, generated=True):
        if generated:
            arguments = {
                "x": self.batches(),
                "steps_per_epoch": self.num_samples // BATCH_SIZE,
                "shuffle": False,
            }
        else:
            arguments = {"x": self.x_train, "y": self.y_train, "batch_size": BATCH_SIZE}
        return model.fit(
            **arguments,
            epochs=epochs,
            validation_data=(self.x_test, self.y_test),
            verbose=1,
            callbacks=callbacks,
        )

    def scores(self, model):
        return model.evaluate(self.x_test, self.y_test, batch_size=BATCH_SIZE, verbose=0)


def checkpoint(path):
    return keras.callbacks.ModelCheckpoint(
        path, monitor="val_accuracy", save_best_only=True, save_weights_only=True, mode="max"
    )


# small/find_lr_schedule.py tests on validation data, mobilenet/find_lr_schedule.py does not
@pytest.mark.filterwarnings("ignore:ModelCheckpoint is left out while the range test runs")
@pytest.mark.parametrize(
    ("on_validation_data", "generated"), [(True, True), (False, True), (False, False)]
)
@pytest.mark.harness
def test_find_lr_schedule(scene, capsys, on_validation_data, generated):
    more = {"validation_data": (scene.x_test, scene.y_test)} if on_validation_data else {}
    lr_finder = LRFinder(
        scene.num_samples,
        BATCH_SIZE,
        minimum_lr=1e-3,
        maximum_lr=10.0,
        lr_scale="exp",
        **more,
        validation_sample_rate=5,
        save_dir="weights/",
        verbose=True,
    )
    LRFinder.plot_schedule_from_file("weights/", clip_beginning=10, clip_endding=5)
    assert "weights: is empty" in capsys.readouterr().out
    model = scene.model(momentum=0.9)
    before = model.get_weights()
    scene.fit(model, [lr_finder, checkpoint("weights/schedule.weights.h5")], generated=generated)
    assert lr_finder.plot_schedule(clip_beginning=10, clip_endding=5).axes
    assert len(scene.scores(model)) == 2
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)

    assert lr_finder.lrs[0] == 1e-3
    figure = LRFinder.plot_schedule_from_file("weights/", clip_beginning=10, clip_endding=5)
    assert figure.axes


# small/ and mobilenet/find_momentum_schedule.py and find_weight_decay_schedule.py; versions differ
# in the name of the method
@pytest.mark.parametrize(
    ("name", "restore"),
    [
        ("momentum", "restore_schedule_from_dir"),
        ("weight_decay", "restore_schedule_from_file"),
    ],
)
@pytest.mark.harness
def test_find_momentum_and_weight_decay_schedules(scene, name, restore):
    from matplotlib import pyplot as plt

    values = {"momentum": [0.9, 0.99], "weight_decay": [1e-3, 1e-7]}[name]
    finders = []
    for value in values:
        keras.utils.clear_session()
        lr_finder = LRFinder(
            scene.num_samples,
            BATCH_SIZE,
            minimum_lr=0.002,
            maximum_lr=0.02,
            validation_data=(scene.x_test, scene.y_test),
            validation_sample_rate=5,
            lr_scale="linear",
            save_dir=f"weights/{name}/{name}-{value}/",
            verbose=True,
        )
        scene.fit(scene.model(**{"momentum": 0.9} | {name: value}), [lr_finder])
        finders.append(lr_finder)

    for value, lr_finder in zip(values, finders, strict=True):
        directory = f"weights/{name}/{name}-{value}/"
        losses, lrs = getattr(LRFinder, restore)(directory, 10, 5)
        (line,) = plt.plot(lrs, losses, label=f"{name}={value:0.2f}")
        np.testing.assert_allclose(line.get_xdata(), np.linspace(0.002, 0.02, 25)[10:-5])
        assert line.get_ydata().tolist() == lr_finder.losses[10:-5]
    plt.close("all")


# mobilenet/ and small/train_cifar_10.py, with and without the counts of their first version
@pytest.mark.parametrize(
    ("counted", "arguments", "low"),
    [
        (False, {"max_lr": 0.02, "maximum_momentum": 0.9}, 0.85),
        (
            True,
            {
                "max_lr": 0.025,
                "end_percentage": 0.2,
                "scale_percentage": 0.1,
                "maximum_momentum": 0.95,
            },
            0.85,
        ),
    ],
)
@pytest.mark.harness
def test_train(scene, capsys, counted, arguments, low):
    epochs = 3
    counts = (scene.num_samples, epochs, BATCH_SIZE) if counted else ()
    lr_manager = OneCycleLR(*counts, **arguments, verbose=True)
    model = scene.model(momentum=0.9)
    model.save_weights("weights/network.weights.h5")
    model.load_weights("weights/network.weights.h5")
    before = scene.scores(model)[0]
    path = checkpoint("weights/network.weights.h5")
    scene.fit(model, [lr_manager, path], epochs, generated=not counted)
    assert scene.scores(model)[0] < before

    rates, momenta = lr_manager.history["lr"], lr_manager.history["momentum"]
    assert len(rates) == epochs * (26 if counted else 25)
    assert max(rates) == pytest.approx(arguments["max_lr"])
    assert rates[0] == pytest.approx(arguments["max_lr"] / 10)
    assert (max(momenta), min(momenta)) == (arguments["maximum_momentum"], pytest.approx(low))
    assert capsys.readouterr().out.count(" - lr: ") == epochs


def test_plot_clr(scene, capsys):
    x, y = np.random.rand(200, 10), np.random.randint(0, 2, size=200)
    inputs = keras.Input(shape=(10,))
    outputs = keras.layers.Dense(1, activation="sigmoid")(inputs)
    model = keras.Model(inputs, outputs)
    clr_triangular = OneCycleLR(200, 10, 50, 0.1, end_percentage=0.2, scale_percentage=0.2)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"]
    )
    model.fit(x, y, batch_size=50, epochs=10, callbacks=[clr_triangular], verbose=0)
    assert capsys.readouterr().out == ""
    rates, momenta = clr_triangular.history["lr"], clr_triangular.history["momentum"]
    assert (len(rates), max(rates)) == (40, pytest.approx(0.1))
    assert (max(momenta), min(momenta)) == (0.95, pytest.approx(0.85))
