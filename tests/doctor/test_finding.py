import pytest

from onecycle_cli.doctor.finding import Finding, State, found
from onecycle_cli.errors import DataError


@pytest.mark.parametrize(
    ("error", "state", "text"),
    [
        (DataError("ONECYCLE_DATA must exist."), State.PROBLEM, "ONECYCLE_DATA must exist."),
        (OSError("no such device"), State.MISSING, "can't be examined: OSError: no such device"),
        (KeyError("flags"), State.MISSING, "can't be examined: KeyError: 'flags'"),
    ],
)
def test_a_check_that_fails_is_a_finding(error, state, text):
    def fails():
        yield Finding("data", "so far")
        raise error

    (finding,) = found("data", fails)
    assert (finding.topic, finding.state, finding.text) == ("data", state, text)


def test_findings_are_plain_data_to_programs():
    finding = Finding("disk", "full", State.PROBLEM, "make room")
    assert finding.as_dict() == {
        "topic": "disk",
        "text": "full",
        "state": "problem",
        "remedy": "make room",
    }
