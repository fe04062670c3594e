"""TensorBoard's event files, encoded by TensorBoard's own package; TensorFlow is not needed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from onecycle_cli.runs.trackers.rows import Row, is_number

Event = Any
"""TensorBoard's `Event`, which has no types."""


def version(time: float) -> Event:
    """Return what every event file begins with."""
    return _message("event_pb2").Event(wall_time=time, file_version="brain.Event:2")


def event_of(row: Row, time: float) -> Event:
    """Return the numbers of a step or an epoch as an event."""
    return scalars(row.values, row.at, time)


def scalars(values: Mapping[str, float], step: int, time: float) -> Event:
    """Return numbers by name as an event."""
    summary = _message("summary_pb2").Summary
    entries = [summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
    return _event(summary(value=entries), step, time)


def session_start(name: str, params: Mapping[str, Any], time: float) -> Event:
    """Return what makes a run a row of the HParams table, with a column for each parameter.

    Args:
        name: of the run.
        params: numbers, truth values and text are shown as they are, and all else as text.
        time: when it started, in seconds since 1970.
    """
    shown = {key: _shown(value) for key, value in params.items()}
    make = _hparams("summary_v2").hparams_pb
    return _event(make(shown, trial_id=name, start_time_secs=time), 0, time)


def session_end(*, is_done: bool, time: float) -> Event:
    """Return what says in that table that a run is over, and whether it got to its end."""
    status = "STATUS_SUCCESS" if is_done else "STATUS_FAILURE"
    info = _hparams("plugin_data_pb2").SessionEndInfo(
        status=_hparams("api_pb2").Status.Value(status), end_time_secs=time
    )
    data = _hparams("plugin_data_pb2").HParamsPluginData(session_end_info=info)
    about = _hparams("metadata")
    value = _message("summary_pb2").Summary.Value(
        tag=about.SESSION_END_INFO_TAG,
        metadata=about.create_summary_metadata(data),
        tensor=about.NULL_TENSOR,
    )
    return _event(_message("summary_pb2").Summary(value=[value]), 0, time)


def records(events: Iterable[Event]) -> bytes:
    """Return events as the content of an event file, or as a part of it."""
    file = io.BytesIO()
    writer = import_module("tensorboard.summary.writer.record_writer").RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString(deterministic=True))
    return file.getvalue()


def _event(summary: Any, step: int, time: float) -> Event:
    return _message("event_pb2").Event(wall_time=time, step=step, summary=summary)


def _message(module: str) -> Any:
    return import_module(f"tensorboard.compat.proto.{module}")


def _hparams(module: str) -> Any:
    return import_module(f"tensorboard.plugins.hparams.{module}")


def _shown(value: Any) -> Any:
    return value if isinstance(value, str | bool) or is_number(value) else str(value)
