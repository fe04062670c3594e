"""Trainings that break off, go wrong or are ended, and what becomes of them."""

import json
import os
import shutil
import signal
from pathlib import Path

import keras
import numpy as np
import pytest

from onecycle_cli import schedules
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, ResultError, Terminated, TrainingError
from onecycle_cli.experiments.resume import model_files
from onecycle_cli.experiments.train import train
from onecycle_cli.runs.checkpoints import Checkpoints

CYCLES = [{"epochs": 3}, {"epochs": 2, "max_lr": 0.02}]
NOISY = """
x = inputs = keras.Input(input_shape)
x = keras.layers.Flatten()(x)
x = keras.layers.GaussianNoise(0.1)(x)
x = keras.layers.Dense(8)(x)
x = keras.layers.BatchNormalization()(x)
x = keras.layers.Dropout(0.2)(x)
return keras.Model(inputs, keras.layers.Dense(num_outputs, "softmax")(x))
"""


@pytest.fixture(scope="module")
def config(small, tmp_path_factory):
    """Two cycles of 3 + 2 epochs of 6 steps, with noise, dropout and normalisation."""
    path = tmp_path_factory.mktemp("model") / "noisy.py"
    body = "\n".join(f"    {line}" for line in NOISY.strip().splitlines())
    path.write_text(f"import keras\n\n\ndef build(input_shape, num_outputs):\n{body}\n")
    model = {"name": f"{path}:build", "options": {}}

    def make(**settings):
        settings = {"cycles": CYCLES, "weight_decay": 1e-3} | settings
        return small(model=model, train=settings)

    return make


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    return train(config(), out=tmp_path_factory.mktemp("whole"))


@pytest.fixture
def after(listener):
    """Return a function that sends this process a signal after some step of a training."""

    def send(step, *signals):
        def each_step(now):
            for number in signals if now == step else ():
                os.kill(os.getpid(), number)

        listener.each_step = each_step
        return listener

    return send


def weights(path):
    model = keras.models.load_model(path)
    return [np.array(v) for v in [*model.weights, *model.optimizer.variables]]


