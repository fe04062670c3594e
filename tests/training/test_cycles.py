"""What a run that broke off is resumed with, and what does not belong to it."""

import json
import shutil
import signal
from pathlib import Path

import keras
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, ResultError, Terminated
from onecycle_cli.experiments.asked.resume import check_identity, identity_of, model_files
from onecycle_cli.experiments.train import train
from onecycle_cli.kinds import TRAIN
from onecycle_cli.observer import Observer
from onecycle_cli.training import cycles
from onecycle_cli.workbench.bench import Workbench


@pytest.mark.samples(1)
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


@pytest.mark.harness
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


CONVOLUTION = """
x = keras.Input(input_shape)
y = keras.layers.Reshape((4, 4, -1))(keras.layers.Flatten()(x))
y = keras.layers.Flatten()(keras.layers.Conv2D(2, 3, use_bias=False)(y))
return keras.Model(x, keras.layers.Dense(num_outputs, "softmax")(y))
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is TensorFlow's")
def test_a_run_whose_filters_had_their_gradients_otherwise_is_refused(small, user_model):
    """One of a version that did not convolve them; one without such layers has no entry."""
    model = user_model(CONVOLUTION)
    settings = small() | {"model": model, "precision": "mixed_bfloat16", "jit_compile": False}
    bench = Workbench(load_config(settings), Observer())
    now = identity_of(bench, TRAIN)
    bench.close()  # which gives the layers back
    then = identity_of(bench, TRAIN)
    check_identity(Path("run"), now, now)
    with pytest.raises(ConfigError, match=": filter_gradient None, now by convolution; "):
        check_identity(Path("run"), then, now)


@pytest.mark.samples(1)
@pytest.mark.parametrize("lost", ["here", "by another process"])
def test_the_best_model_is_of_the_epoch_named_though_a_later_one_was_forgotten(
    small, tmp_path, after, monkeypatch, lost
):
    """After a kill, the best model may be of an epoch that no checkpoint knows.

    Of several processes one has that file, and all have to know what the best epoch is.
    """
    ruined = {"cycles": [{"epochs": 3}, {"epochs": 2, "max_lr": 4.0}]}
    with pytest.raises(Terminated):
        train(small(train=ruined), out=tmp_path, observer=after(20, signal.SIGTERM))
    run = tmp_path / "small/train/001"
    if lost == "here":
        shutil.copy(run / "model.keras", run / "best.keras")
    else:
        monkeypatch.setattr(cycles, "largest_of_all", lambda is_lost: [1])

    result = train(resume=run)

    accuracies = [epoch.val_accuracy for epoch in result.history]
    assert accuracies.index(max(accuracies)) < 3 < result.best_epoch
    best = keras.models.load_model(result.folder / "best.keras")
    assert int(best.optimizer.iterations) == 6 * result.best_epoch
