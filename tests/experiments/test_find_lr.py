import json

import keras
import numpy as np
import pytest
import yaml

from onecycle_cli import schedules
from onecycle_cli.config import OPTIMIZERS, load_config
from onecycle_cli.data import Dataset
from onecycle_cli.engine.memory import is_memory_kept
from onecycle_cli.errors import ResultError
from onecycle_cli.experiments.find_lr import find_lr

pytestmark = pytest.mark.lowest

FILES = {"config.yaml", "curve.csv", "manifest.json", "plot.png", "report.html", "result.json"}


@pytest.fixture(scope="module")
def first(small, tmp_path_factory, with_pictures):
    out = tmp_path_factory.mktemp("runs")
    with with_pictures():
        return find_lr(small(find_lr={"repeats": 2, "steps": 40}), out=out), out


def test_the_run_is_written_whole(first, tree):
    result, out = first

    assert tree(out) == {f"small/find-lr/001/{name}" for name in FILES} | {"small/suggestions.yaml"}
    assert result.folder == out / "small/find-lr/001"
    picture = (result.folder / "plot.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 5000


def test_the_curve_holds_every_step_of_every_repeat(first, table):
    result, _ = first
    curve = table(result.folder / "curve.csv")

    assert list(curve) == ["repeat", "step", "lr", "loss"]
    for repeat, recorded in enumerate(result.curves):
        rows = curve["repeat"] == repeat
        assert curve["step"][rows].tolist() == list(range(len(recorded.lrs)))
        assert curve["lr"][rows].tolist() == recorded.lrs
        assert curve["loss"][rows].tolist() == recorded.losses
        assert recorded.lrs == schedules.sweep(40, 1e-5, 10)[: len(recorded.lrs)]
    assert curve["loss"][0] == pytest.approx(np.log(10), rel=0.5)


def test_repeats_have_initial_weights_and_an_order_of_their_own(first):
    one, two = first[0].curves
    assert one.losses[0] != two.losses[0]


def test_the_result_says_that_its_repeats_start_alike(first, small, user_model, tmp_path):
    body = """
    x = keras.Input(input_shape)
    h = keras.layers.Flatten()(x)
    return keras.Model(x, keras.layers.Dense(num_outputs, "softmax", kernel_initializer="zeros")(h))
    """
    config = small(find_lr={"repeats": 2, "steps": 12}) | {"model": user_model(body)}
    alike = find_lr(config, out=tmp_path)
    said, unsaid = (
        json.loads((found.folder / "result.json").read_text())["caveats"]
        for found in (alike, first[0])
    )
    assert len({curve.losses[0] for curve in alike.curves}) == 1
    assert len(said) == 1
    assert "starts every replicate from the same weights" in said[0]
    assert unsaid == []


def test_a_sweep_is_run_at_the_layers_own_rates(small, tmp_path):
    """At half the rate everywhere, a sweep over twice the rates is the same sweep."""
    whole, halved = (
        find_lr(small(find_lr=settings, train={"layer_rates": rates}), out=None).curves[0]
        for settings, rates in (
            ({"min_lr": 1e-4, "max_lr": 0.1}, {}),
            ({"min_lr": 2e-4, "max_lr": 0.2}, {"*": 0.5}),
        )
    )
    np.testing.assert_allclose(halved.losses, whole.losses, rtol=1e-5)
    assert whole.losses[-1] < whole.losses[0]


def test_result_and_suggestion_agree(first):
    result, out = first
    saved = json.loads((result.folder / "result.json").read_text())
    entry = yaml.safe_load((out / "small/suggestions.yaml").read_text())["max_lr"]

    assert list(entry) == ["value", "interval", "verdict", "reason", "run", "when", "conditions"]
    assert saved["kind"] == "find-lr"
    assert saved["suggestion"] == {k: entry[k] for k in ("value", "interval", "verdict", "reason")}
    assert saved["suggestion"]["value"] == result.suggestion.value
    assert saved["min_lr"] == pytest.approx(result.suggestion.value / 10, rel=1e-2)
    assert len(saved["landmarks"]) == 2
    assert saved["cost"]["steps"] == sum(len(c.lrs) for c in result.curves) == result.cost.steps
    assert entry["run"] == saved["label"] == "small/find-lr/001"
    assert entry["conditions"] == {
        "dataset": "digits",
        "data": entry["conditions"]["data"],
        "normalise": True,
        "standardise_targets": False,
        "augment": None,
        "model": "mlp",
        "options": {"hidden": 16, "layers": 1},
        "batch_size": 64,
        "optimizer": "sgd",
        "nesterov": True,
        "decay": "l2",
        "precision": "float32",
        "label_smoothing": 0.0,
        "layer_rates": {},
        "momentum": 0.9,
        "weight_decay": 0.0,
    }


def test_the_manifest_says_how_it_was_made(first):
    manifest = json.loads((first[0].folder / "manifest.json").read_text())

    assert manifest["schema_version"] == 1
    assert manifest["status"] == "done"
    assert manifest["start"] <= manifest["end"]
    assert manifest["versions"].keys() >= {"onecycle", "python", "keras", "tensorflow", "numpy"}
    assert manifest["seed"] == 0
    assert manifest["threads"] >= 1
    assert (manifest["backend"], manifest["precision"]) == ("tensorflow", "float32")
    assert manifest["memory_kept"] is is_memory_kept()
    assert isinstance(manifest["command"], list)
    assert "git_commit" in manifest
    origins = manifest["origins"]
    assert (origins["batch_size"], origins["find_lr.min_lr"]) == ("file", "default")
    assert origins["train.momentum"] == "optimizer.momentum, default"


def test_the_same_config_gives_the_same_bytes(first, small, tmp_path):
    again = find_lr(small(find_lr={"repeats": 2, "steps": 40}), out=tmp_path)
    assert curve_bytes(again) == curve_bytes(first[0])

    other = find_lr(small(find_lr={"repeats": 2, "steps": 40}, seed=1), out=tmp_path)
    assert other.folder.name == "002"
    assert curve_bytes(other) != curve_bytes(again)


@pytest.mark.harness
def test_the_saved_config_gives_the_same_bytes_whatever_is_suggested_by_then(
    first, small, tmp_path
):
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "suggestions.yaml").write_text(
        "momentum: {value: {max: 0.6, min: 0.4}}\nweight_decay: {value: 0.1}\n"
    )
    again = find_lr(first[0].folder / "config.yaml", out=tmp_path)
    assert curve_bytes(again) == curve_bytes(first[0])

    others_used = find_lr(small(find_lr={"repeats": 2, "steps": 40}), out=tmp_path)
    assert curve_bytes(others_used) != curve_bytes(again)


