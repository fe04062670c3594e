"""A config that is given again on resuming."""

from pathlib import Path

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.asked.resume import epochs_asked_for, refuse_changes

RAY = {"engine": "ray", "trials_at_once": 3, "resources": {"cpu": 2}}


@pytest.fixture
def configs(small):
    """What a run was started with, and the same elsewhere."""
    return load_config(small(devices=1)), load_config(small(search=RAY, devices=2))


def test_a_run_may_go_on_elsewhere_than_before(configs):
    here, there = configs
    for then, now in (configs, configs[::-1]):
        going_on = refuse_changes(Path("run"), then, now, instead="start again")
        where = {"search", "devices"}
        assert going_on.model_dump(include=where) == now.model_dump(include=where)
        assert going_on.model_dump(exclude=where) == then.model_dump(exclude=where)
    assert epochs_asked_for(Path("run"), here, there) is None


def test_nothing_else_may_differ_then(small, configs):
    other = load_config(small(search=RAY, batch_size=7))
    with pytest.raises(ConfigError, match=r"with another config: batch_size 64, now 7\. Resume it"):
        refuse_changes(Path("run"), configs[0], other, instead="start again")
