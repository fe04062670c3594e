"""Saved models on data, their own and other."""

import json
import shutil
import zipfile

import numpy as np
import polars as pl
import pytest
from PIL import Image

from onecycle_cli import data
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, DataError, ModelError, ResultError
from onecycle_cli.experiments.evaluation.evaluate import evaluate
from onecycle_cli.experiments.train import train

NO_TEST = "the test set has now been looked at again"


@pytest.fixture(scope="module")
def trained(small, tmp_path_factory):
    return train(small(), out=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the run, to be damaged."""
    return shutil.copytree(trained.folder, tmp_path / "run")


@pytest.fixture
def digits(tmp_path):
    """Write so many digits to an .npz file, as test examples; return a configuration of them."""

    def write(rows, *, classes=10, change=lambda x: x, targets=lambda y: y):
        dataset = data.load(load_config(plain()).dataset, seed=0)
        labels = np.arange(classes, dtype=np.int32)
        np.savez(
            tmp_path / "other.npz",
            x_train=change(np.repeat(dataset.x[:classes], 3, axis=0)),
            y_train=targets(np.repeat(labels, 3)),
            x_test=change(dataset.x[rows]),
            y_test=targets(dataset.y[rows] % classes),
        )
        return plain() | {"dataset": {"name": "arrays", "path": str(tmp_path / "other.npz")}}

    return write


def plain():
    return {"name": "other", "dataset": {"name": "digits"}, "model": {"name": "mlp"}}


def test_the_last_model_on_the_test_set_is_what_train_reported(trained, listener):
    found = evaluate(trained.folder, observer=listener)

    assert found.examined.accuracy == trained.test_accuracy
    assert found.examined.loss == trained.test_loss
    saved = json.loads((trained.folder / "result.json").read_text())
    assert found.as_dict()["confusion"] == saved["confusion"]
    assert found.as_dict()["per_class"] == saved["per_class"]
    assert [text for text in listener.notes if text.startswith(NO_TEST)]
    assert listener.warnings == []


def test_the_best_model_on_the_validation_part(trained, listener):
    found = evaluate(trained.folder, best=True, part="validation", observer=listener)

    assert found.model == trained.folder / "best.keras"
    assert found.examined.loss == trained.history[trained.best_epoch - 1].val_loss
    assert listener.warnings == []


def test_other_data_are_prepared_as_the_training_data_were(trained, digits, listener):
    rows = np.arange(600, 700)
    found = evaluate(trained.folder, config=digits(rows), observer=listener)

    import keras

    own_config = load_config(trained.folder / "config.yaml")
    own = data.load(own_config.dataset, seed=own_config.seed)
    model = keras.models.load_model(trained.folder / "model.keras")
    outputs = model.predict(own.normalise(own.x[rows]), verbose=0)
    assert found.examined.accuracy == (outputs.argmax(1) == own.y[rows]).mean()
    assert found.examined.loss == pytest.approx(
        -np.log(outputs[np.arange(100), own.y[rows]]).mean(), rel=1e-5
    )
    used = np.concatenate([own.x[own.train], own.x[own.validation]])
    copies = sum(any((row == other).all() for other in used) for row in own.x[rows])
    assert found.seen == copies > 0
    assert [w.split(" are exact copies")[0] for w in listener.warnings] == [
        f"{copies} of the 100 examples"
    ]


def test_other_images_come_to_the_size_of_the_training_images(small, tmp_path, listener):
    """In the way that those came to it, though a config of other data says nothing of it."""

    def section(name, **more):
        random, folder = np.random.default_rng(len(name)), tmp_path / name
        for label, value in (("dark", 60), ("light", 190)):
            (folder / label).mkdir(parents=True)
            for i in range(20):
                height, width = random.integers(9, 30, 2)
                noise = random.normal(value, 40, (height, width))
                Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).save(
                    folder / label / f"{i}.png"
                )
        return {"name": "image_folder", "path": str(folder), "limit": None} | more

    own = section("own", size=[8, 8], fit="crop")
    result = train(small(batch_size=8, dataset=own), out=tmp_path / "runs", observer=listener)
    assert listener.images == [(16, 40), (32, 40), (40, 40)]
    other = section("other")
    found = evaluate(result.folder, config=small(dataset=other), observer=listener)
    assert listener.images[3:] == listener.images[:3]

    cropped = data.load(
        load_config(small(dataset=other | {"size": [8, 8], "fit": "crop"})).dataset, seed=0
    )
    np.testing.assert_array_equal(found.dataset.x, cropped.x)
    assert found.examined.accuracy > 0.8


def test_the_training_data_need_not_be_there_any_more(run, digits, tmp_path):
    config = (run / "config.yaml").read_text()
    gone = config.replace("name: digits\n  options: {}\n  path: null", "name: mnist\n  path: /gone")
    (run / "config.yaml").write_text(gone)
    assert gone != config

    assert len(evaluate(run, config=digits(np.arange(50))).examined.losses) == 50
    with pytest.raises(ConfigError, match="there is nothing at this path: /gone"):
        evaluate(run)


def test_a_run_that_broke_off_has_a_model_too(run, digits, trained):
    (run / "result.json").unlink()
    rows = np.arange(40)
    assert evaluate(run).examined.loss == trained.test_loss
    complete, broken_off = (evaluate(f, config=digits(rows)) for f in (trained.folder, run))
    assert complete.examined.losses.tolist() == broken_off.examined.losses.tolist()


def test_a_run_that_broke_off_had_its_inputs_as_they_were(small, digits, tmp_path):
    result = train(small(dataset={"normalise": False}), out=tmp_path / "runs")
    others = {"its own": None, "other data": digits(np.arange(40))}
    complete = {name: evaluate(result.folder, config=other) for name, other in others.items()}
    assert complete["its own"].examined.loss == result.test_loss

    (result.folder / "result.json").unlink()
    for name, other in others.items():
        broken_off = evaluate(result.folder, config=other).examined.losses
        assert broken_off.tolist() == complete[name].examined.losses.tolist(), name


@pytest.mark.parametrize("changed", [{"seed": 5}, {"dataset": {"name": "digits", "limit": 300}}])
@pytest.mark.parametrize("part", ["test", "validation"])
def test_another_draw_of_the_same_data_changes_nothing(trained, listener, changed, part):
    same = plain() | {"dataset": {"name": "digits", "limit": 400}}
    expected = evaluate(trained.folder, part=part).examined.losses
    found = evaluate(trained.folder, config=same | changed, part=part, observer=listener)
    assert found.examined.losses.tolist() == expected.tolist()
    told = [text for text in listener.notes if text.startswith(NO_TEST)]
    assert len(told) == (part == "test")
    assert listener.warnings == []


@pytest.mark.parametrize(
    ("changed", "part", "warns"),
    [
        ({"seed": 5}, "test", "split in another way"),
        ({"dataset": {"name": "digits", "limit": 300}}, "validation", "split in another way"),
    ],
)
def test_examples_that_may_have_been_seen_before(run, listener, changed, part, warns):
    """Where the run does not know its examples, as one of an older version."""
    (run / "split.npz").unlink()
    same = plain() | {"dataset": {"name": "digits", "limit": 400}}
    evaluate(run, config=same | changed, part=part, observer=listener)
    assert [warns in w for w in listener.warnings] == [True]


def test_the_test_set_of_an_older_version_s_run_is_looked_at_again_too(run, listener):
    (run / "split.npz").unlink()
    same = plain() | {"dataset": {"name": "digits", "limit": 400}}
    evaluate(run, config=same, observer=listener)
    assert listener.warnings == []
    assert [text for text in listener.notes if text.startswith(NO_TEST)]


def test_regression(small, arrays, linear, tmp_path):
    config = small(batch_size=16, dataset=arrays) | {"model": linear}
    result = train(config, out=tmp_path / "runs")

    found = evaluate(tmp_path / "runs")

    assert found.examined.loss == result.test_loss
    assert found.as_dict()["accuracy"] is None
    assert "confusion" not in found.as_dict()


def test_standardised_targets_are_scored_in_their_own_units(small, arrays, linear, tmp_path):
    """Against what Keras itself predicts with the model that was saved, from the result's file."""
    import keras

    with np.load(arrays["path"]) as file:
        given = dict(file)
    given |= {name: y * [3e4, 7] + 2e5 for name, y in given.items() if name.startswith("y_")}
    np.savez(arrays["path"], **{name: values.astype(np.float32) for name, values in given.items()})
    config = small(batch_size=16, dataset=arrays | {"standardise_targets": True})
    result = train(config | {"model": linear}, out=tmp_path / "runs")

    saved = json.loads((result.folder / "result.json").read_text())
    x = (given["x_test"] - saved["inputs"]["mean"]) / saved["inputs"]["std"]
    answers = keras.models.load_model(result.folder / "model.keras").predict(x, verbose=0)
    mean, std = (np.array(saved["targets"][key]) for key in ("mean", "std"))
    np.testing.assert_allclose(mean, given["y_train"].mean(axis=0), rtol=1e-5)
    distance = np.abs(answers * std + mean - given["y_test"]).mean(axis=0)
    squares = np.square(answers - (given["y_test"] - mean) / std).mean()
    assert distance[0] > 1000
    for found in (saved["test_scores"], evaluate(result.folder).examined.scores):
        np.testing.assert_allclose(found["mae_per_target"], distance, rtol=1e-3)
    assert result.test_loss == pytest.approx(squares, rel=1e-3)

    others = tmp_path / "others.npz"  # other numbers are measured by the scale of the training
    np.savez(others, **{name: values[:30] for name, values in given.items()})
    other = {"dataset": arrays | {"path": str(others), "standardise_targets": False}}
    found = evaluate(result.folder, config=config | other | {"model": linear})
    assert found.examined.scores["mae_per_target"] == saved["test_scores"]["mae_per_target"]
    (result.folder / "result.json").unlink()  # as a run that broke off
    assert evaluate(result.folder).examined.loss == result.test_loss


@pytest.mark.samples(1)
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_models_of_lower_precision(small, tmp_path, precision):
    result = train(small(precision=precision), out=tmp_path)
    assert evaluate(tmp_path).examined.loss == result.test_loss


# --- what does not fit --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ({"change": lambda x: x[:, :4]}, r"inputs of the shape \[8, 8, 1\], and these.*\[4, 8, 1"),
        ({"change": lambda x: x.astype(np.float32)}, "inputs of the dtype uint8, and.*float32"),
        ({"classes": 7}, r"has 7 classes, and .*model.keras knows 10; give data"),
        ({"targets": lambda y: y + 0.5}, "must be whole numbers or names, .* for task: multiclass"),
    ],
)
def test_data_that_do_not_fit(trained, digits, kind, sentence):
    with pytest.raises(DataError, match=sentence):
        evaluate(trained.folder, config=digits(np.arange(30), **kind))


