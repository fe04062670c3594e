"""Workers on real Ray, but for what can be told without it."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from onecycle_cli.cluster import ray_pool
from onecycle_cli.cluster.dispatch import Dispatch
from onecycle_cli.cluster.ray_pool import Duty, RayPool, check_installed
from onecycle_cli.config import load_config
from onecycle_cli.config.finders import SearchConfig
from onecycle_cli.errors import ConfigError, DataError

CONFIG = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}}


def searching_on(engine):
    return load_config(CONFIG | {"search": {"engine": engine}})


def test_where_ray_is_missing_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_installed(searching_on("local"))
    with pytest.raises(ConfigError, match=r"^search\.engine ray needs Ray, which is not installed; "
                       r"run pip install 'onecycle-cli\[ray\]', or use local\.$"):  # fmt: skip
        check_installed(searching_on("ray"))


def test_only_one_module_imports_ray_and_only_when_it_is_needed():
    script = "import sys, onecycle_cli.experiments.find_lr; print('ray' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert found.stdout.split() == [b"False"]
