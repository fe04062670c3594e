import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from onecycle_cli import data
from onecycle_cli.config import load_config
from onecycle_cli.data import Dataset
from onecycle_cli.errors import ConfigError, ResultError, TrainingError
from onecycle_cli.experiments.train import train
from onecycle_cli.runs.mistakes import read_mistakes
from onecycle_cli.workbench.cost import peak_memory

FILES = {
    "config.yaml", "history.csv", "steps.csv", "manifest.json", "model.keras", "best.keras",
    "plot.png", "confusion.png", "report.html", "result.json", "split.npz",
    "mistakes.json",
}  # fmt: skip
UNFINISHED = FILES - {
    "plot.png", "confusion.png", "report.html", "result.json", "mistakes.json",
}  # fmt: skip
CYCLES = [{"epochs": 3}, {"epochs": 2, "max_lr": 0.02}]


@pytest.fixture(scope="module")
def two_cycles(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    return train(small(train={"cycles": CYCLES, "weight_decay": 1e-3}), out=out), out


def test_the_run_is_written_whole(two_cycles, tree):
    result, out = two_cycles
    assert tree(out) == {f"small/train/001/{name}" for name in FILES}
    assert result.folder == out / "small/train/001"


def test_each_cycle_follows_its_own_schedule(two_cycles, table, smith):
    steps = table(two_cycles[0].folder / "steps.csv")
    cycles = [smith(18, 0.1), smith(12, 0.02)]

    assert list(steps) == ["step", "lr", "momentum", "loss", "epoch", "cycle", "weight_decay"]
    assert set(steps["weight_decay"]) == {1e-3}
    assert steps["step"].tolist() == list(range(30))
    assert steps["cycle"].tolist() == [1] * 18 + [2] * 12
    assert steps["epoch"].tolist() == np.repeat([1, 2, 3, 4, 5], 6).tolist()
    for name, values in (("lr", 0), ("momentum", 1)):
        expected = np.concatenate([cycle[values] for cycle in cycles])
        np.testing.assert_allclose(steps[name], expected, rtol=1e-12)
    assert steps["lr"].max() == 0.1
    assert steps["lr"][18:].max() == 0.02


def test_gradient_norms_are_logged_and_change_nothing_else(two_cycles, small, tmp_path, table):
    settings = {"cycles": CYCLES, "weight_decay": 1e-3, "log_grad_norm": True}
    watched = train(small(train=settings), out=tmp_path)

    steps, plain = (table(r.folder / "steps.csv") for r in (watched, two_cycles[0]))
    assert list(steps) == [*plain, "grad_norm"]
    assert (steps["grad_norm"] > 0).all()
    assert len(set(steps["grad_norm"])) == len(steps["grad_norm"])
    for name, values in plain.items():
        assert values.tolist() == steps[name].tolist()
    assert watched.test_loss == two_cycles[0].test_loss

    import keras

    sizes = [
        len(keras.models.load_model(r.folder / "model.keras").optimizer.variables)
        for r in (watched, two_cycles[0])
    ]
    assert sizes[0] == sizes[1]


def test_an_epochs_loss_is_the_mean_of_its_steps(two_cycles, table):
    result, _ = two_cycles
    steps, history = (table(result.folder / f"{name}.csv") for name in ("steps", "history"))

    assert list(history) == ["epoch", "cycle", "loss", "val_loss", "val_accuracy"]
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert history["cycle"].tolist() == [1, 1, 1, 2, 2]
    means = [steps["loss"][steps["epoch"] == epoch].mean() for epoch in history["epoch"]]
    np.testing.assert_allclose(history["loss"], means, rtol=1e-12)
    assert [e.val_loss for e in result.history] == history["val_loss"].tolist()


def test_the_result_names_its_values_and_where_they_came_from(two_cycles):
    result, _ = two_cycles
    saved = json.loads((result.folder / "result.json").read_text())

    assert (saved["kind"], saved["label"]) == ("train", "small/train/001")
    assert saved["test_accuracy"] == result.test_accuracy
    assert saved["test_loss"] == result.test_loss
    accuracies = [epoch.val_accuracy for epoch in result.history]
    assert saved["val_accuracy_last"] == accuracies[-1]
    assert saved["val_accuracy_best"] == max(accuracies)
    assert saved["best_epoch"] == result.best_epoch == accuracies.index(max(accuracies)) + 1
    assert saved["max_lr"] == [0.1, 0.02]
    assert saved["weight_decay"] == 1e-3
    assert saved["sources"] == {
        "max_lr": ["file", "train.cycles.1.max_lr, file"],
        "momentum": "default",
        "weight_decay": "file",
    }
    assert saved["cost"]["training_runs"] == 1


def test_the_result_says_how_each_class_does(two_cycles, small):
    import keras

    result, _ = two_cycles
    saved = json.loads((result.folder / "result.json").read_text())
    dataset = data.load(load_config(small()).dataset, seed=0)
    x, y = dataset.test()
    model = keras.models.load_model(result.folder / "model.keras")
    answers = model.predict(dataset.normalise(x), verbose=0).argmax(1)
    expected = [
        [int(((y == true) & (answers == answer)).sum()) for answer in range(10)]
        for true in range(10)
    ]

    assert saved["confusion"] == expected
    assert [entry["class"] for entry in saved["per_class"]] == list("0123456789")
    assert [entry["examples"] for entry in saved["per_class"]] == np.bincount(y).tolist()
    for true, entry in enumerate(saved["per_class"]):
        assert entry["accuracy"] == (answers[y == true] == true).mean()
    assert (result.folder / "confusion.png").read_bytes().startswith(b"\x89PNG")
    mistakes = read_mistakes(result.folder)
    assert [(y[m.example], answers[m.example]) for m in mistakes] == [
        (m.true, m.answer) for m in mistakes
    ]
    assert len(mistakes) > 1 and all(m.true != m.answer for m in mistakes)
    for mistake in mistakes:
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(mistake.image))))
        np.testing.assert_array_equal(shown, np.rint(x[mistake.example, ..., 0] * (255 / 16)))


