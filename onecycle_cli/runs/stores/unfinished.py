"""A run in an object store that broke off, brought to this machine to go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.files import unwritable
from onecycle_cli.runs.folders.latest import above_latest, followed, is_latest
from onecycle_cli.runs.folders.lock import locked
from onecycle_cli.runs.folders.numbers import numbered_folders
from onecycle_cli.runs.stores.finished import split
from onecycle_cli.runs.stores.mark import MARK, download, read_mark
from onecycle_cli.runs.stores.mirror import CLAIM, TEMPORARY, mirror_of
from onecycle_cli.runs.stores.objects import Objects
from onecycle_cli.runs.stores.recipes import upload_stages
from onecycle_cli.runs.stores.urls import is_url, working_folder

RECIPE = "run"
_RESUME, _RECIPE_FILE = "resume.json", "recipe.json"


class UploadedNowError(ResultError):
    """A run that is over by now; what the store lacked of it was all there was to do."""

    exit_code = 0


def here(run: str | Path, kind: str) -> str | Path:
    """Return a folder of this machine in which a run can be taken up; a path, but for `latest`.

    If this machine has written the run last, its own copy is used, which may be ahead of the
    store. Otherwise the run's objects are brought here.

    Args:
        run: a path; or the URL of a run, or of a place above it such as `s3://bucket/runs/NAME`,
            for the newest run of that kind there that is not finished.
        kind: `find-lr`, `find-momentum`, `find-wd`, `train` or `run`.

    Raises:
        UploadedNowError: when the run was over, and only its upload was not.
        ResultError: when there is none, or its objects are damaged.
    """
    if not isinstance(run, str) or not is_url(run):
        return followed(Path(run)) if is_latest(Path(run)) else run
    root, place = split(_unfinished(above_latest(run), kind))
    folder = _brought_here(root, place)
    if kind == RECIPE:
        _bring_its_stages(root, place, folder)
    return folder


def _unfinished(url: str, kind: str) -> str:
    objects = Objects(url)
    names = set(objects.names())
    if CLAIM in names or MARK in names:
        if MARK in names and not _can_go_on(objects, "", names):
            raise ResultError(f"{url}: is finished; there is nothing to resume.")
        return objects.url
    runs = {name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == CLAIM}
    for above in ("", f"{kind}/"):
        numbers = [run.removeprefix(above) for run in runs if run.startswith(above)]
        for number in sorted(filter(str.isdecimal, numbers), key=int, reverse=True):
            if _can_go_on(objects, f"{above}{number}/", names):
                return f"{objects.url}/{above}{number}"
    what = "recipe" if kind == RECIPE else f"run of {kind}"
    raise ResultError(
        f"{url}: holds no unfinished {what}; give the URL of one, such as "
        f"s3://BUCKET/runs/NAME/{kind}/001, or start without --resume."
    )


def _can_go_on(objects: Objects, run: str, names: Collection[str]) -> bool:
    """Tell whether a run can be resumed, which needs a file that says how it was started.

    Args:
        objects: of the run or a place above it.
        run: the run's place below that, empty or with a slash at its end.
        names: of all objects.
    """
    if f"{run}{MARK}" not in names:
        return f"{run}{_RESUME}" in names or f"{run}{_RECIPE_FILE}" in names
    if f"{run}{_RECIPE_FILE}" in names:
        return _json(objects, f"{run}{_RECIPE_FILE}").get("status") not in ("done", "refused")
    return _RESUME in (read_mark(objects, run.rstrip("/")) or {})


def _brought_here(root: str, run: str) -> Path:
    """Return the folder of a run: this machine's own if nobody has written the run since."""
    objects, (name, kind, number) = Objects(f"{root}/{run}"), run.split("/")
    parent = working_folder(root) / name / kind
    claim = objects.read(CLAIM)
    for folder in _copies(parent, number):
        if claim is not None and _claim_in(folder) == claim:
            _finish_its_upload(objects, folder)
            return folder
        _put_aside(folder)
    return _download(Objects(root), run, parent)