def assert_same_bits(folder, other):
    for name in ("steps.csv", "history.csv"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    for name in ("model.keras", "best.keras"):
        for ours, theirs in zip(weights(folder / name), weights(other / name), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    ours, theirs = (json.loads((f / "result.json").read_text()) for f in (folder, other))
    for result in (ours, theirs):
        for name in ("images_per_second", "cost"):
            result.pop(name, None)
    assert ours == theirs


@pytest.mark.parametrize("step", [1, 6, 9, 18, 19, 29, 30])
def test_a_training_that_is_terminated_goes_on_to_the_same_bits(
    whole, config, tmp_path, after, step, tree
):
    """In an epoch and at its end, in both cycles, after the first step and after the last."""
    with pytest.raises(Terminated) as error:
        train(config(), out=tmp_path, observer=after(step, signal.SIGTERM))
    folder = tmp_path / "small/train/001"
    assert error.value.__notes__ == [f"'onecycle train --resume {folder}' goes on."]
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"

    resumed = train(resume=tmp_path / "small")

    assert resumed.folder == folder
    assert_same_bits(folder, whole.folder)
    assert tree(folder) == tree(whole.folder)
    assert len(json.loads((folder / "manifest.json").read_text())["resumed"]) == 1


def test_a_training_that_breaks_off_again_and_again(whole, config, tmp_path, after):
    with pytest.raises(Terminated):
        train(config(), out=tmp_path, observer=after(5, signal.SIGTERM))
    for _ in range(4):
        listener = after(6, signal.SIGTERM)
        listener.steps = 0
        with pytest.raises(Terminated):
            train(resume=tmp_path / "small/train/001", observer=listener)
    assert_same_bits(train(resume=tmp_path / "small").folder, whole.folder)


def test_a_damaged_checkpoint_costs_the_steps_since_the_one_before(whole, config, tmp_path, after):
    with pytest.raises(Terminated):
        train(config(), out=tmp_path, observer=after(9, signal.SIGTERM))
    newest = max((tmp_path / "small/train/001/checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    listener = after(0)
    listener.warnings.clear()
    assert_same_bits(train(resume=tmp_path / "small", observer=listener).folder, whole.folder)
    assert sum("is damaged" in text for text in listener.warnings) == 1


def test_without_any_checkpoint_it_starts_from_the_beginning(whole, config, tmp_path, after):
    """As a kill leaves it: under its running name, without a checkpoint, its files half-way."""
    with pytest.raises(Terminated):
        train(config(), out=tmp_path, observer=after(9, signal.SIGTERM))
    folder = tmp_path / "small/train/001"
    shutil.rmtree(folder / "checkpoints")
    folder.rename(folder.with_name(".001-running"))
    assert_same_bits(train(resume=folder).folder, whole.folder)


# --- ended by Ctrl-C ----------------------------------------------------------------------------


def test_ctrl_c_ends_with_a_cool_down_and_can_be_undone(whole, config, tmp_path, after, table):
    listener = after(14, signal.SIGINT)
    result = train(config(), out=tmp_path, observer=listener)

    assert result.ended == "interrupted"
    assert [e["what"] for e in result.events] == ["interrupted"]
    steps = table(result.folder / "steps.csv")
    count = result.events[0]["cool_down_steps"]
    assert len(steps["lr"]) == 14 + count
    before = table(whole.folder / "steps.csv")
    np.testing.assert_array_equal(steps["loss"][:15], before["loss"][:15])
    way = np.linspace(steps["lr"][13], 0.1 / 1000, count + 1)[1:]
    np.testing.assert_allclose(steps["lr"][14:], way, rtol=1e-9)
    assert steps["momentum"][-1] == 0.95
    assert f"within {count} steps" in " ".join(listener.warnings)
    assert result.test_accuracy is not None
    keras.models.load_model(result.folder / "model.keras")

    assert_same_bits(train(resume=result.folder).folder, whole.folder)


def test_a_training_by_another_shape_goes_on_to_the_same_bits(config, tmp_path, after, table):
    """And a cool-down near its end never raises the rate above where the shape itself leads."""
    settings = {
        "shape": "pytorch",
        "shape_options": {"pct_start": 0.5},
        "layer_rates": {"batch_normalization*": 0},
        "also": {"clipnorm": [1.0, 0.1]},
    }
    plain = train(config(**settings), out=tmp_path / "whole")
    steps = table(plain.folder / "steps.csv")
    lrs, clips = steps["lr"], steps["clipnorm"]
    np.testing.assert_allclose(clips, [*np.linspace(1, 0.1, 18), *np.linspace(1, 0.1, 12)])
    expected = schedules.learning_rates(18, 0.1, shape="pytorch", pct_start=0.5)
    np.testing.assert_allclose(lrs[:18], expected, rtol=1e-12)

    cooled = train(config(**settings), out=tmp_path, observer=after(27, signal.SIGINT))
    rates = table(cooled.folder / "steps.csv")["lr"]
    assert (np.diff(rates[26:]) < 0).all()
    assert rates[-1] == pytest.approx(0.02 / 25e4)
    assert_same_bits(train(resume=cooled.folder).folder, plain.folder)
    frozen = keras.models.load_model(plain.folder / "model.keras")
    norm = next(layer for layer in frozen.layers if "normalization" in layer.name)
    np.testing.assert_array_equal(norm.gamma, np.ones(8))


def test_ctrl_c_twice_saves_and_quits(whole, config, tmp_path, after):
    with pytest.raises(KeyboardInterrupt):
        train(config(), out=tmp_path, observer=after(8, signal.SIGINT, signal.SIGINT))
    folder = tmp_path / "small/train/001"
    assert len((folder / "steps.csv").read_text().splitlines()) == 1 + 8
    keras.models.load_model(folder / "model.keras")
    assert_same_bits(train(resume=folder).folder, whole.folder)


def test_an_early_finish_waits_for_the_peak_and_cools_down(small, tmp_path, table):
    settings = {
        "cycles": [{"epochs": 30}], "max_lr": 1e-9, "early_finish": {"patience": 2},
    }  # fmt: skip
    result = train(small(train=settings), out=tmp_path)
    steps = table(result.folder / "steps.csv")
    (event,) = result.events

    assert result.ended == event["what"] == "early"
    peak = int(steps["lr"].argmax())
    assert peak == 81  # floor(180 * .45)
    assert peak < event["step"] <= peak + 6
    assert len(steps["lr"]) == event["step"] + event["cool_down_steps"]
    assert steps["lr"][-1] == pytest.approx(1e-12)
    assert json.loads((result.folder / "manifest.json").read_text())["status"] == "done"


# --- divergence ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def diverging(small):
    """Rates that are far too high for a network without normalisation."""

    def make(**settings):
        return small(train={"cycles": [{"epochs": 6}], "max_lr": 30.0} | settings)

    return make


def test_after_a_divergence_it_goes_back_and_tries_a_smaller_rate(
    diverging, tmp_path, listener, table
):
    result = train(diverging(retries=20), out=tmp_path, observer=listener)
    assert result.events
    rate = 30.0
    for event in result.events:
        rate /= 2
        assert event["what"] in ("diverged", "non_finite")
        assert event["back_to"] <= event["step"]
        assert event["max_lr"] == rate
    assert sum("going back to step" in text for text in listener.warnings) == len(result.events)
    steps = table(result.folder / "steps.csv")
    assert steps["step"].tolist() == list(range(36))
    assert np.isfinite(steps["loss"]).all()
    saved = json.loads((result.folder / "result.json").read_text())
    assert saved["events"] == result.events


def test_a_divergence_is_the_same_after_a_break(diverging, tmp_path, after, listener):
    whole = train(diverging(retries=20), out=tmp_path / "whole")
    assert whole.events
    with pytest.raises(Terminated):
        train(diverging(retries=20), out=tmp_path / "broken", observer=after(45, signal.SIGTERM))
    resumed = train(resume=tmp_path / "broken/small", observer=listener)
    assert_same_bits(resumed.folder, whole.folder)


def test_retries_are_bounded_and_can_be_switched_off(diverging, tmp_path):
    said = (
        r"after 1 try at smaller rates; set train\.max_lr below 5e\+07, or let "
        r"'onecycle find-lr CONFIG' suggest one\."
    )
    with pytest.raises(TrainingError, match=said):
        train(diverging(retries=1, max_lr=1e8), out=tmp_path)
    assert train(diverging(retries=0), out=None).events == []


def test_a_rate_that_was_found_is_not_to_be_found_again(diverging, tmp_path):
    entry = {"value": 1e8, "verdict": "ok", "reason": "", "run": "small/find-lr/001"}
    (tmp_path / "small").mkdir()
    (tmp_path / "small/suggestions.yaml").write_text(json.dumps({"max_lr": entry}))
    said = r"set train\.max_lr below 5e\+07 \(1e\+08 was the suggestion of small/find-lr/001\)\."
    with pytest.raises(TrainingError, match=said):
        train(diverging(retries=1, max_lr="auto"), out=tmp_path)


def offset(random):
    x = random.normal(size=(600, 4))
    return x, x[:, :1] + 10


def small_spread(random):
    x = random.normal(size=(600, 4))
    return x, 0.01 * x[:, :1]


def rare_class(random):
    x = random.normal(size=(1500, 4))
    score = x[:, 0] + random.normal(size=1500)
    return x, (score > np.quantile(score, 0.985)).astype(np.int64)


@pytest.fixture
def arrays_of(tmp_path):
    def write(x, y):
        train, val, test = np.split(np.arange(len(x)), [int(0.7 * len(x)), int(0.85 * len(x))])
        parts = {"train": train, "val": val, "test": test}
        arrays = {
            f"{name}_{p}": a[rows] for name, a in (("x", x), ("y", y)) for p, rows in parts.items()
        }
        np.savez(tmp_path / "data.npz", **arrays)
        return {"name": "arrays", "path": str(tmp_path / "data.npz"), "limit": None}

    return write


@pytest.mark.parametrize("make", [offset, small_spread, rare_class])
def test_a_start_far_above_guessing_is_no_divergence(small, arrays_of, make):
    """Not even at the first of the steps: the loss falls all the time."""
    config = small(
        batch_size=16,
        dataset=arrays_of(*make(np.random.default_rng(0))),
        train={"cycles": [{"epochs": 3}, {"epochs": 1}], "max_lr": 0.01},
    )
    watched = train(config, out=None)
    assert watched.events == []
    left_alone = train(config | {"train": config["train"] | {"retries": 0}}, out=None)
    assert watched.test_loss == left_alone.test_loss
    assert watched.history[-1].loss < 0.2 * watched.history[0].loss


def test_a_training_that_loses_what_it_had_learned_goes_back(small, listener):
    """Without going back the network is dead after the peak, and answers by the classes' shares."""
    config = small(
        batch_size=32,
        model={"name": "mlp", "options": {"hidden": 32, "layers": 2}},
        dataset={"name": "digits", "limit": None},
        train={"cycles": [{"epochs": 8}], "max_lr": 0.5},
    )
    left_alone = config | {"train": config["train"] | {"retries": 0}}
    assert train(left_alone, out=None, observer=listener).test_accuracy < 0.5
    assert "is no better than what guessing costs (2.3," in listener.warnings.pop()
    result = train(config, out=None, observer=listener)
    assert [event["what"] for event in result.events] == ["diverged"]
    assert "guessing costs 2.3" in listener.warnings[-1]
    assert result.test_accuracy > 0.7


# --- what does not belong together --------------------------------------------------------------


@pytest.fixture(scope="module")
def broken_off(config, tmp_path_factory):
    """Return the folder of runs of a training that was terminated at step 8, in epoch 2."""
    out = tmp_path_factory.mktemp("broken")

    def write(self, state, of=Checkpoints.write):
        of(self, state)
        if self.written == 8:
            raise Terminated

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Terminated):
        patch.setattr(Checkpoints, "is_due", lambda self, at_epoch_end: True)
        patch.setattr(Checkpoints, "write", write)
        train(config(), out=out)
    return out


@pytest.fixture
def copy(broken_off, tmp_path):
    return shutil.copytree(broken_off, tmp_path / "copy") / "small/train/001"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"precision": "mixed_bfloat16"}, "precision float32, now mixed_bfloat16"),
        ({"batch_size": 32}, "batch_size 64, now 32"),
        ({"model": {"name": "mlp"}}, "model.name "),
    ],
)
def test_another_config_is_refused_naming_the_difference(copy, config, change, said):
    with pytest.raises(ConfigError, match=f"was started with another config: .*{said}"):
        train(config() | change, resume=copy)
    assert train(config(), resume=copy).ended is None


