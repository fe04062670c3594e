"""The hyper-parameters of each step of an execution, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.engine.steering.live_hyper_parameters import LiveHyperparameters


def names_of(live: LiveHyperparameters) -> list[str]:
    """Return what the columns of a plan stand for."""
    return sorted(live.names)


def table_of(rows: Sequence[Mapping[str, float]], live: LiveHyperparameters) -> NDArray[np.float32]:
    """Return a row for each step; what it does not name stays as it is."""
    names = names_of(live)
    present = {name: live.read(name) for name in names if any(name not in row for row in rows)}
    table = [[(present | dict(row))[name] for name in names] for row in rows]
    return np.array(table, np.float32)
