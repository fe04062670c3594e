"""What only shows in a process of its own: signals, native messages, what is imported."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

LIGHT = """
import contextlib, io, sys
from onecycle_cli.main import app
for arguments in {commands}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            app(arguments)
        except SystemExit as ended:
            code = ended.code
    names = ("keras", "tensorflow", "jax", "torch", "ray", "fsspec")
    heavy = [name for name in names if name in sys.modules]
    print(code, heavy, *arguments)
"""


EVERY_BACKEND = [
    pytest.param("tensorflow", marks=pytest.mark.harness),
    pytest.param("jax", marks=pytest.mark.harness),
    pytest.param("torch", marks=pytest.mark.torch),
]


def test_help_plots_lists_and_config_errors_start_no_keras(chain, own_folders):
    (own_folders / "bad.yaml").write_text("name: x\nmodel: {name: mlp}\n")
    (own_folders / "data.csv").write_text("width,kind\n1,a\n")
    runs = str(chain[0] / "runs/digits/train")
    expected = [
        (0, ["--help"]),
        (0, ["--version"]),
        (0, ["train", "--help"]),
        (0, ["init", "digits"]),
        (0, ["init", "cifar10"]),
        *((0, ["list", what]) for what in ("models", "datasets", "optimizers", "shapes")),
        (0, ["plot", "digits.yaml"]),
        (0, ["plot", "cifar10.yaml", "--set", "train.max_lr=1"]),
        (0, ["plot", runs]),
        (1, ["plot", "nowhere"]),
        (2, ["train", "nope.yaml"]),
        (2, ["find-lr", "bad.yaml"]),
        (2, ["find-lr", "digits.yaml", "--set", "model.name=mpl"]),
        (2, ["find-lr", "digits.yaml", "--set", "model.options.hiden=1"]),
        (
            2,
            ["find-lr", "digits.yaml", "--set", "dataset={name: table, path: data.csv, target: x}"],
        ),
        (2, ["train", "digits.yaml"]),
        (2, ["find-wd", "digits.yaml"]),
        (2, ["find-momentum", "digits.yaml"]),
        (2, ["train", "digits.yaml", "--bogus"]),
        (0, ["run", "--help"]),
        (2, ["run", "digits.yaml", "--skip", "find-lr"]),
        (2, ["run", "--resume", "runs"]),
    ]
    script = LIGHT.format(commands=[arguments for _, arguments in expected])

    found = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )

    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    assert found.stdout.splitlines() == [
        f"{code} [] {' '.join(arguments)}" for code, arguments in expected
    ]


OURS = [
    r"360 x 8 x 8 x 1 bytes, 10 classes, cross-entropy; scored by accuracy",
    r"task: multiclass \(labels of 10 classes\)",
    r"writing to one/digits/find-lr/\.001-running",
    r"2 range tests from 1e-05 to 10: sgd, momentum 0\.9, l2 weight decay 0",
    r"at most 80 steps = 13 epochs = 6\.7 times the configured training",
    r"range test 1 of 2: \w+ at \S+ after \d+ steps",
    r"range test 2 of 2: \w+ at \S+ after \d+ steps",
    r"next: python -m onecycle_cli find-wd digits\.yaml .* --out one",
]


@pytest.mark.harness
def test_only_our_lines_are_seen_and_the_bytes_are_those_of_any_other_process(
    chain, config, small, start, own_folders
):
    processes = [
        start("find-lr", config, *small, "--no-progress", "--out", "one"),
        start("find-lr", config, *small, "--quiet", "--out", "two"),
    ]
    (out, err), (quiet_out, quiet_err) = (p.communicate(timeout=120) for p in processes)

    assert [p.returncode for p in processes] == [0, 0]
    lines = err.splitlines()
    assert len(lines) == len(OURS), err
    assert all(re.fullmatch(ours, line) for ours, line in zip(OURS, lines, strict=True)), err
    assert quiet_err == ""
    first_words = [line.split("  ")[0] for line in quiet_out.splitlines()]
    assert first_words == [line.split("  ")[0] for line in out.splitlines()]
    assert first_words[:3] == ["max_lr", "min_lr", "verdict"]
    curves = [
        folder / "digits/find-lr/001/curve.csv"
        for folder in (chain[0] / "runs", own_folders / "one", own_folders / "two")
    ]
    assert len({curve.read_bytes() for curve in curves}) == 1


@pytest.fixture
def training(config, small, start):
    """Start to train for ever, and return the processes once each has done an epoch."""
    started = []

    def begin(*names, **environment):
        for name in names:
            endless = ["--set", "train={max_lr: 0.01, cycles: [{epochs: 100000}]}"]
            arguments = ("train", config, *small, *endless, "--out", name)
            started.append(start(*arguments, **environment))
        for process, name in zip(started, names, strict=True):
            wait_for_epochs(process, name)
        return started

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_for_epochs(process, name, more_than=3):
    history = Path(name) / "digits/train/.001-running/history.csv"
    deadline = time.monotonic() + 120
    while not (history.exists() and len(history.read_text().splitlines()) > more_than):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.harness
def test_signals_end_a_training_and_keep_what_was_finished(training, own_folders):
    signals = {"a": signal.SIGINT, "b": signal.SIGTERM}
    processes = training(*signals)

    for process, number in zip(processes, signals.values(), strict=True):
        process.send_signal(number)
    ended = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [130, 143]
    for name, (out, err), word in zip(signals, ended, ("ended by Ctrl-C", "onecycle: termin"),
                                      strict=True):  # fmt: skip
        folder = own_folders / name / "digits/train/001"
        assert err.splitlines()[-1].startswith(word)
        assert f"'onecycle train --resume {folder}' goes on" in err.splitlines()[-1]
        assert "Traceback" not in err
        assert {p.name for p in folder.parent.iterdir()} == {"001"}
        left = {
            "config.yaml", "history.csv", "steps.csv", "manifest.json", "model.keras", "best.keras",
            "resume.json", "checkpoints", "split.npz",
        }  # fmt: skip
        if name == "a":  # cooled down and judged
            left |= {
                "result.json", "plot.png", "confusion.png", "report.html", "mistakes.json",
            }  # fmt: skip
            assert out.startswith("test accuracy")
        assert {p.name for p in folder.iterdir()} == left
        assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"
        epochs = len((folder / "history.csv").read_text().splitlines()) - 1
        steps = len((folder / "steps.csv").read_text().splitlines()) - 1
        closed = 6 * epochs - (5 if name == "a" else 0)  # a cool-down may end within an epoch
        assert closed <= steps <= 6 * epochs + 6


@pytest.mark.parametrize("backend", EVERY_BACKEND)
def test_a_training_that_is_killed_goes_on_to_the_same_bits(training, start, own_folders, backend):
    """As far as one that was never killed came; neither is cooled down.

    It goes on with its backend, which nobody names again.
    """
    killed, whole = training("killed", "whole", KERAS_BACKEND=backend)
    killed.kill()
    killed.communicate()
    folder = own_folders / "killed/digits/train"
    assert sorted(p.name for p in folder.iterdir()) == [".001-running", ".001.lock"]
    before = rows_of(folder / ".001-running/steps.csv")
    refused = start(
        "train", "--resume", folder, KERAS_BACKEND="jax" if backend == "torch" else "torch"
    )
    _, err = refused.communicate(timeout=120)
    assert refused.returncode == 2
    assert f"was started on the backend {backend}, and Keras is set to " in err

    resumed = start("train", "--resume", folder)
    wait_for_epochs(resumed, "killed", more_than=len(before) // 6 + 3)
    for process in (resumed, whole):
        process.terminate()
        process.communicate()
        assert process.returncode == 143

    assert [p.name for p in folder.iterdir()] == ["001"]
    after = rows_of(folder / "001/steps.csv")
    other = rows_of(own_folders / "whole/digits/train/001/steps.csv")
    common = min(len(after), len(other))
    assert common > len(before) + 6
    assert after[:common] == other[:common]


def rows_of(path):
    return path.read_text().splitlines()


def test_the_last_word_is_the_command_s_and_not_native_code_s():
    """As TensorFlow's threads write when they are ended at exit."""
    script = (
        "import atexit, os, sys\n"
        "from onecycle_cli.main import run\n"
        "atexit.register(lambda: os.write(2, b'native noise'))\n"
        "sys.argv[1:] = ['plot', 'nothing/here']\n"
        "run()"
    )
    found = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert found.returncode == 1
    assert found.stderr.startswith(b"onecycle: nothing/here: there is nothing at this path")
    assert b"native noise" not in found.stderr


