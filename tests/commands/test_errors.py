"""A user's mistakes: one sentence that says where, which rule, what was given and what to do."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from onecycle_cli.runs import files

EXPERIMENTS = ["find-lr", "find-momentum", "find-wd", "train"]
KNOWN_RATE = ["--set", "train.max_lr=0.1"]


@pytest.fixture
def refused(invoke, own_folders):
    """Run a command that is refused, and return its only sentence."""

    def run(code, *arguments):
        before = files_in(own_folders)
        outcome = invoke(*arguments)
        sentences = [line for line in outcome.stderr.splitlines() if line.startswith("onecycle: ")]
        others = [line for line in outcome.stderr.splitlines() if line not in sentences]
        assert outcome.exit_code == code, outcome.output
        assert outcome.stdout == ""
        assert len(sentences) == 1, outcome.stderr
        assert all(line.startswith("warning: ") for line in others), outcome.stderr
        assert "Traceback" not in outcome.output
        assert files_in(own_folders) == before
        return sentences[0].removeprefix("onecycle: ")

    return run


def files_in(folder):
    return {(p, p.read_bytes() if p.is_file() else None) for p in folder.rglob("*")}


def edited(path, old, new):
    path = Path(path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# --- bad configs: exit code 2 -------------------------------------------------------------------


@pytest.mark.parametrize("command", EXPERIMENTS)
def test_a_missing_config(refused, command):
    assert refused(2, command, "nope.yaml") == (
        "nope.yaml: there is no such config file; 'onecycle init' writes one to start from."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1,\n", "bad.yaml, line 2: not valid YAML: "),
        ("", "bad.yaml: is empty; "),
        ("- 1\n", "bad.yaml: holds a list, not keys and values; "),
    ],
)
def test_a_malformed_config(refused, own_folders, text, sentence):
    (own_folders / "bad.yaml").write_text(text)
    assert refused(2, "find-lr", "bad.yaml").startswith(sentence)


def test_a_column_that_the_table_does_not_have(refused, own_folders):
    table = own_folders / "data.csv"
    table.write_text("width,kind\n1,a\n")
    (own_folders / "table.yaml").write_text(
        "dataset: {name: table, path: data.csv, target: knid}\nmodel: {name: mlp}\n"
    )
    assert refused(2, "find-lr", "table.yaml") == (
        f"table.yaml, line 1: dataset.target: {table} has no column 'knid'; did you mean 'kind'?"
    )


def test_an_unknown_key_in_the_file(refused, config):
    edited(config, "batch_size:", "batch_sise:")
    assert re.fullmatch(
        r"digits\.yaml, line \d+: unknown key batch_sise; did you mean 'batch_size'\?",
        refused(2, "train", config),
    )


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("batch_size=many", "batch_size must be a whole number; got 'many'."),
        ("find_lr.max_lr=-1", "find_lr.max_lr must be greater than 0.*; got -1."),
        ("dataset.name=cifar11", "dataset.name must be .*; got 'cifar11'; did you mean 'cifar10'?"),
        ("optimizer.name=adm", "optimizer.name must be .*; got 'adm'; did you mean 'adam'?"),
        ("model.name=mpl", "model.name: there is no model 'mpl'; did you mean 'mlp'?"),
        ("model.options.hiden=3", "model 'mlp' has no option 'hiden'; did you mean 'hidden'?"),
        ("model.name=nope.py:build", "model.name: there is no file .*/nope.py."),
        ("model.name=net.py:biuld", "net.py has no function 'biuld'; did you mean 'build'?"),
        ("dataset.path=here", "digits takes no path; remove it."),
        ("nonsense", "must be dotted.key=VALUE"),
    ],
)
def test_a_bad_override(refused, config, own_folders, override, sentence):
    (own_folders / "net.py").write_text("def build(shape, outputs): pass\n")
    (own_folders / "here").touch()
    found = refused(2, "find-lr", config, "--set", override)
    assert found.startswith(f"--set {override}: ")
    assert re.search(re.escape(sentence).replace(r"\.\*", ".*"), found), found


def test_a_bad_seed(refused, config):
    assert "seed must be at least 0; got -1." in refused(2, "find-lr", config, "--seed", "-1")


@pytest.mark.parametrize("command", ["find-momentum", "find-wd", "train"])
def test_an_unknown_learning_rate(refused, config, command):
    assert refused(2, command, config) == (
        "digits: train.max_lr is auto and there is no suggestion yet; run 'onecycle find-lr "
        "CONFIG' first, or set train.max_lr to a number."
    )


@pytest.mark.parametrize(
    "command", [["find-momentum"], ["find-wd"], ["train"], ["run", "--skip", "find-lr"]]
)
def test_a_learning_rate_of_another_optimizer(refused, config, own_folders, command):
    entry = {"value": 0.3, "conditions": {"optimizer": "sgd"}}
    files.write_yaml(own_folders / "runs/digits/suggestions.yaml", {"max_lr": entry})
    adam = ("--set", "optimizer.name=adam")
    assert refused(2, *command, config, *adam) == (
        "digits: the suggested max_lr, 0.3, was found with the optimizer sgd, not adam; run "
        "'onecycle find-lr CONFIG' again, set train.max_lr to a number, or use it all the same "
        "with --force (in Python: force=True)."
    )
    unwilling = ("--set", "dataset={name: arrays, path: nowhere.npz}")  # what comes after
    forced = refused(2, *command, config, *adam, *unwilling, "--force")
    assert "nowhere.npz" in forced


def test_a_loss_for_other_targets(refused, config):
    assert refused(2, "train", config, "--set", "loss=mse", *KNOWN_RATE) == (
        "--set loss=mse: loss mse needs numbers as targets, and digits has class labels (labels of "
        "10 classes); use auto, or set task to what they mean."
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["train", "a.yaml", "b.yaml"],
        ["train", "a.yaml", "--bogus"],
        ["train", "a.yaml", "--seed", "x"],
        ["list"],
        ["list", "model"],
        ["plot"],
    ],
)
def test_bad_usage(invoke, arguments):
    outcome = invoke(*arguments)
    assert outcome.exit_code == 2
    assert "Traceback" not in outcome.output
    assert "Usage: " in outcome.output


@pytest.mark.parametrize("command", ["train", "find-lr", "run"])
def test_neither_a_config_nor_a_run(invoke, command):
    outcome = invoke(command)
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "onecycle: CONFIG is missing: name a YAML file ('onecycle init' writes one), or a run to "
        "continue with --resume RUN.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--resume", "nowhere"], "nowhere: holds no unfinished run of train"),
        (["run", "--resume", "nowhere"], "nowhere: holds no unfinished recipe"),
    ],
)
def test_nothing_to_take_up(invoke, arguments, sentence):
    outcome = invoke(*arguments)
    assert outcome.exit_code in (1, 2)
    assert outcome.stderr.startswith(f"onecycle: {sentence}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--policy", "shrink"], "--policy: must be one of stretch, extend; got shrink."),
        (["--policy", "stretch"], "--policy needs --resume, and other epochs"),
    ],
)
def test_a_policy_without_a_plan_to_change(invoke, config, arguments, sentence):
    outcome = invoke("train", config, *arguments)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"onecycle: {sentence}")


# --- failures: exit code 1 ----------------------------------------------------------------------


def test_a_batch_larger_than_the_data(refused, config):
    assert refused(1, "train", config, "--set", "batch_size=5000", *KNOWN_RATE) == (
        "batch_size must be at most the 1455 training examples of digits, got 5000; lower it or "
        "use more data."
    )


def test_a_model_that_cannot_be_built(refused, config, own_folders):
    (own_folders / "net.py").write_text("def build(shape, outputs):\n    return 1 / 0\n")
    found = refused(1, "find-lr", config, "--set", "model.name=net.py:build")
    assert re.fullmatch(
        r"model '.*net\.py:build' failed to build: ZeroDivisionError: .*line 2\)", found
    )


@pytest.mark.harness
def test_a_model_that_would_end_the_program(config, own_folders):
    """With exit code 0, and nothing done."""
    (own_folders / "net.py").write_text("import os\nos._exit(0)\ndef build(a, b): ...\n")
    command = [sys.executable, "-m", "onecycle_cli", "find-lr", config]
    done = subprocess.run(
        [*command, "--set", "model.name=net.py:build"],
        cwd=own_folders,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(r"onecycle: model .* os\._exit\(0\) would end the program", done.stderr)


def test_a_model_that_goes_elsewhere_leaves_the_runs_where_they_belong(invoke, config, own_folders):
    """In its file, in its function and in its layers."""
    (own_folders / "away").mkdir()
    away = f"os.chdir({str(own_folders / 'away')!r})"
    (own_folders / "net.py").write_text(
        f"import os\nimport keras\n{away}\n\n\n"
        "class Walk(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        f"        {away}\n"
        "        return x\n\n\n"
        "def build(shape, outputs):\n"
        f"    {away}\n"
        "    x = keras.Input(shape)\n"
        "    y = Walk()(keras.layers.Flatten()(x))\n"
        "    return keras.Model(x, keras.layers.Dense(outputs, activation='softmax')(y))\n"
    )
    settings = ["--set", "model.name=net.py:build", "--set", "find_lr={repeats: 2, steps: 20}"]
    outcome = invoke("find-lr", config, *settings)
    assert outcome.exit_code in (0, 3)
    assert (own_folders / "runs/digits/find-lr/001/result.json").is_file()
    assert list((own_folders / "away").iterdir()) == []


def test_a_model_that_fails_when_it_is_called(refused, config, own_folders):
    (own_folders / "net.py").write_text(
        "import keras\nimport tensorflow\n\n\n"
        "class Odd(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        if tensorflow.executing_eagerly():\n"
        "            raise ZeroDivisionError('odd')\n"
        "        return x\n\n\n"
        "def build(shape, outputs):\n"
        "    x = keras.Input(shape)\n"
        "    y = Odd()(keras.layers.Flatten()(x))\n"
        "    return keras.Model(x, keras.layers.Dense(outputs, activation='softmax')(y))\n"
    )
    found = refused(1, "find-lr", config, "--set", "model.name=net.py:build")
    assert re.match(
        r"model .*/net\.py:build failed on its first examples: ZeroDivision.* odd$", found
    )


def test_a_dataset_path_that_does_not_exist(refused, config):
    found = refused(2, "train", config, "--set", "dataset={name: cifar10, path: no/where}")
    assert "there is nothing at this path" in found


def test_truncated_data(refused, config, own_folders):
    whole = pickle.dumps({b"data": np.zeros((20, 3072), np.uint8), b"labels": list(range(10)) * 2})
    (own_folders / "cifar").mkdir()
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        (own_folders / "cifar" / name).write_bytes(whole)
    (own_folders / "cifar/data_batch_1").write_bytes(whole[:1000])

    found = refused(1, "find-lr", config, "--set", "dataset={name: cifar10, path: cifar}")

    assert re.search(
        r"/cifar/data_batch_1 is damaged .*set dataset\.path to an intact copy\.", found
    )


def test_labels_out_of_range(refused, config, own_folders):
    x, y = np.zeros((40, 4), np.float32), np.arange(40) % 4
    np.savez(own_folders / "odd.npz", x_train=x, y_train=y, x_val=x, y_val=y + 1)
    found = refused(1, "find-lr", config, "--set", "dataset={name: arrays, path: odd.npz}")
    assert found.endswith(
        "odd.npz: the targets of the validation part must use labels of the training part, 0..3, "
        "got 1..4."
    )


def test_no_network(refused, config, monkeypatch):
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    found = refused(1, "find-lr", config, "--set", "dataset={name: cifar10}")
    assert re.search("could not be downloaded .* ONECYCLE_DATA", found)


@pytest.mark.parametrize("command", ["find-lr", "train"])
def test_a_folder_that_cannot_be_written(refused, config, own_folders, command):
    (own_folders / "taken").write_text("")
    found = refused(1, command, config, "--out", "taken", *KNOWN_RATE)
    assert re.search(
        r"taken/digits/.*: cannot be written: .*choose another folder with --out\.", found
    )


def test_damaged_suggestions(refused, config, own_folders):
    (own_folders / "runs/digits").mkdir(parents=True)
    (own_folders / "runs/digits/suggestions.yaml").write_text("max_lr: {value: high}\n")
    assert "runs/digits/suggestions.yaml: " in refused(1, "train", config)


@pytest.mark.harness
def test_a_loss_that_is_nan_from_the_start(invoke, config, own_folders):
    (own_folders / "nan.py").write_text(
        "import keras\n\n\n"
        "def build(shape, outputs):\n"
        "    x = keras.Input(shape)\n"
        "    y = keras.layers.Rescaling(float('nan'))(keras.layers.Flatten()(x))\n"
        "    return keras.Model(x, keras.layers.Dense(outputs, activation='softmax')(y))\n"
    )
    model = ["--set", "model.name=nan.py:build"]

    refusal = invoke("find-lr", config, *model)
    assert refusal.exit_code == 3
    assert re.search(r"^verdict +non_finite$", refusal.stdout, re.M)
    assert not (own_folders / "runs/digits/suggestions.yaml").exists()

    failure = invoke("train", config, *model, *KNOWN_RATE)
    assert failure.exit_code == 1
    assert failure.stdout == ""
    assert failure.stderr.splitlines()[-1].startswith(
        "onecycle: the loss was not finite at the first"
    )


def test_a_refusal_exits_3_and_says_why(invoke, config, small):
    outcome = invoke(
        "find-lr", config, *small, "--set", "find_lr={min_lr: 1e-9, max_lr: 1e-8, steps: 12}"
    )
    assert outcome.exit_code == 3
    assert re.search(r"^verdict +never_descended$", outcome.stdout, re.M)
    assert re.search(
        r"^reason +at no learning rate did the loss fall clearly ", outcome.stdout, re.M
    )
    assert "max_lr" not in {line.split()[0] for line in outcome.stdout.splitlines()}

    outcome = invoke("find-wd", config, *small, *KNOWN_RATE, "--set", "find_wd.values=[1e28, 1e30]")
    assert outcome.exit_code == 3
    assert re.search(r"^verdict +non_finite$", outcome.stdout, re.M)


# --- plot and init ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere"], 1, "nowhere: there is nothing at this path"),
        (["void"], 1, "void: is empty; give the folder of a run"),
        (["foreign"], 1, "foreign: holds no result of onecycle; give the folder of a run"),
        (["foreign/notes.txt"], 1, "foreign/notes.txt: is a file; give the folder of a run"),
        (["digits.yaml", "void"], 2, "plot takes one config at a time"),
        (["void", "--set", "seed=1"], 2, "--set goes with a config"),
        (["no.yaml"], 2, "no.yaml: there is no such config file"),
    ],
)
def test_nothing_to_plot(refused, config, own_folders, arguments, code, sentence):
    (own_folders / "void").mkdir()
    (own_folders / "foreign").mkdir()
    (own_folders / "foreign/notes.txt").write_text("hello")
    assert refused(code, "plot", *arguments).startswith(sentence)


def test_kinds_that_do_not_go_into_one_picture(refused, chain):
    runs = chain[0] / "runs/digits"
    assert "find-lr, train" in refused(1, "plot", runs / "find-lr/001", runs / "train/001")


def test_a_picture_that_cannot_be_written(refused, chain, own_folders):
    (own_folders / "taken").touch()
    found = refused(1, "plot", chain[0] / "runs/digits/find-lr/001", "--out", "taken")
    assert "cannot be written" in found


def test_init_overwrites_nothing(refused, config):
    assert refused(2, "init") == (
        "digits.yaml: is already there; move it, or choose a folder with --out."
    )


def test_init_of_an_unknown_data_set(refused):
    assert refused(2, "init", "digit") == "unknown data set 'digit'; did you mean 'digits'?"
