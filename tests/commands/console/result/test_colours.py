import sys

import pytest

from onecycle_cli.commands.console.result.colours import by_verdict, painted, shows_colours


@pytest.mark.parametrize(
    ("verdict", "code"), [("ok", 32), ("undecided", 33), ("never_descended", 31), ("too_short", 31)]
)
def test_a_verdict_has_the_colour_of_a_traffic_light(window, verdict, code):
    window(80)
    text = by_verdict("value", verdict)
    assert painted("value", text, sys.stdout) == f"\x1b[{code}mvalue\x1b[0m"
    assert f"{text}" == "value"
    assert painted("value", "plain", sys.stdout) == "value"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)],
)
def test_who_wants_no_colours_gets_none(window, monkeypatch, name, value, shown):
    window(80)
    monkeypatch.setenv(name, value)
    assert shows_colours(sys.stdout) is shown


def test_a_pipe_gets_none(capsys):
    assert not shows_colours(sys.stdout)
