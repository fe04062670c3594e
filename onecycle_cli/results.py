"""Records of what was measured, and their files.

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
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.suggest import LRFindings, Suggestion

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
RESUME = "resume.json"
CHECKPOINTS = "checkpoints"
JOURNAL = "journal"
"""What a run that is not finished holds beside its results, to be taken up again."""

CONFUSION = "confusion.npz"
"""Where a training's confusion matrix is that is too large for JSON."""

SUGGESTED = ("max_lr", "momentum", "weight_decay")
_KEYS = {"find-lr": "max_lr", "find-momentum": "momentum", "find-wd": "weight_decay"}
_VALUES = {
    "max_lr": "a number above 0",
    "momentum": "{max, min} with 0 <= min <= max < 1",
    "weight_decay": "a number of at least 0",
}

KINDS = ("find-lr", "find-momentum", "find-wd", "train", "run")
"""What a run can be of, by its command; `run` is a recipe, whose stages are runs themselves."""

_RUNNING = re.compile(r"\.\d+-running")
_NUMBERED = re.compile(r"\.?(\d+)(?:-running)?")
_TEMPORARY = re.compile(r"\..+(\.[0-9a-f]{8}|\.tmp\.keras)")
_BIAS_CORRECTION = 0.98
_LARGEST_EXPONENT = 300
_MOST_CLASSES_IN_JSON = 100
_COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "find-lr": {"curve": ("lr", "loss")},
    "find-momentum": {"trials": ("momentum", "score"), "curves": ("trial", "step", "loss")},
    "find-wd": {"trials": ("weight_decay", "score"), "curves": ("trial", "step", "loss")},
    "train": {"steps": ("step", "lr", "loss"), "history": ("epoch",)},
}
"""Of each kind of run, the tables and columns that must be there."""


@dataclass(frozen=True)
class Curve:
    """One range test: the learning rate and the raw data loss of each step.

    Attributes:
        lrs: learning rates, never exponents.
        losses: each batch's data loss before its update; may end in a non-finite one.
        label: what a legend calls it.
    """

    lrs: list[float]
    losses: list[float]
    label: str = ""


@dataclass(frozen=True)
class Record:
    """A saved result, as it is read back for drawing.

    Attributes:
        kind: `find-lr`, `find-momentum`, `find-wd` or `train`.
        label: the run's name and number.
        result: the contents of `result.json`; empty for a folder that has none.
        tables: the CSV files by stem: for each column a list of values.
        config: the resolved configuration; empty for a folder that has none.
    """

    kind: str
    label: str
    result: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)

    def curves(self) -> list[Curve]:
        """Return the range tests of a `find-lr` record, one for each repeat."""
        table = self.tables["curve"]
        repeats = np.array(table.get("repeat", [0] * len(table["lr"])))
        lrs, losses = np.array(table["lr"], float), np.array(table["loss"], float)
        return [
            Curve(lrs[repeats == r].tolist(), losses[repeats == r].tolist(), f"repeat {i}")
            for i, r in enumerate(sorted(set(repeats.tolist())))
        ]


# --- single files -------------------------------------------------------------------------------


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
        np.savez_compressed(file, allow_pickle=False, confusion=np.asarray(confusion, np.int64))
        write_bytes(path.with_name(matrix), file.getvalue())
        data |= {"confusion_file": matrix}
    write_json(path, data)


