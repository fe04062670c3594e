"""What a training that is not finished has on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import FINDERS, TRAIN
from onecycle_cli.runs.files import read_yaml, table_in
from onecycle_cli.runs.reading.saved_run import SavedRun
from onecycle_cli.runs.records import Record, check_tables
from onecycle_cli.runs.stores.urls import address

_TABLES = ("history", "steps")
"""In this order: steps are appended before the epoch that they belong to."""


def record_so_far(run: SavedRun) -> Record:
    """Return the steps and epochs of a training that is at work or broke off.

    Its result holds nothing but the values in use, and how many steps an epoch has.

    Args:
        run: without a result.

    Raises:
        ResultError: when it is no training, has no whole epoch yet, or is damaged.
    """
    said = f"{address(run.final)}: is not finished"
    if run.kind is not TRAIN:
        progress = f" ({run.progress})" if run.progress else ""
        raise ResultError(
            f"{said}{progress}, and a search has a report at its end only; {_what_next(run)}."
        )
    if not run.progress:
        raise ResultError(f"{said}, and has no whole epoch yet; {_what_next(run)}.")
    tables = {name: _whole_rows(run.folder / f"{name}.csv") for name in _TABLES}
    check_tables(run.folder, TRAIN.tables, tables)
    config = read_yaml(run.folder / "config.yaml")
    values = config.get("train") or {}
    result = {key: values.get(key) for key in FINDERS}
    first_epoch = tables["steps"].get("epoch", []).count(1.0)
    return Record(TRAIN.name, run.label, result | {"steps_per_epoch": first_epoch}, tables, config)


def _what_next(run: SavedRun) -> str:
    return f"'{run.resume}' goes on with it" if run.resume else "wait until it has got there"


def _whole_rows(path: Path) -> dict[str, list[Any]]:
    """Return a table without the last row if that is being written."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{path}: cannot be read as a table: {error}.") from None
    return table_in(text[: text.rfind("\n") + 1], path)