def test_the_result_says_how_inputs_are_to_be_prepared(two_cycles, small):
    saved = json.loads((two_cycles[0].folder / "result.json").read_text())["inputs"]
    dataset = data.load(load_config(small()).dataset, seed=0)

    assert (saved["shape"], saved["dtype"]) == ([8, 8, 1], "uint8")
    x = dataset.x[dataset.train]
    prepared = (x / 255 - np.array(saved["mean"])) / np.array(saved["std"])
    np.testing.assert_allclose(dataset.normalise(x), prepared, rtol=1e-4, atol=1e-5)


@pytest.mark.harness
def test_peak_memory_grows_with_what_is_held(two_cycles):
    result, _ = two_cycles
    saved = json.loads((result.folder / "result.json").read_text())
    assert saved["cost"]["peak_memory_bytes"] == result.peak_memory
    before = peak_memory()
    held = np.ones(before // 8 + 2**24)  # more than the peak so far
    assert peak_memory() > max(before, held.nbytes)


def test_events_are_those_of_the_tables(small, tmp_path, table):
    """Also by the older name of `log_to: [tensorboard]`, which changes nothing else."""
    import tensorflow as tf

    result = train(small(train={"tensorboard": True}), out=tmp_path)

    path = result.folder / "tensorboard/events.out.tfevents.onecycle"
    shown = {}
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        for value in event.summary.value:
            shown.setdefault(value.tag, []).append(value.simple_value)
    steps, history = (table(result.folder / f"{name}.csv") for name in ("steps", "history"))
    for prefix, columns, names in (
        ("step", steps, ("loss", "lr", "momentum", "weight_decay")),
        ("epoch", history, ("loss", "val_loss", "val_accuracy")),
    ):
        for name in names:
            expected = columns[name].astype(np.float32).tolist()
            assert shown.pop(f"{prefix}/{name}") == expected
    assert shown.pop("test/accuracy") == [np.float32(result.test_accuracy)]
    assert shown.pop("test/loss") == [np.float32(result.test_loss)]
    assert {*shown} == {f"_hparams_/session_{name}_info" for name in ("start", "end")}


def test_training_learns(two_cycles):
    assert two_cycles[0].test_accuracy > 0.8
    assert two_cycles[0].history[-1].val_loss < two_cycles[0].history[0].val_loss


def test_the_tables_know_no_clock(two_cycles, small, tmp_path):
    """Neither do they when the run is repeated from its own config."""
    again = train(two_cycles[0].folder / "config.yaml", out=tmp_path)
    for name in ("steps.csv", "history.csv"):
        assert (again.folder / name).read_bytes() == (two_cycles[0].folder / name).read_bytes()
    assert again.test_loss == two_cycles[0].test_loss

    saved = yaml.safe_load((again.folder / "config.yaml").read_text())
    assert saved == yaml.safe_load((two_cycles[0].folder / "config.yaml").read_text())
    assert "auto" not in json.dumps(saved | {"search": None})  # where, not what
    assert saved["train"]["cycles"] == [{"epochs": 3, "max_lr": None}, CYCLES[1]]


PLAIN_KERAS = """
import sys
sys.modules["onecycle_cli"] = sys.modules["onecycle_models"] = None
import keras, numpy as np
for name in ("model", "best", "bfloat16", "float16"):
    part = "validation" if name == "best" else "test"
    model = keras.models.load_model(f"{name}.keras")
    arrays = np.load(f"{part}.npz")
    outputs = model.predict(arrays["x"], verbose=0)
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    module = type(optimizer).__module__.split(".")[0]
    accuracy = float((outputs.argmax(1) == arrays["y"]).mean())
    count = len(model.optimizer.variables)
    print(name, accuracy, module, int(model.optimizer.iterations), count)
"""


@pytest.mark.harness
def test_models_load_where_this_package_is_not_installed(two_cycles, small, tmp_path):
    result, _ = two_cycles
    halves = {
        name: train(small(precision=f"mixed_{name}"), out=tmp_path / "runs")
        for name in ("bfloat16", "float16")
    }
    for name, source in {"model": result, "best": result, **halves}.items():
        file = source.folder / ("best.keras" if name == "best" else "model.keras")
        (tmp_path / f"{name}.keras").write_bytes(file.read_bytes())
    dataset = data.load(load_config(small()).dataset, seed=0)
    test = dataset.test()
    np.savez(tmp_path / "test.npz", x=dataset.normalise(test[0]), y=test[1])
    rows = dataset.validation
    np.savez(tmp_path / "validation.npz", x=dataset.normalise(dataset.x[rows]), y=dataset.y[rows])

    found = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", PLAIN_KERAS],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert found.returncode == 0, found.stderr
    best = result.history[result.best_epoch - 1]
    assert [line.split() for line in found.stdout.splitlines()] == [
        ["model", str(result.test_accuracy), "keras", "30", "6"],
        ["best", str(best.val_accuracy), "keras", str(6 * result.best_epoch), "6"],
        ["bfloat16", str(halves["bfloat16"].test_accuracy), "keras", "12", "6"],
        ["float16", str(halves["float16"].test_accuracy), "keras", "12", "10"],
    ]


def test_the_test_set_is_read_once_when_all_is_done(small, monkeypatch, listener):
    reads, read = [], Dataset.test

    def spy(dataset):
        reads.append(listener.steps)
        return read(dataset)

    monkeypatch.setattr(Dataset, "test", spy)
    train(small(), out=None, observer=listener)

    assert reads == [12]


def test_where_each_value_came_from_is_said_before_it_is_used(small, listener):
    train(small(train={"cycles": [{"epochs": 1}]}), out=None, observer=listener)

    assert listener.notes[2:6] == [
        "max_lr 0.1 (file)",
        "momentum 0.95 to 0.85 (default)",
        "l2 weight decay 0 (optimizer.weight_decay, default)",
        "1 cycle, 6 steps of batch size 64 over 360 examples",
    ]
    assert listener.notes[6].startswith("epoch 1: loss ")
    assert listener.stretches == [("cycle 1", 6)]
    assert len(listener.warnings) == 1


def test_without_a_folder_nothing_is_written(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train(small(), out=None).folder is None
    assert list(tmp_path.iterdir()) == []


# --- against a loop written by hand -------------------------------------------------------------


def reference(config, lrs, momenta, *, l2=0.0, decoupled=0.0, nesterov=False, reset_at=None):
    """Train y = x W + b from W = 1, b = 0 in double precision; return the losses, W and b."""
    config = load_config(config)
    dataset = data.load(config.dataset, seed=config.seed)
    per_epoch = data.steps_per_epoch(dataset, config.batch_size)
    weights = [np.ones((4, 2)), np.zeros(2)]
    velocities, losses = [0.0, 0.0], []
    for i, (lr, momentum) in enumerate(zip(lrs, momenta, strict=True)):
        x, y = data.batch(
            dataset, seed=config.seed, epoch=i // per_epoch, step=i % per_epoch,
            batch_size=config.batch_size,
        )  # fmt: skip
        errors = x.astype(float) @ weights[0] + weights[1] - y
        losses.append(np.mean(errors**2))
        gradients = [2 * x.T.astype(float) @ errors / errors.size, 2 * errors.sum(0) / errors.size]
        if i == reset_at:
            velocities = [0.0, 0.0]
        weights[0] = weights[0] * (1 - lr * decoupled)
        gradients[0] = gradients[0] + 2 * l2 * weights[0]
        velocities = [momentum * v - lr * g for v, g in zip(velocities, gradients, strict=True)]
        moves = velocities
        if nesterov:
            moves = [momentum * v - lr * g for v, g in zip(velocities, gradients, strict=True)]
        weights = [w + move for w, move in zip(weights, moves, strict=True)]
    return np.array(losses), weights


def trained_weights(folder):
    import keras

    return keras.models.load_model(folder / "model.keras").get_weights()


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("optimizer", "decay"),
    [
        ({"decay": "l2", "nesterov": False}, {"l2": 0.05}),
        ({"decay": "decoupled", "nesterov": True}, {"decoupled": 0.3}),
    ],
)
def test_two_cycles_are_what_anybody_would_compute(
    small, arrays, linear, smith, table, tmp_path, optimizer, decay
):
    """Weights and velocities carry over; decay acts on the kernel; losses are free of it."""
    config = small(
        batch_size=16,
        dataset=arrays,
        model=linear,
        optimizer=optimizer,
        train={
            "cycles": [{"epochs": 4}, {"epochs": 3, "max_lr": 0.02}],
            "weight_decay": sum(decay.values()),
        },
    )
    config["model"] = linear
    cycles = [smith(12, 0.1), smith(9, 0.02)]
    lrs, momenta = (np.concatenate([cycle[i] for cycle in cycles]) for i in (0, 1))
    nesterov = optimizer["nesterov"]

    result = train(config, out=tmp_path / "runs")

    losses, weights = reference(config, lrs, momenta, nesterov=nesterov, **decay)
    steps = table(result.folder / "steps.csv")
    np.testing.assert_allclose(steps["loss"], losses, rtol=1e-4)
    for ours, theirs in zip(trained_weights(result.folder), weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    for other in ({}, {**decay, "reset_at": 12}):
        _, different = reference(config, lrs, momenta, nesterov=nesterov, **other)
        assert np.abs(different[0] - weights[0]).max() > 1e-3


def test_regression_from_arrays(small, arrays, linear, tmp_path, table):
    config = small(batch_size=16, dataset=arrays) | {"model": linear}
    result = train(config, out=tmp_path / "runs")

    assert result.test_accuracy is None
    dataset = data.load(load_config(config).dataset, seed=0)
    x, y = dataset.test()
    kernel, bias = trained_weights(result.folder)
    assert result.test_loss == pytest.approx(
        np.mean((dataset.normalise(x) @ kernel + bias - y) ** 2), rel=1e-5
    )
    losses = [epoch.val_loss for epoch in result.history]
    assert result.best_epoch == losses.index(min(losses)) + 1
    assert set(table(result.folder / "history.csv")["val_accuracy"]) == {""}
    assert (result.folder / "plot.png").exists()


def test_one_target_in_a_flat_array(small, user_model, tmp_path):
    """A loss that broadcasts (n,) against (n, 1) would compare every example with every other."""
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 3)).astype(np.float32)
    np.savez(tmp_path / "flat.npz", x_train=x, y_train=x @ np.float32([1, -2, 3]))
    model = user_model(
        """
        x = keras.Input(input_shape)
        return keras.Model(x, keras.layers.Dense(num_outputs)(x))
        """
    )
    config = small(
        batch_size=8,
        dataset={"name": "arrays", "path": str(tmp_path / "flat.npz"), "limit": None},
        train={"cycles": [{"epochs": 12}], "max_lr": 0.03},
    )
    result = train(config | {"model": model}, out=None)

    assert result.test_loss < 0.01