def test_a_reader_that_goes_away_is_no_error():
    """As in `onecycle list models | head -1`."""
    script = f"{sys.executable} -m onecycle_cli list models | {sys.executable} -c pass"
    found = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True)
    assert found.stderr == ""


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", b"\xe5\xae\x9f"),  # a Japanese character
        ("latin-1", b"\xe5\xae\x9f"),
        ("ascii", b"\xc3\xbc"),  # a u with two dots
        ("utf-8", b"\xff"),  # no UTF-8 at all
    ],
)
def test_a_character_that_cannot_be_written_costs_no_exit_code(own_folders, encoding, name):
    (own_folders / "digits.yaml").write_text("dataset: {name: digits}\nmodel: {name: mlp}\n")
    commands = [
        [b"plot", b"digits.yaml", b"--set", b"train.max_lr=1", b"--out", name],
        [b"init", b"mnist", b"--out", name],
        [b"plot", b"--help"],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "onecycle_cli", *command],
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            check=False,
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b""), command
        assert done.stdout.decode(encoding if encoding != "ascii" else "utf-8").strip()
    assert os.listdir(name)  # noqa: PTH208  (its name is bytes)


@pytest.mark.harness
@pytest.mark.parametrize("command", ["find-lr", "find-wd", "find-momentum", "train", "run"])
def test_what_is_wrong_with_the_data_is_said_before_keras_starts(tmp_path, command):
    np.savez(tmp_path / "data.npz", x_train=np.ones((40, 3)), y_train=np.full(40, np.nan))
    config = tmp_path / "mine.yaml"
    config.write_text(
        "dataset: {name: arrays, path: data.npz}\nmodel: {name: mlp}\ntrain: {max_lr: 0.1}\n"
    )
    script = (
        "import sys\nfrom onecycle_cli.main import run\nsys.argv = ['onecycle', *sys.argv[1:]]\n"
        "try:\n    run()\nfinally:\n    assert 'keras' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, command, str(config)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "row 0 has a NaN" in done.stderr
    assert "AssertionError" not in done.stderr