def test_the_saved_config_has_a_number_for_every_auto(first):
    saved = yaml.safe_load((first[0].folder / "config.yaml").read_text())

    assert "auto" not in json.dumps(saved | {"search": None})  # where, not what
    assert saved["find_lr"]["steps"] == 40
    assert saved["find_momentum"]["steps"] == 12
    assert saved["jit_compile"] is False
    assert saved["loss"] == {"name": "sparse_categorical_crossentropy", "from_logits": False}
    assert saved["train"]["max_lr"] == 0.1  # given, so not replaced by what was found
    assert load_config(saved).optimizer.momentum == 0.9


def curve_bytes(result):
    return (result.folder / "curve.csv").read_bytes()


def test_without_a_folder_nothing_is_written(small, tmp_path, monkeypatch, listener):
    monkeypatch.chdir(tmp_path)

    result = find_lr(small(), out=None, observer=listener)

    assert result.folder is None
    assert list(tmp_path.iterdir()) == []
    assert listener.steps == len(result.curves[0].lrs) == 12
    assert listener.stretches == [("range test 1 of 1", 12)]
    assert listener.notes[2:] == [
        "1 range test from 1e-05 to 10: sgd, momentum 0.9, l2 weight decay 0",
        "at most 12 steps = 2 epochs = 100 % of the configured training",
    ]


