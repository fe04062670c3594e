"""Single files, written whole or not at all.

Every file is written under a temporary name beside it, flushed and renamed, so that a reader sees
it whole or not at all. Floats in CSV and JSON round-trip.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import math
import os
import re
import secrets
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from onecycle_cli.errors import ResultError

Table = Mapping[str, Sequence[Any]]
"""The values of each column, by its name."""

_RUNNING = re.compile(r"\.\d+-running")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        ResultError: when the folder can't be written or the disk is full; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _make_folder_of(path)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _make_folder_of(path: Path) -> None:
    """Make a file's folder, but not that of a run at work: it was made when the run began."""
    for folder in path.parents:
        if _RUNNING.fullmatch(folder.name) and not folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    path.parent.mkdir(parents=True, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, data: Any) -> None:
    """Write JSON; non-finite numbers become `null`, which every reader understands."""
    write_text(path, to_json(data, indent=2) + "\n")


def write_yaml(path: Path, data: Any, header: str = "") -> None:
    """Write YAML that this program reads back to the same values."""
    write_text(path, header + to_yaml(data))


def table_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """Return rows as a table."""
    table: dict[str, list[Any]] = {name: [] for name in columns}
    for row in rows:
        for values, value in zip(table.values(), row, strict=True):
            values.append(value)
    return table


def write_csv(path: Path, table: Table) -> None:
    """Write a table with a header row; floats keep every digit they need."""
    write_text(path, csv_text(table))


def csv_text(table: Table, *, header: bool = True) -> str:
    """Return what `write_csv` writes, with or without the header row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(table)
    columns = ([_cell(value) for value in values] for values in table.values())
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def as_read(table: Table) -> dict[str, list[Any]]:
    """Return a table as `read_csv` returns it once it is written."""
    return {name: _column_as_read(values) for name, values in table.items()}


def _column_as_read(values: Sequence[Any]) -> list[Any]:
    if isinstance(values, array):
        return list(map(float, values))
    return [_value("" if value is None else str(_cell(value))) for value in values]


def read_csv(path: Path) -> dict[str, list[Any]]:
    """Return the columns of a table by name; numbers as floats, the rest as text.

    Raises:
        ResultError: when the file is damaged.
    """
    try:
        return table_in(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ResultError(f"{path}: cannot be read as a table: {error}.") from None


def table_in(text: str, path: Path) -> dict[str, list[Any]]:
    """Return what `read_csv` returns of a file with this text; errors name `path`."""
    with contextlib.suppress(ValueError):
        return {name: values.tolist() for name, values in numbers_in(text).items()}
    rows = list(csv.reader(io.StringIO(text)))
    if not rows:
        raise ResultError(f"{path}: is empty; restore it, or run the command again.")
    width = len(rows[0])
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != width:
            raise ResultError(
                f"{path}, line {number}: has {len(row)} values where the header has {width}; "
                f"restore the file, or run the command again."
            )
    return {name: [_value(r[i]) for r in rows[1:]] for i, name in enumerate(rows[0])}


def numbers_in(text: str) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a table that holds nothing but numbers, by name.

    A million rows take seconds, where a reader of text in Python takes far longer.

    Raises:
        ValueError: when it is another table, or damaged.
    """
    head, _, body = text.partition("\n")
    names, rows = head.split(","), body.count("\n")
    is_whole = rows and body.endswith("\n") and "\n\n" not in text
    if not is_whole or not all(map(str.isidentifier, names)):
        raise ValueError("it is no table of numbers with a header and whole rows.")
    values = np.loadtxt(io.StringIO(body), delimiter=",", comments=None, ndmin=2)
    if values.shape != (rows, len(names)) or len(set(names)) < len(names):
        raise ValueError("its rows and columns do not fit its header.")
    return {name: values[:, i] for i, name in enumerate(names)}


def read_json(path: Path) -> Any:
    """Return the data of a JSON file.

    Raises:
        ResultError: when the file is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"{path}: cannot be read as JSON: {error}.") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the keys and values of a YAML file; none if there is no file.

    Raises:
        ResultError: when the file is damaged.
    """
    from onecycle_cli.config import yaml_source

    if not path.exists():
        return {}
    try:
        data, _ = yaml_source.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise ResultError(f"{path}: cannot be read as YAML: {reason}.") from None
    if not isinstance(data, dict):
        raise ResultError(f"{path}: holds no keys and values; delete it and run the finder again.")
    return data


def to_json(data: Any, indent: int | None = None) -> str:
    """Return JSON in which non-finite numbers are `null`; on one line, unless indented.

    Lists of numbers keep to one line even then, so that a matrix has a line a row.
    """
    text = json.dumps(plain(data), indent=indent, allow_nan=False)
    return text if indent is None else _LIST_OF_NUMBERS.sub(_on_one_line, text)


def to_yaml(data: Any) -> str:
    """Return YAML in which every float is a number for YAML 1.1 and 1.2 readers alike."""
    return yaml.dump(plain(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def now() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class _Dumper(yaml.SafeDumper):
    """Puts text in quotes that YAML 1.1 or 1.2 would take for a number."""


_NUMBER = "tag:yaml.org,2002:float"

_Dumper.add_implicit_resolver(_NUMBER, re.compile(r"^[-+]?\.?\d[\w.+-]*$"), list("-+.0123456789"))


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    text = repr(value)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return dumper.represent_scalar(_NUMBER, text)


_Dumper.add_representer(float, _represent_float)

_LIST_OF_NUMBERS = re.compile(r"\[\n\s+[-+.\deE]+(?:,\n\s+[-+.\deE]+)*\n\s*\]")
"""Written by `json.dumps` with an indent; text in JSON has no line breaks of its own."""


def _on_one_line(found: re.Match[str]) -> str:
    return f"[{' '.join(found[0][1:-1].split())}]"


def plain(data: Any) -> Any:
    """Return data as `read_json` returns them once they are written."""
    if isinstance(data, Mapping):
        return {str(k): plain(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [plain(v) for v in data]
    if isinstance(data, np.generic | np.ndarray):
        return plain(data.tolist())
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data


def _cell(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value) if isinstance(value, float) else value


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def unwritable(path: Path, error: OSError) -> ResultError:
    """Return the error for a file that could not be written, with what helps in this case."""
    reason = error.strerror or str(error)
    code = error.errno or 0
    remedy = _REMEDIES.get(code, "Choose another folder with --out.")
    return ResultError(f"{path}: cannot be written: {reason}. {remedy}")


_FREE_SPACE = "Free some space or choose another folder with --out."

_REMEDIES = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "Raise the limit on the size of files, or choose another folder with --out.",
    errno.EACCES: "Make it writable, or choose another folder with --out.",
    errno.EPERM: "Make it writable, or choose another folder with --out.",
    errno.EROFS: "It can only be read; choose another folder with --out.",
    errno.ENOENT: "No folder can be made there, or it was removed in the meantime; choose another "
    "folder with --out, or run the command again.",
    errno.ENOTDIR: "A file is where a folder should be; move it, or choose another folder "
    "with --out.",
    errno.EEXIST: "Something else is in its place; move it, or choose another folder with --out.",
    errno.ENOTEMPTY: "Something else is in its place; move it, or choose another folder "
    "with --out.",
    errno.EISDIR: "A folder is in its place; move it, or choose another folder with --out.",
    errno.ENAMETOOLONG: "Choose a shorter name, or a folder nearer to the root with --out.",
    errno.EMFILE: "Close some files, or raise their limit with 'ulimit -n'.",
    errno.EIO: "The disk may be failing; check it, or choose another folder with --out.",
}
"""What to do next, by what went wrong."""
