"""Each row of the table, held against what it names."""

import inspect
from importlib import import_module

import pytest

from onecycle_cli import plotting
from onecycle_cli.config import load_config
from onecycle_cli.kinds import FINDERS, KINDS, RUN, STAGES
from onecycle_cli.runs.records import Record

CONFIG = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}}
STAGE_KINDS = [KINDS[name] for name in STAGES]


def test_a_recipe_searches_in_the_order_of_importance_and_trains_last():
    assert list(KINDS) == ["find-lr", "find-wd", "find-momentum", "train", "run"]
    assert [*STAGES, RUN.name] == list(KINDS)
    assert list(FINDERS) == ["max_lr", "weight_decay", "momentum"]


@pytest.mark.parametrize("kind", STAGE_KINDS, ids=lambda kind: kind.name)
def test_a_kind_has_a_section_of_the_configuration_and_a_function(kind):
    config = load_config(CONFIG)
    assert getattr(config, kind.section) is not None
    if kind.finds is not None:
        assert getattr(config.train, kind.finds) == "auto"
    verb = getattr(import_module(f"onecycle_cli.experiments.{kind.section}"), kind.section)
    assert {"config", "out", "observer", "resume"} <= set(inspect.signature(verb).parameters)


@pytest.mark.parametrize("kind", STAGE_KINDS, ids=lambda kind: kind.name)
def test_a_kind_is_drawn_from_the_tables_that_it_must_have(kind):
    tables = {
        name: {column: [0.0, 1.0, 2.0] for column in columns}
        for name, columns in kind.tables.items()
    }
    if kind.finds == "max_lr":
        tables["curve"]["lr"] = [0.1, 0.2, 0.3]
    figure = plotting.draw(Record(kind.name, "x", result={"kind": kind.name}, tables=tables))
    assert figure.axes