# --- what goes wrong ----------------------------------------------------------------------------


NAN = """
x = keras.Input(input_shape)
y = keras.layers.Rescaling(float("nan"))(keras.layers.Flatten()(x))
return keras.Model(x, keras.layers.Dense(num_outputs, activation="softmax")(y))
"""


def test_a_loss_that_is_nan_from_the_start(small, user_model, tmp_path, table, results_in):
    config = small() | {"model": user_model(NAN)}
    with pytest.raises(TrainingError, match=r"not finite at the first step.*inputs for NaN"):
        train(config, out=tmp_path / "runs")

    folder = tmp_path / "runs/small/train/001"
    assert results_in(folder) == {
        "config.yaml", "history.csv", "steps.csv", "manifest.json", "model.keras", "split.npz",
    }  # fmt: skip
    assert json.loads((folder / "manifest.json").read_text())["status"] == "failed"
    assert np.isnan(table(folder / "steps.csv")["loss"]).tolist() == [True]


def test_a_loss_that_explodes_keeps_every_step(small, arrays, linear, tmp_path, table):
    config = small(batch_size=8, dataset=arrays, train={"max_lr": 1e12}) | {"model": linear}
    with pytest.raises(
        TrainingError, match=r"at step \d+ of cycle 1, at the learning rate .*find-lr"
    ):
        train(config, out=tmp_path / "runs")

    steps = table(tmp_path / "runs/small/train/001/steps.csv")
    assert np.isfinite(steps["loss"][:-1]).all()
    assert not np.isfinite(steps["loss"][-1])


