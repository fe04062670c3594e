import pytest

from onecycle_cli.report import facts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        (1e-4, "0.0001"),
        ([0.8, 0.9], "[0.8, 0.9]"),
        ({"max": 0.95, "min": None}, "{max: 0.95, min: null}"),
        ({}, "{}"),
        ("a b", "a b"),
    ],
)
def test_values_are_written_as_in_the_config(value, text):
    assert facts.plain(value) == text


def test_every_value_has_its_dotted_key():
    config = {"a": 1, "b": {"c": [1, {"d": 2}], "e": {}}}
    assert dict(facts.leaves(config)) == {"a": 1, "b.c": [1, {"d": 2}], "b.e": {}}


def test_what_is_not_known_is_left_out(made):
    record = made["train"](cost={}, images_per_second=None)
    assert facts.cost_grid(record, {}) == []


def test_a_run_that_was_resumed_says_when(made):
    (grid,) = facts.cost_grid(made["train"](), {"start": "a", "resumed": [{"when": "b"}]})
    assert ["resumed", "b"] in grid.rows