def _copies(parent: Path, number: str) -> list[Path]:
    """Return the folders that this machine has of a run, at work or not."""
    return [f for f in (parent / f".{number}-running", parent / number) if f.is_dir()]


def _claim_in(folder: Path) -> bytes | None:
    try:
        return (folder / CLAIM).read_bytes()
    except OSError:
        return None


def _finish_its_upload(objects: Objects, folder: Path) -> None:
    """Upload what is missing of a run that was over here, but not in the store."""
    if folder.name.startswith(".") or _status_of(folder) not in ("done", "refused"):
        return
    with locked(folder):
        if (folder / _RECIPE_FILE).is_file():
            upload_stages(folder)
        mirror_of(folder).finish(folder, is_done=True)
    raise UploadedNowError(f"{objects.url}: was finished; what was missing is uploaded now.")


def _status_of(folder: Path) -> str | None:
    try:
        status = json.loads((folder / "manifest.json").read_bytes())["status"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return str(status)


def _put_aside(folder: Path) -> None:
    """Make room for a copy of what another process has written since; no result is removed."""
    with locked(folder):
        if _status_of(folder) == "done" and not folder.name.startswith("."):
            claim = json.loads(_claim_in(folder) or b"{}")
            folder.rename(folder.with_name(f"{folder.name}.{claim.get('writer', 'unknown')}"))
        else:
            shutil.rmtree(folder)


def _download(objects: Objects, run: str, parent: Path) -> Path:
    number = run.rpartition("/")[2]
    sums, names = read_mark(objects, run), _names_of(objects, run)
    is_hidden = sums is None and _RECIPE_FILE not in names
    final = parent / (f".{number}-running" if is_hidden else number)
    half = parent / f".{number}.fetching"
    shutil.rmtree(half, ignore_errors=True)
    try:
        half.mkdir(parents=True)
        if sums is None:
            for name in names:
                objects.get(f"{run}/{name}", half / name)
        else:
            download(objects, run, sums, half)
        half.rename(final)
    except OSError as error:
        raise unwritable(final, error) from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return final


def _names_of(objects: Objects, run: str) -> list[str]:
    """Return the files of a run, without those that a killed process left half written."""
    names = [name.removeprefix(f"{run}/") for name in objects.names(run)]
    found = [n for n in names if not TEMPORARY.fullmatch(n.rpartition("/")[2])]
    return [name for name in found if name not in (CLAIM, MARK)]


def _bring_its_stages(root: str, recipe: str, folder: Path) -> None:
    """Bring the runs of a recipe that broke off, and remove copies that are out of date."""
    name = recipe.partition("/")[0]
    objects = Objects(f"{root}/{name}")
    names = set(objects.names())
    for copy in _stages_here(folder.parents[1]):
        if _claim_in(copy) != objects.read(f"{copy.parent.name}/{_number(copy)}/{CLAIM}"):
            _put_aside(copy)
    for path in sorted(names):
        run, _, file = path.rpartition("/")
        if file != _RESUME or not _can_go_on(objects, f"{run}/", names):
            continue
        if _json(objects, path).get("recipe") == recipe:
            _brought_here(root, f"{name}/{run}")


def _stages_here(experiment: Path) -> list[Path]:
    """Return the folders of all runs of an experiment but its recipes."""
    kinds = [kind for kind in experiment.iterdir() if kind.is_dir() and kind.name != RECIPE]
    return [folder for kind in kinds for folder in numbered_folders(kind) if folder.is_dir()]


def _number(folder: Path) -> str:
    return folder.name.removeprefix(".").removesuffix("-running")


def _json(objects: Objects, name: str) -> dict[str, Any]:
    try:
        data = json.loads(objects.read(name) or b"")
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise ResultError(f"{objects.url}/{name}: is damaged; start the run again.")
    return data
