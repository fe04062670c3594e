"""A run read back, as it is drawn and judged."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import KINDS
from onecycle_cli.runs.curve import Curve
from onecycle_cli.runs.files import (
    Table,
    as_read,
    plain,
    read_csv,
    read_json,
    read_yaml,
    write_bytes,
    write_csv,
    write_json,
)
from onecycle_cli.runs.finding import find_run, is_run
from onecycle_cli.runs.mistakes import Mistake, read_mistakes, write_mistakes
from onecycle_cli.runs.seed_folder import read_seed_folder
from onecycle_cli.runs.suggestions_file import RULES, is_usable
from onecycle_cli.suggest import LRFindings

CONFUSION = "confusion.npz"
"""Where a training's confusion matrix is that is too large for JSON."""

_MOST_CLASSES_IN_JSON = 100
_WORDS_TOO = ("momentum", "stage", "held_out", "held_out_error")
"""Columns whose values may be words, or empty."""

_DRAWN = [kind.name for kind in KINDS.values() if kind.tables]


@dataclass(frozen=True)
class Record:
    """The result of a run: what is written of it, read back, and drawn.

    Attributes:
        kind: `find-lr`, `find-momentum`, `find-wd` or `train`.
        label: the run's name and number.
        result: what `result.json` says besides these; nothing for a folder that has none.
        tables: the CSV files by stem: for each column a list of values.
        config: the resolved configuration; empty for a folder that has none.
        mistakes: of a training on images, some that the model got wrong.
    """

    kind: str
    label: str
    result: dict[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = field(default_factory=list)

    def curves(self) -> list[Curve]:
        """Return the range tests of a `find-lr` record, one for each repeat; none of probes."""
        if "curve" not in self.tables:
            return []
        table = self.tables["curve"]
        repeats = np.array(table.get("repeat", [0] * len(table["lr"])))
        lrs, losses = np.array(table["lr"], float), np.array(table["loss"], float)
        return [
            Curve(lrs[repeats == r].tolist(), losses[repeats == r].tolist(), f"repeat {i}")
            for i, r in enumerate(sorted(set(repeats.tolist())))
        ]

    def write(self, folder: Path, *, with_tables: bool = True) -> None:
        """Write `result.json`, the tables and the mistakes, each whole or not at all.

        Args:
            folder: of the run.
            with_tables: whether the tables are not there yet.

        Raises:
            ResultError: when they can't be written.
        """
        if with_tables:
            write_tables(folder, self.tables)
        write_mistakes(folder, self.mistakes)
        write_result(folder / "result.json", self._whole())

    def as_read(self) -> Record:
        """Return what `read_record` returns once it is written, without reading anything."""
        tables = {name: as_read(table) for name, table in self.tables.items()}
        result, config = plain(self._whole()), plain(self.config)
        return Record(self.kind, self.label, result, tables, config, list(self.mistakes))

    def _whole(self) -> dict[str, Any]:
        return {"kind": self.kind, "label": self.label, **self.result}


def write_tables(folder: Path, tables: Mapping[str, Table]) -> None:
    """Write tables as CSV files.

    Raises:
        ResultError: when they can't be written.
    """
    for name, table in tables.items():
        write_csv(folder / f"{name}.csv", table)


def write_result(path: Path, data: Mapping[str, Any], *, matrix: str = CONFUSION) -> None:
    """Write a result as JSON; a large confusion matrix goes into a file of its own beside it.

    Args:
        path: the JSON file.
        data: as it is to be read; of more than 100 classes, `confusion_file` says where the matrix
            is to be found: in an .npz file, as `confusion`.
        matrix: the name of that file.
    """
    data, confusion = without_large_confusion(data)
    if confusion is not None:
        file = io.BytesIO()
        np.savez_compressed(file, confusion=np.asarray(confusion, np.int64))
        write_bytes(path.with_name(matrix), file.getvalue())
        data |= {"confusion_file": matrix}
    write_json(path, data)


def without_large_confusion(data: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return a result without its confusion matrix, and that, if it is of more than 100 classes."""
    confusion = data.get("confusion")
    if confusion is None or len(confusion) <= _MOST_CLASSES_IN_JSON:
        return dict(data), None
    return {key: value for key, value in data.items() if key != "confusion"}, confusion


def read_record(path: str | Path) -> Record:
    """Return what a run folder, or a folder of keras-one-cycle, holds.

    Raises:
        ResultError: when files are missing or damaged.
    """
    folder = find_run(path)
    if not is_run(folder):
        curve = read_seed_folder(folder)
        return Record(
            kind="find-lr",
            label=folder.name,
            tables={"curve": {"lr": curve.lrs, "loss": curve.losses}},
        )
    result = read_json(folder / "result.json")
    _check_result(folder / "result.json", result)
    if (folder / CONFUSION).is_file() and "confusion" not in result:
        result["confusion"] = _read_matrix(folder / CONFUSION)
    tables = {p.stem: read_csv(p) for p in sorted(folder.glob("*.csv"))}
    check_tables(folder, KINDS[result["kind"]].tables_by(result.get("method")), tables)
    return Record(
        kind=result["kind"],
        label=str(result.get("label") or folder.name),
        result=result,
        tables=tables,
        config=read_yaml(folder / "config.yaml"),
        mistakes=read_mistakes(folder),
    )


def find_lr_result(findings: LRFindings, *, scale: str, **more: Any) -> dict[str, Any]:
    """Return what `result.json` says of one or several range tests."""
    return {
        "suggestion": findings.suggestion.as_dict(),
        "min_lr": findings.min_lr,
        "landmarks": [asdict(marks) for marks in findings.landmarks],
        "rules": findings.rules,
        "scale": scale,
        **more,
    }


def _read_matrix(path: Path) -> np.ndarray[Any, Any]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return np.asarray(file["confusion"])
    except Exception as error:  # a damaged file can raise nearly anything
        raise ResultError(
            f"{path}: cannot be read as a confusion matrix; restore it, or remove it."
        ) from error


def _check_result(path: Path, result: Any) -> None:
    if not isinstance(result, dict) or result.get("kind") not in _DRAWN:
        raise ResultError(
            f"{path}: is not a result of onecycle; 'kind' must be one of {', '.join(_DRAWN)}."
        )
    for part in ("suggestion", "differences", "plan"):
        if not isinstance(result.get(part) or {}, dict):
            raise ResultError(f"{path}: '{part}' must have keys and values; run the command again.")
    value, key = result.get("suggestion", {}).get("value"), KINDS[result["kind"]].finds
    if key and value is not None and not is_usable(key, value):
        raise ResultError(f"{path}: suggestion.value must be {RULES[key]}; got {value}.")


def check_tables(
    folder: Path,
    needed: Mapping[str, tuple[str, ...]],
    tables: Mapping[str, dict[str, list[Any]]],
) -> None:
    """Refuse tables that are not there as a whole, with numbers where numbers belong.

    Args:
        folder: of the run.
        needed: the columns that each table must have.
        tables: by stem.

    Raises:
        ResultError: saying what is missing or wrong.
    """
    for name, columns in needed.items():
        path = folder / f"{name}.csv"
        if name not in tables:
            raise ResultError(f"{path}: is missing; restore it, or run the command again.")
        for column in columns:
            if column not in tables[name]:
                raise ResultError(f"{path}: has no column '{column}'; run the command again.")
            values = tables[name][column]
            if not values:
                raise ResultError(f"{path}: has no rows; run the command again.")
            if column not in _WORDS_TOO and (text := [v for v in values if isinstance(v, str)]):
                raise ResultError(f"{path}: '{column}' must hold numbers only; got '{text[0]}'.")