def test_finders_never_see_the_test_set(small, monkeypatch):
    monkeypatch.setattr(Dataset, "test", lambda self: pytest.fail("the test set was read"))
    find_lr(small(), out=None)


def test_a_refusal_leaves_the_suggestions_as_they_were(small, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    before = "# mine\nmax_lr: {value: 0.25}\n"
    (folder / "suggestions.yaml").write_text(before)

    result = find_lr(small(find_lr={"min_lr": 1e-9, "max_lr": 1e-8}), out=tmp_path)

    assert result.suggestion.value is None
    assert result.suggestion.verdict == "never_descended"
    assert (folder / "suggestions.yaml").read_text() == before
    saved = json.loads((result.folder / "result.json").read_text())
    assert (saved["suggestion"]["value"], saved["min_lr"]) == (None, None)


def test_a_loss_that_is_nan_from_the_start(small, user_model, tmp_path):
    model = user_model(
        """
        x = keras.Input(input_shape)
        y = keras.layers.Rescaling(float("nan"))(keras.layers.Flatten()(x))
        return keras.Model(x, keras.layers.Dense(num_outputs, activation="softmax")(y))
        """
    )

    result = find_lr(small(model=model), out=tmp_path)

    assert result.suggestion.verdict == "non_finite"
    assert "step 1" in result.suggestion.reason
    assert not (tmp_path / "small/suggestions.yaml").exists()
    assert (result.folder / "plot.png").exists()


@pytest.mark.samples(2)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(small, name):
    if name not in {n.lower() for n in dir(keras.optimizers)}:
        pytest.skip(f"this version of Keras has no {name}")
    config = small(optimizer={"name": name}, find_lr={"stop_factor": None, "max_lr": 0.1})
    if name in ("adagrad", "adadelta", "ftrl"):
        config["optimizer"]["momentum"] = 0
        config["train"]["momentum"] = {"max": 0, "min": 0}
    curve = find_lr(config, out=None).curves[0]

    assert len(curve.lrs) == 12
    assert np.isfinite(curve.losses).all()
    assert len(set(curve.losses)) == 12


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    "settings",
    [{"precision": "mixed_bfloat16"}, {"precision": "mixed_float16"}, {"jit_compile": True}],
)
def test_precision_and_compilation_change_little(first, small, settings, keras_policy):
    result = find_lr(small(find_lr={"steps": 40}, **settings), out=None)

    plain, other = (np.array(c.losses[:20]) for c in (first[0].curves[0], result.curves[0]))
    np.testing.assert_allclose(other, plain, rtol=1e-4 if "jit_compile" in settings else 0.02)
    assert ("jit_compile" in settings) or not np.array_equal(other, plain)
    assert keras_policy() == "float32"


@pytest.fixture
def keras_policy():
    import keras

    return lambda: keras.config.dtype_policy().name


def test_an_interrupt_keeps_the_steps_that_were_taken(small, tmp_path, listener, table, results_in):
    def interrupt(step):
        if step == 12 + 7:
            raise KeyboardInterrupt

    listener.each_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        find_lr(small(find_lr={"repeats": 3}), out=tmp_path, observer=listener)

    folder = tmp_path / "small/find-lr/001"
    assert results_in(tmp_path) == {
        f"small/find-lr/001/{name}" for name in ("config.yaml", "curve.csv", "manifest.json")
    }
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"
    curve = table(folder / "curve.csv")
    assert curve["repeat"].tolist() == [0] * 12 + [1] * 7
    assert np.isfinite(curve["loss"]).all()


def test_a_run_that_breaks_off_before_its_first_step_leaves_nothing(small, tmp_path, listener):
    def refuse(title, steps):
        raise RuntimeError("no")

    listener.begin = refuse
    with pytest.raises(RuntimeError):
        find_lr(small(), out=tmp_path / "runs", observer=listener)

    assert list((tmp_path / "runs").iterdir()) == []


def test_a_folder_that_cannot_be_written(small, tmp_path):
    (tmp_path / "runs").write_text("in the way")

    with pytest.raises(ResultError, match="cannot be written"):
        find_lr(small(), out=tmp_path / "runs")