def test_the_last_step_of_an_epoch_may_be_the_one_that_explodes(
    small, arrays, user_model, tmp_path, table
):
    """Step 5 of 5, and so the end of an epoch that has no end."""
    model = user_model(
        """
        class Fuse(keras.layers.Layer):
            def build(self, shape):
                self.left = self.add_weight(shape=(), initializer="ones", trainable=False)
            def call(self, x, training=False):
                if training:
                    self.left.assign_sub(0.25)
                return x * keras.ops.sqrt(self.left)
        x = keras.Input(input_shape)
        return keras.Model(x, Fuse()(keras.layers.Dense(num_outputs)(x)))
        """
    )
    config = small(batch_size=8, dataset=arrays) | {"model": model}
    with pytest.raises(TrainingError, match="at step 5 of cycle 1"):
        train(config, out=tmp_path / "runs")

    folder = tmp_path / "runs/small/train/001"
    assert table(folder / "steps.csv")["step"].tolist() == [0, 1, 2, 3, 4]
    assert (folder / "history.csv").read_text() == "epoch,cycle,loss,val_loss,val_accuracy\n"


def test_an_interrupt_keeps_every_step_that_was_taken(small, tmp_path, listener, table, results_in):
    def interrupt(step):
        if step == 6 + 4:
            raise KeyboardInterrupt

    listener.each_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        train(small(), out=tmp_path, observer=listener)

    folder = tmp_path / "small/train/001"
    assert results_in(tmp_path) == {f"small/train/001/{name}" for name in UNFINISHED}
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"
    assert table(folder / "steps.csv")["epoch"].tolist() == [1] * 6 + [2] * 4
    assert table(folder / "history.csv")["epoch"].tolist() == [1]
    import keras

    iterations = [
        int(keras.models.load_model(folder / f"{name}.keras").optimizer.iterations)
        for name in ("best", "model")
    ]
    assert iterations == [6, 10]


