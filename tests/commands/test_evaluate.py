import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def run(chain, own_folders):
    """A copy of the training that the chain has done."""
    return shutil.copytree(chain[0] / "runs/digits/train/001", own_folders / "trained")


def test_it_shows_what_train_has_reported(invoke, run, rows, own_folders):
    outcome = invoke("evaluate", "trained")

    saved = json.loads((run / "result.json").read_text())
    assert outcome.exit_code == 0, outcome.output
    shown = rows(outcome.stdout)
    assert shown["model"] == "trained/model.keras"
    assert shown["data"] == "test part of digits, 180 examples"
    assert shown["accuracy"] == f"{saved['test_accuracy']:.2%}"
    assert shown["loss"] == f"{saved['test_loss']:.6g}"
    for true, entry in enumerate(saved["per_class"]):
        examples, share, *mistaken = shown[str(true)].split(maxsplit=2)
        assert (int(examples), share) == (entry["examples"], f"{entry['accuracy']:.2%}")
        wrong = [n for i, n in enumerate(saved["confusion"][true]) if i != true]
        assert mistaken == [] if not max(wrong) else mistaken[0].endswith(f"({max(wrong)})")
    assert "the test set has now been looked at again" in outcome.stderr
    assert sorted(p.name for p in own_folders.iterdir()) == ["trained"]


def test_json_and_a_file(invoke, run, own_folders, answer_of):
    arguments = ["evaluate", "trained", "--part", "validation", "--best", "--json", "--out"]
    outcome = invoke(*arguments, "found/it.json")

    assert outcome.exit_code == 0, outcome.output
    (line,) = outcome.stdout.splitlines()
    found = answer_of(outcome)
    assert (found, found["command"]) == (json.loads(line), "evaluate")
    saved = json.loads((run / "result.json").read_text())
    assert found["model"] == "trained/best.keras"
    assert found["accuracy"] == saved["val_accuracy_best"]
    assert json.loads((own_folders / "found/it.json").read_text()) == found
    assert outcome.stderr == ""

    again = invoke(*arguments, "found/it.json")
    assert (again.exit_code, answer_of(again)["error"]["exit_code"]) == (2, 2)
    assert "--out: found/it.json is there already" in again.stderr


def test_data_of_another_config(invoke, run, config, rows):
    """The examples that were set aside are known again, however the data are split there."""
    outcome = invoke("evaluate", "trained", "--data", config, "--set", "seed=4")
    assert outcome.exit_code == 0, outcome.output
    shown = rows(outcome.stdout)
    assert shown["data"] == "test part of digits, 180 examples"
    accuracy = json.loads((run / "result.json").read_text())["test_accuracy"]
    assert shown["accuracy"] == f"{accuracy:.2%}"


@pytest.mark.harness
@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_class_folders_of_any_name_come_to_the_end(own_folders, start, rows):
    rng = np.random.default_rng(0)
    for raw in (b"caf\xe9", "na\u00efve".encode(), b"new\nline"):
        folder = own_folders / "images" / "train" / os.fsdecode(raw)
        folder.mkdir(parents=True)
        for i in range(8):
            Image.fromarray(rng.integers(0, 256, (4, 4), np.uint8)).save(folder / f"{i}.png")
    (own_folders / "c.yaml").write_text(
        "{dataset: {name: image_folder, path: images}, model: {name: mlp}, batch_size: 8,"
        " train: {cycles: [{epochs: 1}], max_lr: 0.1}}"
    )
    trained = start("train", "c.yaml", PYTHONIOENCODING="utf-8")
    _, err = trained.communicate(timeout=120)
    assert trained.returncode == 0, err

    run = own_folders / "runs/c/train/001"
    classes = [r"caf\xe9", "na\u00efve", r"new\nline"]
    saved = json.loads((run / "result.json").read_text())
    assert [entry["class"] for entry in saved["per_class"]] == classes
    assert (run / "confusion.png").stat().st_size > 5000
    evaluated = start("evaluate", "runs", PYTHONIOENCODING="utf-8")
    out, err = evaluated.communicate(timeout=120)
    assert evaluated.returncode == 0, err
    assert set(classes) <= set(rows(out))


