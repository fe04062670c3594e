import inspect
import subprocess
import sys

import pytest

import onecycle_cli


def test_the_public_names():
    assert onecycle_cli.__all__ == [
        "ComparisonResult",
        "Config",
        "Curve",
        "Evaluation",
        "FindLRResult",
        "LRFinder",
        "Observer",
        "OneCycleLR",
        "OnecycleError",
        "RunResult",
        "Scheduled",
        "Suggestion",
        "TrainResult",
        "__version__",
        "evaluate",
        "find_lr",
        "find_momentum",
        "find_wd",
        "find_weight_decay",
        "load_config",
        "run",
        "schedules",
        "suggest",
        "train",
    ]
    assert dir(onecycle_cli) == onecycle_cli.__all__


@pytest.mark.parametrize("name", onecycle_cli.__all__)
def test_every_name_leads_somewhere(name):
    found = getattr(onecycle_cli, name)
    if inspect.ismodule(found):
        assert found.__name__ == f"onecycle_cli.{name}"
    elif name != "__version__":
        assert found.__name__ == {"find_weight_decay": "find_wd"}.get(name, name)
        assert found.__doc__


def test_a_star_import_takes_them_all():
    names = {}
    exec("from onecycle_cli import *", names)
    assert set(onecycle_cli.__all__) <= set(names)


def test_a_name_that_there_is_not():
    with pytest.raises(AttributeError, match="module 'onecycle_cli' has no attribute 'nonsense'"):
        _ = onecycle_cli.nonsense
    with pytest.raises(ImportError, match="cannot import name 'nonsense'"):
        from onecycle_cli import nonsense  # noqa: F401


SCRIPT = """
import sys
heavy = {"numpy", "pydantic", "yaml", "matplotlib", "keras", "tensorflow", "typer"}
import onecycle_cli
dir(onecycle_cli), onecycle_cli.__version__
assert not heavy & set(sys.modules), heavy & set(sys.modules)
onecycle_cli.schedules.learning_rates(10, 1.0)
onecycle_cli.OnecycleError, onecycle_cli.Observer
assert not heavy & set(sys.modules), heavy & set(sys.modules)
onecycle_cli.suggest
assert heavy & set(sys.modules) == {"numpy"}, heavy & set(sys.modules)
onecycle_cli.load_config
assert heavy & set(sys.modules) == {"numpy", "pydantic", "yaml"}, heavy & set(sys.modules)
"""


def test_names_are_loaded_when_they_are_used():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