def test_a_changed_model_file_is_refused(copy, config, tmp_path):
    path = tmp_path / "copy/model.py"
    source = config()["model"]["name"].split(":")[0]
    with open(source) as file:  # noqa: PTH123
        text = file.read()
    path.write_text(text)
    remembered = json.loads((copy / "resume.json").read_text())
    remembered["config"]["model"]["name"] = f"{path}:build"
    remembered["conditions"]["model"] = "model.py:build"
    (copy / "resume.json").write_text(json.dumps(remembered))
    path.write_text(text.replace("0.2", "0.3"))
    with pytest.raises(ConfigError, match="another version of the model's file"):
        train(resume=copy)


def test_a_changed_neighbour_of_the_model_file_is_refused(copy, config, tmp_path):
    """What the model's file imports decides the bits as much as the file does."""
    path, helper, deeper = (tmp_path / f"copy/{n}.py" for n in ("model", "helper", "deeper"))
    text = Path(config()["model"]["name"].split(":")[0]).read_text()
    path.write_text(f"import helper\n{text}")
    helper.write_text("from deeper import VALUE\n")
    deeper.write_text("VALUE = 1\n")
    remembered = json.loads((copy / "resume.json").read_text())
    remembered["config"]["model"]["name"] = f"{path}:build"
    files = model_files(load_config(remembered["config"]))
    remembered["conditions"] |= {"model": "model.py:build", **files}
    (copy / "resume.json").write_text(json.dumps(remembered))

    deeper.write_text("VALUE = 2\n")
    with pytest.raises(ConfigError, match=r"what the model's file imports: deeper\.py; put"):
        train(resume=copy)
    deeper.write_text("VALUE = 1\n")
    assert train(resume=copy).ended is None


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"schema_version": 1}'])
def test_what_was_edited_by_hand_is_refused(copy, damage):
    (copy / "resume.json").write_text(damage)
    with pytest.raises(ResultError, match=r"resume.json: (is damaged|cannot be read)"):
        train(resume=copy)


