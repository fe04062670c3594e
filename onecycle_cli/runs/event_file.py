"""The tables of a training as an event file for TensorBoard.

The file is a pure function of the tables and the time the run started: written again with longer
tables it has the same beginning, so that a run that is resumed leaves nothing double.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.runs.files import unwritable, write_bytes
from onecycle_cli.runs.log import Logbook

NAME = "events.out.tfevents.onecycle"

_PER_STEP = {
    "loss": "step/loss",
    "lr": "step/lr",
    "momentum": "step/momentum",
    "weight_decay": "step/weight_decay",
    "grad_norm": "step/grad_norm",
}
_PER_EPOCH = {
    "loss": "epoch/loss",
    "val_loss": "epoch/val_loss",
    "val_accuracy": "epoch/val_accuracy",
}

Table = Mapping[str, Sequence[Any]]


def check_event_files_can_be_written() -> None:
    """Make sure that TensorFlow is there, without importing it.

    Raises:
        ConfigError: when it is not.
    """
    if find_spec("tensorflow") is None:
        raise ConfigError(
            "train.tensorboard needs TensorFlow, which is not installed; run 'pip install "
            "tensorflow', or set train.tensorboard=false."
        )


class EventFile:
    """The event file of a training, which grows with its log.

    Args:
        folder: the place of the file, `NAME`.
        started: the time of all events, in seconds since 1970; the tables know no clock.
    """

    def __init__(self, folder: Path, *, started: float) -> None:
        self._folder, self._started = folder, started
        self._steps = self._size = self._times_back = 0

    def write(self, log: Logbook) -> None:
        """Make it say what the log says; only what is new is put into events, if it can be.

        Raises:
            ResultError: when the file can't be written.
        """
        path = self._folder / NAME
        first = self._steps if log.times_back == self._times_back else 0
        if first and path.exists() and path.stat().st_size == self._size:
            new = log.tables(first)
            _append(path, _records(_events(new["steps"], new["history"], self._started)))
        else:
            whole = log.tables()
            write_events(self._folder, whole["steps"], whole["history"], started=self._started)
        ended = [*log.steps["epoch"][-1:]] == [len(log.epochs)]
        self._steps, self._times_back = len(log) if ended else 0, log.times_back
        self._size = path.stat().st_size


def write_events(folder: Path, steps: Table, epochs: Table, *, started: float) -> None:
    """Write the tables of a training into `folder`, so that a reader sees each value once.

    What a file of the same run holds already stays in its place, and the rest is put behind it:
    a TensorBoard that is reading it sees it grow. Any other file is replaced as a whole.

    Args:
        folder: the place of the file, `NAME`.
        steps: columns of `steps.csv`; `step` and `epoch` are needed.
        epochs: columns of `history.csv`; `epoch` is needed.
        started: the time of all events, in seconds since 1970; the tables know no clock.

    Raises:
        ResultError: when the file can't be written.
    """
    path = folder / NAME
    content = _records(chain([_version(started)], _events(steps, epochs, started)))
    try:
        known = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise unwritable(path, error) from None
    if known and content.startswith(known):
        _append(path, content[len(known) :])
    else:
        write_bytes(path, content)


def _append(path: Path, content: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(content)
    except OSError as error:
        raise unwritable(path, error) from None


def _version(started: float) -> Any:
    make = import_module("tensorflow").compat.v1
    return make.Event(wall_time=started, file_version="brain.Event:2")


def _events(steps: Table, epochs: Table, started: float) -> Iterator[Any]:
    """Yield each epoch's steps and, when it is over, its means."""
    make = import_module("tensorflow").compat.v1
    ends = {int(epoch): i for i, epoch in enumerate(epochs["epoch"])}
    last = len(steps["step"]) - 1
    for i, step in enumerate(steps["step"]):
        yield _event(make, started, int(step), steps, i, _PER_STEP)
        epoch = int(steps["epoch"][i])
        is_end = i == last or int(steps["epoch"][i + 1]) != epoch
        if is_end and epoch in ends:
            yield _event(make, started, epoch, epochs, ends[epoch], _PER_EPOCH)


def _event(
    make: Any, started: float, step: int, table: Table, row: int, tags: Mapping[str, str]
) -> Any:
    """Return one row's values; those that are missing or not finite are left out."""
    values = [
        make.Summary.Value(tag=tag, simple_value=value)
        for column, tag in tags.items()
        if column in table and _is_finite(value := table[column][row])
    ]
    return make.Event(wall_time=started, step=step, summary=make.Summary(value=values))


def _records(events: Iterable[Any]) -> bytes:
    """Return the events in TensorFlow's format of records."""
    writer_of = import_module("tensorflow").io.TFRecordWriter
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / NAME
        try:
            with writer_of(str(path)) as writer:
                for event in events:
                    writer.write(event.SerializeToString(deterministic=True))
            return path.read_bytes()
        except OSError as error:
            raise ResultError(f"{path}: cannot be written: {error.strerror}.") from None


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
