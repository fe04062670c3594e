import pytest
from typer.testing import CliRunner

from onecycle_cli.commands.console.usage import completion
from onecycle_cli.config import load_config
from onecycle_cli.main import app


@pytest.fixture
def work(own_folders):
    for path in ("digits.yaml", "notes.txt", "configs/cifar.yml", ".venv/a.yaml"):
        (own_folders / path).parent.mkdir(exist_ok=True)
        (own_folders / path).touch()
    for run in ("digits/train/001", "digits/train/.002-running", "other/find-lr/001"):
        folder = own_folders / "runs" / run
        folder.mkdir(parents=True)
        (folder / "manifest.json").touch()
    return own_folders


@pytest.mark.parametrize(
    ("incomplete", "found"),
    [
        ("", ["configs/cifar.yml", "digits.yaml"]),
        ("d", ["digits.yaml"]),
        ("configs/", ["configs/cifar.yml"]),
        ("conf", ["configs/cifar.yml"]),
        ("nothing", []),
    ],
)
def test_configs(work, incomplete, found):
    assert completion.configs(incomplete) == found


@pytest.mark.parametrize(
    ("incomplete", "found"),
    [
        ("", ["runs/digits", "runs/digits/train/001", "runs/other", "runs/other/find-lr/001"]),
        ("runs", ["runs/digits", "runs/digits/train/001", "runs/other", "runs/other/find-lr/001"]),
        ("runs/d", ["runs/digits", "runs/digits/train/001"]),
        ("runs/digits/train/", ["runs/digits/train/001"]),
        ("elsewhere", []),
    ],
)
def test_runs(work, incomplete, found):
    assert completion.runs(incomplete) == found


def test_settings_are_the_keys_of_a_config():
    """Those that it dumps, which is what `--set` takes."""
    assert "find_lr.max_lr=" in completion.settings("find_lr.m")
    assert completion.settings("find_lr.no") == []
    dumped = load_config({"name": "d", "dataset": {"name": "digits"}, "model": {"name": "mlp"}})
    known = {key.removesuffix("=") for key in completion.settings("")}
    whole = {"optimizer.name", "batch_size", "train.cycles", "search.resources.cpu", "seed"}
    assert whole <= known
    for key in dumped.leaves():
        assert any(key == name or key.startswith(f"{name}.") for name in known) or any(
            name.startswith(f"{key}.") for name in known
        ), key


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["find-"], ["find-lr", "find-wd", "find-momentum"]),
        (["train", "d"], ["digits.yaml"]),
        (["train", "--set", "train.max"], ["train.max_lr="]),
        (["evaluate", "runs/d"], ["runs/digits", "runs/digits/train/001"]),
        (["find-lr", "--resume", "runs/o"], ["runs/other", "runs/other/find-lr/001"]),
    ],
)
def test_a_shell_is_told(work, typed, found):
    words = " ".join(["onecycle", *typed])
    asked = {
        "_ONECYCLE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(typed)),
    }  # fmt: skip
    outcome = CliRunner(env=asked).invoke(app, [], prog_name="onecycle")
    assert outcome.stdout.split() == found