@pytest.fixture
def many_classes(own_folders, invoke):
    """A training on 120 classes of five examples each."""
    x = np.random.default_rng(0).normal(size=(600, 4)).astype(np.float32)
    np.savez("many.npz", x_train=x, y_train=np.arange(600) % 120)
    (own_folders / "c.yaml").write_text(
        "{dataset: {name: arrays, path: many.npz}, model: {name: mlp}, batch_size: 64,"
        " train: {cycles: [{epochs: 1}], max_lr: 0.1}}"
    )
    outcome = invoke("train", "c.yaml")
    assert outcome.exit_code == 0, outcome.output
    return own_folders / "runs/c/train/001"


@pytest.mark.pictures
@pytest.mark.harness
def test_a_large_confusion_matrix_has_a_file_of_its_own(many_classes, invoke, own_folders):
    result = json.loads((many_classes / "result.json").read_text())
    assert result["confusion_file"] == "confusion.npz"
    assert "confusion" not in result
    with np.load(many_classes / "confusion.npz", allow_pickle=False) as file:
        (confusion,) = (file[name] for name in file.files)
    assert confusion.shape == (120, 120)
    assert [entry["examples"] for entry in result["per_class"]] == confusion.sum(axis=1).tolist()
    assert confusion.trace() / confusion.sum() == result["test_accuracy"]

    assert invoke("plot", "runs", "--confusion").exit_code == 0
    redrawn = (own_folders / "c-train-001-confusion.png").read_bytes()
    assert redrawn == (many_classes / "confusion.png").read_bytes()

    outcome = invoke("evaluate", "runs", "--json", "--out", "it.json")
    assert outcome.exit_code == 0, outcome.output
    written = json.loads((own_folders / "it.json").read_text())
    assert written.pop("confusion_file") == "it-confusion.npz"
    assert written == json.loads(outcome.stdout)
    with np.load("it-confusion.npz", allow_pickle=False) as file:
        assert file["confusion"].tolist() == confusion.tolist()

    outcome = invoke("evaluate", "runs")
    lines = outcome.stdout.split("\n\n")[1].splitlines()
    assert "20 classes with the lowest accuracy" in lines[0]
    assert len(lines) == 2 + 20
    outcome = invoke("evaluate", "runs", "--out", "it-confusion.npz")
    assert outcome.exit_code == 2
    (own_folders / "it.json").unlink()
    outcome = invoke("evaluate", "runs", "--out", "it.json")
    assert (outcome.exit_code, "it-confusion.npz is there already" in outcome.stderr) == (2, True)

    (many_classes / "confusion.npz").write_bytes(b"half of")
    outcome = invoke("plot", "runs", "--confusion")
    assert outcome.exit_code == 1
    assert "confusion.npz: cannot be read as a confusion matrix; restore" in outcome.stderr


KERAS_FREE = """
import sys
from onecycle_cli.main import app
try:
    app(sys.argv[1:])
except SystemExit as ended:
    assert "keras" not in sys.modules
    raise
"""


@pytest.mark.samples(2)
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere"], 1, "nowhere: there is nothing at this path; give "),
        (["trained", "--part", "tests"], 2, "--part: must be test or validation; got 'tests'"),
        (["trained", "--data", "no.yaml"], 2, "no.yaml: there is no such config file"),
        (["trained", "--set", "seed=x"], 2, "--set seed=x"),
        (["trained", "--set", "dataset.path=gone"], 2, "there is nothing at this path"),
    ],
)
def test_errors_start_no_keras(run, own_folders, arguments, code, sentence):
    found = subprocess.run(
        [sys.executable, "-c", KERAS_FREE, "evaluate", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout) == (code, "")
    (line,) = found.stderr.splitlines()
    assert sentence in line


def test_several_labels_have_scores_and_no_classes(invoke, rows, own_folders):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(90, 4)).astype(np.float32)
    np.savez(own_folders / "labels.npz", x_train=x, y_train=(x[:, :3] > 0).astype(int))
    (own_folders / "labels.yaml").write_text(
        "batch_size: 16\ndataset: {name: arrays, path: labels.npz}\n"
        "model: {name: mlp, options: {hidden: 8}}\ntrain: {max_lr: 0.3, cycles: [{epochs: 2}]}\n"
    )
    trained = invoke("train", "labels.yaml")
    assert trained.exit_code == 0, trained.output
    assert float(rows(trained.stdout)["test AUC"]) > 0.5
    found = invoke("evaluate", "runs/labels")
    assert found.exit_code == 0, found.output
    assert rows(found.stdout)["AUC"] == rows(trained.stdout)["test AUC"]
    result = json.loads((own_folders / "runs/labels/train/001/result.json").read_text())
    assert len(result["test_scores"]["auc_per_label"]) == 3