def without_large_confusion(data: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return a result without its confusion matrix, and that, if it is of more than 100 classes."""
    confusion = data.get("confusion")
    if confusion is None or len(confusion) <= _MOST_CLASSES_IN_JSON:
        return dict(data), None
    return {key: value for key, value in data.items() if key != "confusion"}, confusion


def write_yaml(path: Path, data: Any, header: str = "") -> None:
    """Write YAML that this program reads back to the same values."""
    write_text(path, header + to_yaml(data))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table with a header row; floats keep every digit they need."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    write_text(path, text.getvalue())


def read_csv(path: Path) -> dict[str, list[Any]]:
    """Return the columns of a table by name; numbers as floats, the rest as text.

    Raises:
        ResultError: when the file is damaged.
    """
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ResultError(f"{path}: cannot be read as a table: {error}.") from None
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
    return _read_yaml(path)


def to_json(data: Any, indent: int | None = None) -> str:
    """Return JSON in which non-finite numbers are `null`; on one line, unless indented.

    Lists of numbers keep to one line even then, so that a matrix has a line a row.
    """
    text = json.dumps(_plain(data), indent=indent, allow_nan=False)
    return text if indent is None else _LIST_OF_NUMBERS.sub(_on_one_line, text)


def to_yaml(data: Any) -> str:
    """Return YAML in which every float is a number for YAML 1.1 and 1.2 readers alike."""
    return yaml.dump(_plain(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


# --- run folders --------------------------------------------------------------------------------


class RunFolder:
    """A numbered folder that is made aside and appears whole, and can be taken up again.

    Use as a context manager: at the end it is renamed to its number. When the work breaks off, it
    is kept under its number if `keep` was called, with that status, and removed otherwise. While
    it is open no other process can take it up; the lock ends with the process, however that ends.

    Attributes:
        path: where to write to while the work goes on; the final folder afterwards.
        number: of the run.
        manifest: what `manifest.json` will say.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any], *, kept: bool) -> None:
        self._parent, self.number = path.parent, _number_of(path)
        self.path, self.manifest = path, dict(manifest)
        self._kept, self._status = kept, "done"
        self._identity: tuple[int, int] | None = None
        self._holding = contextlib.ExitStack()

    @classmethod
    def create(
        cls, out: str | Path, name: str, kind: str, manifest: Mapping[str, Any]
    ) -> RunFolder:
        """Make the first folder `out/name/kind/NNN` whose number is free.

        Raises:
            ResultError: when it can't be made.
        """
        path = _reserve(Path(out).absolute() / name / kind)
        about = {"schema_version": SCHEMA_VERSION, **manifest, "start": now()}
        run = cls(path, about, kept=False)
        try:
            run._lock()
            run.write_manifest("running")
        except ResultError:
            run._remove()
            raise
        return run

    @classmethod
    def take_up(cls, path: Path, **resumed: Any) -> RunFolder:
        """Open a folder whose work broke off, found by `find_unfinished`.

        Args:
            path: the folder.
            **resumed: what the manifest is to say about this time.

        Raises:
            ResultError: when another process is at work on it, or it can't be written.
        """
        run = cls(path, {}, kept=True)
        run._lock()
        try:
            if not _can_be_taken_up(path):  # it was ended since it was found
                raise ResultError(f"{path}: is finished by now; there is nothing to resume.")
            run.manifest = read_json(path / MANIFEST)
            again = [*run.manifest.get("resumed", []), {"when": now(), **resumed}]
            run.manifest["resumed"] = again
            run._rename(run._aside)
            _remove_halves(run.path)
            run.write_manifest("running")
        except (ResultError, AttributeError, TypeError) as error:
            run._holding.close()
            if isinstance(error, ResultError):
                raise
            raise ResultError(f"{path / MANIFEST}: is damaged; start the run anew.") from None
        return run

    @property
    def final(self) -> Path:
        """The folder under which the result will be found."""
        return self._parent / f"{self.number:03d}"

    @property
    def _aside(self) -> Path:
        return self._parent / f".{self.number:03d}-running"

    @property
    def is_kept(self) -> bool:
        """Whether the folder stays when the work breaks off."""
        return self._kept

    def keep(self) -> None:
        """From now on there is something worth keeping, even if the work breaks off.

        Raises:
            ResultError: when the folder is not there any more.
        """
        self._check_is_there()
        self._kept = True

    def end_as(self, status: str) -> None:
        """Have a run that is going to end by itself called interrupted, so that it can go on."""
        self._status = status

    def write_manifest(self, status: str) -> None:
        """Write `manifest.json` with a status: running, done, failed or interrupted."""
        write_json(self.path / MANIFEST, self.manifest | {"end": now(), "status": status})

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._holding:
            if kind is None:
                self._finish(self._status)
            elif self._kept:
                broken_off = issubclass(kind, KeyboardInterrupt | SystemExit)
                with contextlib.suppress(ResultError):
                    self._finish("interrupted" if broken_off else "failed")
            else:
                self._remove()

    def _finish(self, status: str) -> None:
        self._check_is_there()
        self.write_manifest(status)
        self._rename(self.final)
        if status == "done":
            _forget(self.path)

    def _rename(self, target: Path) -> None:
        if self.path == target:
            return
        try:
            self.path.rename(target)
        except OSError as error:
            raise unwritable(target, error) from None
        self.path = target

    def _lock(self) -> None:
        self._holding.enter_context(locked(self.path))
        self._identity = _identity_of(self.path)

    def _check_is_there(self) -> None:
        if self._identity is None or _identity_of(self.path) != self._identity:
            raise ResultError(
                f"{self.final}: its folder was removed or replaced while it was at work, so "
                f"nothing of this run is kept; run the command again."
            )

    def _remove(self) -> None:
        self._holding.close()
        shutil.rmtree(self.path, ignore_errors=True)
        for folder in (self._parent, self._parent.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()


def find_unfinished(path: str | Path, kind: str) -> Path:
    """Return the folder of a run that broke off and can be taken up.

    Args:
        path: the run's folder, by its number or by its name while it runs; or a folder above it,
            such as `runs/digits` or `runs/digits/train`: then the newest unfinished run there.
        kind: `find-lr`, `find-momentum`, `find-wd` or `train`.

    Raises:
        ConfigError: when the run is of another kind.
        ResultError: when there is none.
    """
    given = Path(path).absolute()
    number = f"{_number_of(given):03d}"
    for folder in (given, given.with_name(f".{given.name}-running"), given.with_name(number)):
        if _can_be_taken_up(folder):
            _check_kind(path, folder, kind)
            return folder
        if (folder / MANIFEST).is_file() and not folder.name.startswith("."):
            _check_kind(path, folder, kind)
            raise ResultError(
                f"{path}: is finished; there is nothing to resume."
                if _is_run(folder)
                else f"{path}: ended before it had begun; start it anew."
            )
    for parent in (given, given / kind):
        if found := [folder for folder in unfinished(parent) if kind_of(folder) in (kind, None)]:
            return found[-1]
    raise ResultError(
        f"{path}: holds no unfinished run of {kind}; give the folder of one, such as "
        f"runs/NAME/{kind}/001, or start without --resume."
    )


def kind_of(folder: Path) -> str | None:
    """Return what a run is of, by its files or else by where it lies; `None` if nothing tells."""
    if _is_recipe(folder):
        return "run"
    said = [_in_json(folder / name, "kind") for name in (RESUME, "result.json")]
    command = _in_json(folder / MANIFEST, "command")
    words = command if isinstance(command, list) else []
    return next((kind for kind in (*said, folder.parent.name, *words) if kind in KINDS), None)


def _in_json(path: Path, key: str) -> Any:
    """Return what a JSON file says under a key; `None` if it says nothing, or can't be read."""
    try:
        return read_json(path).get(key)
    except (ResultError, AttributeError):
        return None


def _check_kind(path: str | Path, folder: Path, kind: str) -> None:
    """Refuse to take a run up as one of another kind."""
    found = kind_of(folder)
    if found not in (kind, None):
        what = "a recipe" if found == "run" else f"a run of {found}"
        raise ConfigError(
            f"{path}: is {what}, which {kind} can't go on with; use 'onecycle {found} --resume "
            f"{path}', or give a run of {kind}, such as runs/NAME/{kind}/001."
        )


def unfinished(parent: Path) -> list[Path]:
    """Return the folders of the runs under a folder that can be taken up, by number."""
    return sorted(filter(_can_be_taken_up, _folders(parent)), key=_number_of)


def _can_be_taken_up(folder: Path) -> bool:
    if not all((folder / name).is_file() for name in (MANIFEST, RESUME)):
        return False
    try:
        manifest = read_json(folder / MANIFEST)
    except ResultError:
        return False
    is_done = isinstance(manifest, dict) and manifest.get("status") == "done"
    return folder.name.startswith(".") or not is_done


def _remove_halves(folder: Path) -> None:
    """Remove what was being written when the process was killed."""
    for path in folder.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            with contextlib.suppress(OSError):
                path.unlink()


def _forget(folder: Path) -> None:
    """Remove what only a run that broke off has a use for."""
    for name in (RESUME, CHECKPOINTS, JOURNAL):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                (folder / name).unlink(missing_ok=True)


def _reserve(parent: Path) -> Path:
    """Make the first folder whose number is free; another run may be doing the same."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max(_numbers(parent), default=0)
        while (path := _claim(parent, number)) is None:
            number += 1
        return path
    except OSError as error:
        raise unwritable(parent, error) from None


def _claim(parent: Path, number: int) -> Path | None:
    path = parent / f".{number:03d}-running"
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return None
    if (parent / f"{number:03d}").exists():  # finished since the numbers were read
        path.rmdir()
        return None
    return path


def new_folder(out: str | Path, name: str, kind: str) -> Path:
    """Make the next numbered folder at once, for work that is to be taken up after any end.

    Raises:
        ResultError: when it can't be made.
    """
    parent = Path(out).absolute() / name / kind
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max(_numbers(parent), default=0)
        while True:
            path = parent / f"{number:03d}"
            with contextlib.suppress(FileExistsError):  # another process was faster
                path.mkdir()
                return path
            number += 1
    except OSError as error:
        raise unwritable(parent, error) from None


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from working in a folder; the lock ends with the process, however.

    Raises:
        ResultError: when another process is working there.
    """
    if fcntl is None:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _not_there(folder, error) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ResultError(f"{folder}: another process is at work on it.") from None
        if _identity_of(folder) != _identity_of(descriptor):
            raise _not_there(folder)
        yield
    finally:
        os.close(descriptor)


def _not_there(folder: Path, error: OSError | None = None) -> ResultError:
    if error is not None and not isinstance(error, FileNotFoundError):
        return ResultError(f"{folder}: cannot be opened: {error.strerror or error}.")
    return ResultError(
        f"{folder}: is not there any more: another process has just ended it or taken it up, or it "
        f"was removed."
    )


def _identity_of(folder: Path | int) -> tuple[int, int] | None:
    """Return what tells a folder from another one at its place; `None` if there is none."""
    try:
        found = os.stat(folder)  # noqa: PTH116  (of a descriptor too)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def find_run(path: str | Path) -> Path:
    """Return the run folder meant by a path: itself, or the newest run within.

    Raises:
        ResultError: when there is nothing, or nothing of ours.
    """
    folder = Path(path)
    if not os.path.exists(folder):  # noqa: PTH110  (it never raises)
        raise ResultError(f"{folder}: there is nothing at this path.")
    if not folder.is_dir():
        raise ResultError(f"{folder}: is a file; give the folder of a run.")
    if _is_recipe(folder):
        return _training_of(folder)
    if _is_run(folder) or _is_seed_folder(folder):
        return folder
    found = [p.parent for p in folder.glob("**/result.json") if not _hidden(p, folder)]
    runs = [run for run in found if not _is_recipe(run)]
    if not runs:
        what = "is empty" if not any(folder.iterdir()) else "holds no result of onecycle"
        raise ResultError(
            f"{folder}: {what}; give the folder of a run, such as runs/NAME/find-lr/001, or a "
            f"folder with lrs.npy and losses.npy."
        )
    return _newest(runs)


def read_record(path: str | Path) -> Record:
    """Return what a run folder, or a folder of keras-one-cycle, holds.

    Raises:
        ResultError: when files are missing or damaged.
    """
    folder = find_run(path)
    if not _is_run(folder):
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
    _check_tables(folder, result["kind"], tables)
    return Record(
        kind=result["kind"],
        label=str(result.get("label") or folder.name),
        result=result,
        tables=tables,
        config=_read_yaml(folder / "config.yaml"),
    )


def read_seed_folder(folder: Path) -> Curve:
    """Return the curve of keras-one-cycle's `lrs.npy` and `losses.npy`.

    It saved log10 of the rate after an exponential sweep, and the rate after a linear one, without
    saying which: negative values are exponents, as every sweep from a rate below 1 has them. Its
    losses are multiplied by `1 / (1 - .98^t)`, which is undone here.

    Raises:
        ResultError: when a file is missing or damaged.
    """
    lrs, losses = (_read_npy(folder / f"{name}.npy") for name in ("lrs", "losses"))
    if lrs.ndim != 1 or lrs.shape != losses.shape or not len(lrs):
        raise ResultError(
            f"{folder}: lrs.npy and losses.npy must be lists of the same length; got "
            f"{lrs.shape} and {losses.shape}."
        )
    if lrs.min() < 0 and lrs.max() < _LARGEST_EXPONENT:
        lrs = 10.0**lrs
    if not (np.isfinite(lrs).all() and lrs.min() >= 0):
        raise ResultError(f"{folder / 'lrs.npy'}: holds numbers that are no learning rates.")
    steps = np.arange(1, len(losses) + 1)
    true_losses = losses * (1 - _BIAS_CORRECTION**steps)
    return Curve(lrs.tolist(), true_losses.tolist(), folder.name)


def find_lr_result(findings: LRFindings, *, label: str, scale: str, **more: Any) -> dict[str, Any]:
    """Return what `result.json` says of one or several range tests."""
    return {
        "kind": "find-lr",
        "label": label,
        "suggestion": findings.suggestion.as_dict(),
        "min_lr": findings.min_lr,
        "landmarks": [asdict(marks) for marks in findings.landmarks],
        "rules": findings.rules,
        "scale": scale,
        **more,
    }


# --- suggestions --------------------------------------------------------------------------------


def read_suggestions(folder: Path) -> dict[str, dict[str, Any]]:
    """Return `suggestions.yaml` of an experiment's folder; empty if there is none.

    Raises:
        ResultError: when the file is damaged.
    """
    path = folder / "suggestions.yaml"
    if not path.exists():
        return {}
    data = _read_yaml(path)
    for key, entry in data.items():
        if key not in SUGGESTED:
            raise ResultError(
                f"{path}: unknown key '{key}'; known are {', '.join(SUGGESTED)}. Delete the entry."
            )
        value = entry.get("value") if isinstance(entry, dict) else None
        if not _usable(key, value):
            raise ResultError(
                f"{path}: {key}.value must be {_VALUES[key]}; got {value}. Correct it, or delete "
                f"the entry and run the finder again."
            )
    return data


def write_suggestion(
    folder: Path,
    key: str,
    suggestion: Suggestion,
    *,
    run: str,
    conditions: Mapping[str, Any],
) -> None:
    """Put one suggestion into `suggestions.yaml`, beside the others; refusals change nothing."""
    if not suggestion.accepted:
        return
    entry = suggestion.as_dict() | {"run": run, "when": now(), "conditions": dict(conditions)}
    known = read_suggestions(folder) | {key: entry}
    write_yaml(folder / "suggestions.yaml", {k: known[k] for k in SUGGESTED if k in known})


def now() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


# --- details ------------------------------------------------------------------------------------


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


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(k): _plain(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(v) for v in data]
    if isinstance(data, np.generic | np.ndarray):
        return _plain(data.tolist())
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


def _read_yaml(path: Path) -> dict[str, Any]:
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


def _read_npy(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        with path.open("rb") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False), np.float64)
    except FileNotFoundError:
        raise ResultError(f"{path}: is missing.") from None
    except (OSError, ValueError, TypeError, EOFError, MemoryError) as error:
        raise ResultError(f"{path}: cannot be read as a list of numbers: {error}.") from None


