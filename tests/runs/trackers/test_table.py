"""Which trackers there are, and what is said where one is not installed."""

import subprocess
import sys

import pytest

from onecycle_cli.config import TRACKERS as NAMES
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.asked.installed import check_installed
from onecycle_cli.runs.trackers import table
from onecycle_cli.runs.trackers.table import TRACKERS


def config_with(*names):
    return load_config(
        {
            "dataset": {"name": "digits"},
            "model": {"name": "mlp"},
            "train": {"log_to": list(names)},
        }
    )


def test_what_a_configuration_may_name_is_there():
    assert tuple(TRACKERS) == NAMES


@pytest.mark.parametrize("name", TRACKERS)
def test_a_missing_one_is_refused_in_a_sentence_with_the_command(monkeypatch, name):
    check_installed(config_with(name))
    monkeypatch.setattr(table, "find_spec", lambda module: None)
    with pytest.raises(ConfigError) as error:
        check_installed(config_with(name))
    assert str(error.value) == (
        f"train.log_to {name} needs the package {name}, which is not installed; run pip install "
        f"'onecycle-cli[{name}]', or leave {name} out."
    )
    check_installed(config_with())


def test_a_folder_of_its_name_is_no_package(tmp_path, monkeypatch):
    """Such as the one that W&B leaves where it is used."""
    (tmp_path / "wandb").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    with pytest.raises(ConfigError, match="needs the package wandb"):
        check_installed(config_with("wandb"))


SCRIPT = """
import sys
from onecycle_cli.config import load_config
from onecycle_cli.experiments.asked.installed import check_installed
config = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}}
check_installed(load_config(config | {"train": {"log_to": ["tensorboard", "mlflow", "wandb"]}}))
print({"tensorboard", "mlflow", "wandb", "tensorflow", "keras"} & {*sys.modules})
"""


def test_none_is_imported_to_know_that():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("set()\n", "")