def test_a_test_set_that_cannot_be_read_does_not_cost_the_model(
    small, tmp_path, monkeypatch, results_in
):
    def damaged(dataset):
        raise ResultError("damaged.")

    monkeypatch.setattr(Dataset, "test", damaged)
    with pytest.raises(ResultError):
        train(small(), out=tmp_path)

    folder = tmp_path / "small/train/001"
    assert results_in(folder) == UNFINISHED
    assert json.loads((folder / "manifest.json").read_text())["status"] == "failed"


@pytest.mark.parametrize("broken", ["steps.csv", "history.csv"])
def test_a_full_disk_is_said_and_what_was_written_stays_whole(
    small, tmp_path, monkeypatch, results_in, broken
):
    """The disk takes the rows of the first epoch, and no others."""
    opened = Path.open

    def no_space(path, mode="r", *args, **more):
        if path.name == broken and mode == "rb+":
            raise OSError(28, "No space left on device")
        return opened(path, mode, *args, **more)

    monkeypatch.setattr(Path, "open", no_space)
    with pytest.raises(ResultError, match="cannot be written: No space left on device"):
        train(small(), out=tmp_path)

    names = {name.rpartition("/")[2] for name in results_in(tmp_path)}
    assert names <= FILES
    assert not any(name.startswith(".") for name in names)
    (folder,) = (tmp_path / "small/train").iterdir()
    rows = {"steps.csv": 6, "history.csv": 1}[broken]
    assert len((folder / broken).read_text().splitlines()) == 1 + rows


