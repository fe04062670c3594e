"""How many workers have room on the machines of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Resources = Mapping[str, float]
"""So much of each, such as `{"CPU": 2, "GPU": 0.5}`."""


def places(machines: Iterable[Resources], wanted: Resources) -> int:
    """Return how many workers can be there at a time, if nothing else is.

    Args:
        machines: what each machine has in all.
        wanted: what each worker takes, all of it from one machine.
    """
    return sum(_on_one(machine, wanted) for machine in machines)


def _on_one(machine: Resources, wanted: Resources) -> int:
    shares = [machine.get(name, 0.0) / share for name, share in wanted.items() if share > 0]
    return int(min(shares) + 1e-9)
