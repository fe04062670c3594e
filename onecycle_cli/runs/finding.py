"""Which run is meant by a path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.kinds import KINDS, RUN
from onecycle_cli.runs.files import read_json
from onecycle_cli.runs.folders.latest import followed, is_latest
from onecycle_cli.runs.folders.numbers import number_of, numbered_folders
from onecycle_cli.runs.reading.times import when
from onecycle_cli.runs.run_folder import MANIFEST, RESUME, can_be_resumed
from onecycle_cli.runs.stores.finished import fetched
from onecycle_cli.runs.stores.urls import is_url


def find_unfinished(path: str | Path, kind: str) -> Path:
    """Return the folder of a run that broke off and can be resumed.

    Args:
        path: the run's folder, by its number or by its name while it runs; or a folder above it,
            such as `runs/digits` or `runs/digits/train`: then the newest unfinished run there.
        kind: `find-lr`, `find-momentum`, `find-wd` or `train`.

    Raises:
        ConfigError: when the run is of another kind.
        ResultError: when there is none.
    """
    given = Path(path).absolute()
    number = f"{number_of(given):03d}"
    for folder in (given, given.with_name(f".{given.name}-running"), given.with_name(number)):
        if can_be_resumed(folder):
            _check_kind(path, folder, kind)
            return folder
        if (folder / MANIFEST).is_file() and not folder.name.startswith("."):
            _check_kind(path, folder, kind)
            raise ResultError(
                f"{path}: is finished; there is nothing to resume."
                if is_run(folder)
                else f"{path}: ended before it had begun; start it again."
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
    if is_recipe(folder):
        return RUN.name
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
        what = "a recipe" if found == RUN.name else f"a run of {found}"
        raise ConfigError(
            f"{path}: is {what}, which {kind} can't go on with; use 'onecycle {found} --resume "
            f"{path}', or give a run of {kind}, such as runs/NAME/{kind}/001."
        )


def unfinished(parent: Path) -> list[Path]:
    """Return the folders of the runs under a folder that can be resumed, by number."""
    return sorted(filter(can_be_resumed, numbered_folders(parent)), key=number_of)


def find_run(path: str | Path) -> Path:
    """Return the run folder meant by a path: itself, or the newest run within.

    Of a URL, the files are brought here.

    Raises:
        ResultError: when there is nothing, or nothing of ours.
    """
    if isinstance(path, str) and is_url(path):
        return fetched(path)
    folder = followed(Path(path))
    if at_work(folder):
        raise _unfinished(folder)
    if not os.path.exists(folder):  # noqa: PTH110  (it never raises)
        raise ResultError(
            f"{folder}: there is nothing at this path; give the folder of a run, such as "
            f"runs/NAME/train/001, or one above it."
        )
    if not folder.is_dir():
        raise ResultError(f"{folder}: is a file; give the folder of a run.")
    if is_recipe(folder):
        return _training_of(folder)
    if is_run(folder) or _is_seed_folder(folder):
        return folder
    if (folder / MANIFEST).is_file():
        raise _unfinished(folder)
    found = [p.parent for p in folder.glob("**/result.json") if not _hidden(p, folder)]
    runs = [run for run in found if not is_recipe(run) and not is_latest(run)]
    if not runs and any(folder.glob("**/.*-running")):
        raise ResultError(
            f"{folder}: holds no finished run; 'onecycle ls {folder}' lists those that are not."
        )
    if not runs:
        what = "is empty" if not any(folder.iterdir()) else "holds no result of onecycle"
        raise ResultError(
            f"{folder}: {what}; give the folder of a run, such as runs/NAME/find-lr/001, or a "
            f"folder with lrs.npy and losses.npy."
        )
    return _newest(runs)


def each_once(paths: Sequence[str]) -> list[str]:
    """Return paths without those that end in `latest` and mean a run that is named, too.

    A shell's `find-lr/*` gives both.
    """
    named = {Path(path).absolute() for path in paths if not is_url(path)}
    return [p for p in paths if not (is_latest(Path(p)) and followed(Path(p).absolute()) in named)]


def at_work(folder: Path) -> Path | None:
    """Return where a run is while it is at work, or was when it broke off; `None` if nowhere.

    Args:
        folder: under its number, where nothing is yet.
    """
    aside = folder.parent / f".{folder.name}-running"
    is_aside = os.path.isdir(aside) and not os.path.exists(folder)  # noqa: PTH110, PTH112
    return aside if is_aside else None


def _unfinished(folder: Path) -> ResultError:
    return ResultError(
        f"{folder}: this run is not finished; 'onecycle show {folder}' says how far it is, and how "
        f"to go on with it."
    )


def is_run(folder: Path) -> bool:
    """Tell whether a folder holds a result."""
    return (folder / "result.json").is_file()


def is_recipe(folder: Path) -> bool:
    """Tell whether a folder holds a recipe."""
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
    clock said; between folders, the one that ended last."""
    last: dict[Path, Path] = {}
    for run in runs:
        if run.name.isdecimal():
            rival = last.setdefault(run.parent, run)
            last[run.parent] = max(rival, run, key=lambda p: int(p.name))
    candidates = [*last.values(), *(run for run in runs if not run.name.isdecimal())]
    return max(candidates, key=when)


def _hidden(path: Path, within: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(within).parts)