def test_a_run_at_work_is_left_alone(copy):
    from onecycle_cli.runs import run_folder

    with run_folder.locked(copy), pytest.raises(ResultError, match="another process is at work"):
        train(resume=copy)


def test_a_finished_run_has_nothing_to_resume(whole):
    with pytest.raises(ResultError, match="is finished; there is nothing to resume"):
        train(resume=whole.folder)


# --- other numbers of epochs --------------------------------------------------------------------


def longer(config, first):
    return config(cycles=[{"epochs": first}, CYCLES[1]])


@pytest.mark.parametrize("epochs", [2, 5])
def test_stretching_spreads_what_remains(copy, config, smith, table, epochs):
    result = train(longer(config, epochs), resume=copy, policy="stretch")
    steps = table(result.folder / "steps.csv")
    rates = smith(18, 0.1)[0]
    first = steps["lr"][steps["cycle"] == 1]
    assert len(first) == 6 * epochs
    done = result.events[0]["step"]
    np.testing.assert_allclose(first[:done], rates[:done], rtol=1e-12)
    places = done + np.arange(6 * epochs - done) * (18 - done) / (6 * epochs - done)
    rest = np.interp(places, np.arange(19), [*rates, rates[-1]])
    np.testing.assert_allclose(first[done:], rest, rtol=1e-9)
    assert result.cost.training_runs == 1
    assert (steps["cycle"] == 2).sum() == 12


