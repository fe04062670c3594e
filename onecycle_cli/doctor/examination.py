"""All that is looked at, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onecycle_cli.doctor import data_sets, keras_here, machine, software
from onecycle_cli.doctor.finding import Finding, found


def examine(folder: Path, *, start_keras: bool = True) -> Iterator[Finding]:
    """Yield what is found, one thing after the other.

    Args:
        folder: where runs are going to be written.
        start_keras: also start Keras, in another process, which takes seconds.
    """
    yield from found("versions", software.versions)
    yield from found("backend", software.backend)
    if start_keras:
        yield from found("Keras", keras_here.started)
    yield from found("processor", machine.processor)
    yield from found("precision", machine.precision)
    yield from found("memory", machine.memory)
    yield from found("disk", lambda: machine.disk(folder))
    yield from found("data", data_sets.places)
    yield from found("data sets", data_sets.present)
    yield from found("caches", data_sets.caches)
    yield from found("extras", software.extras)