def test_a_model_that_does_not_fit_its_own_data(run):
    import keras

    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(10)])
    model.save(run / "model.keras")
    with pytest.raises(DataError, match=r"shape 8x8x1, and .*model\.keras takes 5; give"):
        evaluate(run)


def test_a_damaged_model(run):
    (run / "model.keras").write_bytes(b"half of a mo")
    with pytest.raises(ModelError, match=r"model\.keras: cannot be loaded by Keras"):
        evaluate(run)


def test_code_in_a_model_is_not_run(run, tmp_path):
    import keras

    layers = [keras.Input((8, 8, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()]
    keras.Sequential([*layers, keras.layers.Dense(10)]).save(run / "model.keras")
    assert zipfile.is_zipfile(run / "model.keras")
    with pytest.raises(ModelError, match=r"takes no code from a file: .*[Ll]ambda"):
        evaluate(run)


# --- where it lies ------------------------------------------------------------------------------


def test_a_folder_above_means_its_newest_training(small, tmp_path):
    first, second = (train(small(), out=tmp_path) for _ in range(2))
    assert evaluate(tmp_path).model == second.folder / "model.keras"
    assert evaluate(first.folder).model == first.folder / "model.keras"


def test_no_training_there(tmp_path, run):
    (tmp_path / "empty").mkdir()
    (run / "best.keras").unlink()
    for path, best, sentence in (
        (tmp_path / "nowhere", False, "nowhere: there is nothing at this path"),
        (tmp_path / "empty", False, r"empty: holds no model\.keras with its config\.yaml; give"),
        (run, True, r"holds no best\.keras"),
        (run / "model.keras", False, r"model\.keras: is a file; give the folder of a training"),
    ):
        with pytest.raises(ResultError, match=sentence):
            evaluate(path, best=best)


def test_a_table_must_have_the_columns_of_the_training_in_their_order(small, tmp_path):
    rng = np.random.default_rng(3)
    columns = {"width": rng.normal(size=80), "height": rng.normal(size=80)}
    columns["kind"] = np.where(columns["width"] > columns["height"], "wide", "high")

    def table(name, *order):
        pl.DataFrame({column: columns[column] for column in order}).write_csv(tmp_path / name)
        return {"name": "table", "path": str(tmp_path / name), "target": "kind", "limit": None}

    config = small(batch_size=8, dataset=table("train.csv", "width", "height", "kind"))
    result = train(config, out=tmp_path / "runs")
    other = small(batch_size=8, dataset=table("other.csv", "height", "width", "kind"))
    with pytest.raises(DataError, match="trained on the columns width, height, in this order"):
        evaluate(result.folder, config=other)