def _read_matrix(path: Path) -> np.ndarray[Any, Any]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return np.asarray(file["confusion"])
    except Exception as error:  # a damaged file can raise nearly anything
        raise ResultError(
            f"{path}: cannot be read as a confusion matrix; restore it, or remove it."
        ) from error


def _check_result(path: Path, result: Any) -> None:
    if not isinstance(result, dict) or result.get("kind") not in list(_COLUMNS):
        raise ResultError(
            f"{path}: is not a result of onecycle; 'kind' must be one of {', '.join(_COLUMNS)}."
        )
    for part in ("suggestion", "differences", "confirmation"):
        if not isinstance(result.get(part) or {}, dict):
            raise ResultError(f"{path}: '{part}' must have keys and values; run the command again.")
    value, key = result.get("suggestion", {}).get("value"), _KEYS.get(result["kind"])
    if key and value is not None and not _usable(key, value):
        raise ResultError(f"{path}: suggestion.value must be {_VALUES[key]}; got {value}.")


def _check_tables(folder: Path, kind: str, tables: Mapping[str, dict[str, list[Any]]]) -> None:
    for name, columns in _COLUMNS[kind].items():
        path = folder / f"{name}.csv"
        if name not in tables:
            raise ResultError(f"{path}: is missing; restore it, or run the command again.")
        for column in columns:
            if column not in tables[name]:
                raise ResultError(f"{path}: has no column '{column}'; run the command again.")
            values = tables[name][column]
            if not values:
                raise ResultError(f"{path}: has no rows; run the command again.")
            if column != "momentum" and (text := [v for v in values if isinstance(v, str)]):
                raise ResultError(f"{path}: '{column}' must hold numbers only; got '{text[0]}'.")


