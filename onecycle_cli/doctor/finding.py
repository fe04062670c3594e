"""One thing that was looked at, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from onecycle_cli.errors import OnecycleError, cause_of


class State(StrEnum):
    """How something is.

    `OK`: as it should be, or a fact; `MISSING`: something that not everybody needs; `PROBLEM`:
    something that will fail.
    """

    OK = "ok"
    MISSING = "missing"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: what it is, in a word or two.
        text: how it is.
        state: whether that is all right.
        remedy: what to do; "" where nothing needs to be done.
    """

    topic: str
    text: str
    state: State = State.OK
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as plain data."""
        return asdict(self) | {"state": self.state.value}


Check = Callable[[], Iterable[Finding]]


def found(topic: str, check: Check) -> list[Finding]:
    """Return what a check finds; that it fails is a finding, too.

    Args:
        topic: of the finding where the check fails.
        check: looks at something.
    """
    try:
        return [*check()]
    except OnecycleError as error:
        return [Finding(topic, str(error), State.PROBLEM)]
    except Exception as error:  # nothing that is looked at may keep the rest from being seen
        return [Finding(topic, f"can't be examined: {cause_of(error)}", State.MISSING)]