def test_extending_holds_the_present_rate_first(copy, config, smith, table):
    result = train(longer(config, 5), resume=copy, policy="extend")
    steps = table(result.folder / "steps.csv")
    rates = smith(18, 0.1)[0].tolist()
    done = result.events[0]["step"]
    expected = rates[:done] + [rates[done]] * 12 + rates[done:]
    np.testing.assert_allclose(steps["lr"][steps["cycle"] == 1], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("epochs", "policy", "said"),
    [
        (5, None, "say how, by --policy stretch"),
        (1, "stretch", "has done .* steps and cannot have 6"),
        (2, "extend", "cannot make cycle 1 shorter"),
    ],
)
def test_changes_that_cannot_be(copy, config, epochs, policy, said):
    with pytest.raises(ConfigError, match=said):
        train(longer(config, epochs), resume=copy, policy=policy)
    assert (copy / "resume.json").is_file()


def test_a_changed_plan_is_kept_over_another_break(copy, config, after):
    with pytest.raises(Terminated):
        train(longer(config, 5), resume=copy, policy="stretch", observer=after(3, signal.SIGTERM))
    result = train(resume=copy)
    assert [e.cycle for e in result.history] == [1] * 5 + [2] * 2
    assert [e["what"] for e in result.events] == ["plan"]