def test_a_model_is_written_whole_or_not_at_all(small, tmp_path, monkeypatch, tree):
    import keras

    def no_space(model, path):
        path.write_bytes(b"half of a mo")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", no_space)
    with pytest.raises(ResultError, match=r"\.keras: cannot be written: No space left"):
        train(small(), out=tmp_path)

    assert not any("keras" in name for name in tree(tmp_path))


def test_an_unknown_learning_rate_is_a_bad_config(small, tmp_path):
    with pytest.raises(ConfigError, match="'onecycle find-lr CONFIG'") as error:
        train(small(train={"max_lr": "auto"}), out=tmp_path / "runs")

    assert error.value.exit_code == 2
    assert not (tmp_path / "runs").exists()


@pytest.mark.harness
def test_the_average_of_the_weights_is_what_is_judged_and_saved(small, tmp_path, table):
    import keras

    plain = train(small(train={"cycles": CYCLES}), out=tmp_path / "plain")
    averaged = train(small(train={"cycles": CYCLES, "ema": 0.9}), out=tmp_path / "averaged")
    losses = [table(r.folder / "steps.csv")["loss"] for r in (plain, averaged)]
    np.testing.assert_array_equal(*losses)  # training goes on from the weights as they are
    assert plain.history[-1].val_loss != averaged.history[-1].val_loss

    dataset = data.load(load_config(small()).dataset, seed=0)
    x, y = dataset.test()
    for result in (plain, averaged):
        model = keras.saving.load_model(result.folder / "model.keras")
        outputs = np.asarray(model(dataset.normalise(x)))
        loss = -np.log(outputs[np.arange(len(y)), y]).mean()
        assert result.test_loss == pytest.approx(loss, rel=1e-4)


def test_a_network_trained_on_smoothed_labels_loads_in_plain_keras(small, tmp_path):
    import keras

    result = train(small(train={"label_smoothing": 0.2, "ema": 0.9}), out=tmp_path)
    model = keras.saving.load_model(result.folder / "model.keras", custom_objects={})
    assert type(model.loss) is keras.losses.CategoricalCrossentropy
    assert model.loss.label_smoothing == 0.2