def _usable(key: str, value: Any) -> bool:
    if key == "momentum":
        if not isinstance(value, dict) or set(value) != {"max", "min"}:
            return False
        low, high = value["min"], value["max"]
        return _is_number(low) and _is_number(high) and 0 <= low <= high < 1
    return _is_number(value) and (value > 0 if key == "max_lr" else value >= 0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(folder: Path) -> Iterator[int]:
    for path in _folders(folder):
        yield _number_of(path)


def _folders(parent: Path) -> Iterator[Path]:
    """Yield what has the name of a run, running or not."""
    with contextlib.suppress(OSError):
        yield from (path for path in parent.iterdir() if _NUMBERED.fullmatch(path.name))


def _number_of(path: Path) -> int:
    match = _NUMBERED.fullmatch(path.name)
    return int(match[1]) if match else 0


def _is_run(folder: Path) -> bool:
    return (folder / "result.json").is_file()


def _is_recipe(folder: Path) -> bool:
    return (folder / "recipe.json").is_file()


def _training_of(folder: Path) -> Path:
    """Return the run in which a recipe's training was done."""
    stages = read_json(folder / "recipe.json").get("stages", {})
    training = stages.get("train", {}).get("folder")
    if training is None:
        raise ResultError(
            f"{folder}: this recipe has not trained yet; give the folder of one of its stages."
        )
    return folder.absolute().parents[2] / training


def _is_seed_folder(folder: Path) -> bool:
    return (folder / "lrs.npy").is_file() or (folder / "losses.npy").is_file()


def _newest(runs: Sequence[Path]) -> Path:
    """Return the newest run: of those side by side the one of the highest number, whatever the
    clock said; between folders, the one that was written last."""
    last: dict[Path, Path] = {}
    for run in runs:
        if run.name.isdecimal():
            rival = last.setdefault(run.parent, run)
            last[run.parent] = max(rival, run, key=lambda p: int(p.name))
    candidates = [*last.values(), *(run for run in runs if not run.name.isdecimal())]
    return max(candidates, key=lambda p: (p / "result.json").stat().st_mtime)


def _hidden(path: Path, within: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(within).parts)


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
    errno.EACCES: "Get the right to write there, or choose another folder with --out.",
    errno.EPERM: "Get the right to write there, or choose another folder with --out.",
    errno.EROFS: "It can only be read; choose another folder with --out.",
    errno.ENOENT: "A folder was removed in the meantime; run the command again.",
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
