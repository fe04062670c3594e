"""What the environment says of the processes that train together; nothing is started here."""

import pytest

from onecycle_cli.engine.devices.processes import (
    ADDRESSES,
    COUNT,
    PLACE,
    Processes,
    processes,
    refuse_several,
)
from onecycle_cli.errors import ConfigError


@pytest.fixture
def said(monkeypatch):
    """Let the environment say so, and nothing else."""

    def say(**values):
        names = {"addresses": ADDRESSES, "count": COUNT, "place": PLACE}
        for key, name in names.items():
            if key in values:
                monkeypatch.setenv(name, str(values[key]))
            else:
                monkeypatch.delenv(name, raising=False)

    return say


def test_a_process_is_alone_where_nothing_is_said(said):
    said()
    assert processes() == Processes(1, 0)
    assert processes().is_chief
    assert not processes().are_several
    refuse_several("onecycle run")


@pytest.mark.parametrize("addresses", ["first:1234", "10.0.0.1:1234,[::1]:99, third:1"])
def test_the_first_of_several_is_the_chief(said, addresses):
    for place in range(3):
        said(addresses=addresses, count=3, place=place)
        assert processes() == Processes(3, place)
        assert processes().is_chief == (place == 0)
        assert processes().are_several


def test_one_process_is_none_of_several(said):
    said(addresses="first:1234", count=1, place=0)
    assert not processes().are_several


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 2, "place": 0}, f"{ADDRESSES} is not set, and several processes train "),
        ({"addresses": "a:1", "place": 0}, f"{COUNT} is not set, "),
        ({"addresses": "a:1", "count": 2}, f"{PLACE} is not set, "),
        ({"addresses": "a:1", "count": "two", "place": 0}, f"{COUNT} must be a whole number "),
        ({"addresses": "a:1", "count": 0, "place": 0}, "from 1; got '0'."),
        ({"addresses": "a:1", "count": 2, "place": -1}, f"{PLACE} must be a whole number from 0; "),
        ({"addresses": "a:1", "count": 2, "place": 2}, f"{PLACE} must be below {COUNT}, "),
        ({"addresses": "a", "count": 2, "place": 0}, "must have the form HOST:PORT; got 'a'."),
        ({"addresses": ":1", "count": 2, "place": 0}, "must have the form HOST:PORT; got ':1'."),
        ({"addresses": "a:1,b:1", "count": 3, "place": 0}, "or all 3, separated by commas; got 2"),
    ],
)
def test_what_is_said_by_halves_or_wrongly_is_refused(said, values, message):
    said(**values)
    with pytest.raises(ConfigError) as error:
        processes()
    assert message in str(error.value)


def test_what_one_process_does_by_itself_is_refused_to_several(said):
    said(addresses="a:1", count=2, place=0)
    with pytest.raises(ConfigError, match=r"^onecycle run does not work with several processes; "):
        refuse_several("onecycle run")
