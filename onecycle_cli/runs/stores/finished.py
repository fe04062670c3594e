"""A finished run in an object store, brought to this machine to be read."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.folders.latest import above_latest
from onecycle_cli.runs.stores.mark import MARK, download, read_mark
from onecycle_cli.runs.stores.mirror import CLAIM
from onecycle_cli.runs.stores.objects import Objects
from onecycle_cli.runs.stores.urls import folder_named_after

_MODELS = ".keras"


def fetched(url: str, *, holding: str = "result.json", prefer: str = "") -> Path:
    """Return a folder with the files of the finished run that a URL means.

    Each is compared with its checksum. The folder is removed when this process ends.

    Args:
        url: of a run; or of a place above it, for the newest run there; or of a recipe, for its
            training.
        holding: a file that the run must have; models are brought only where one is asked for.
        prefer: a kind of run: where there are any directly below the URL, others do not count.

    Raises:
        ResultError: when there is none, it is not finished, or a file is not what was uploaded.
    """
    objects = Objects(above_latest(url))
    names = objects.names()
    if CLAIM not in names and MARK not in names:
        return fetched(f"{objects.url}/{_newest(objects, names, holding, prefer)}", holding=holding)
    if "recipe.json" in names:
        training = _training_of(objects)
        return fetched(f"{objects.url.rsplit('/', 3)[0]}/{training}", holding=holding)
    return _download(objects.url, with_models=holding.endswith(_MODELS))


def _download(url: str, *, with_models: bool) -> Path:
    root, run = split(url)
    objects = Objects(root)
    sums = read_mark(objects, run)
    if sums is None:
        raise ResultError(
            f"{url}: this run is not finished, or its upload broke off; 'onecycle "
            f"{run.split('/')[1]} --resume {url}' goes on with it."
        )
    scratch = Path(tempfile.mkdtemp(prefix="onecycle-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    wanted = {n: s for n, s in sums.items() if with_models or not n.endswith(_MODELS)}
    copy = scratch / folder_named_after(root) / run
    download(objects, run, wanted, copy)
    return copy


def split(url: str) -> tuple[str, str]:
    """Return where the runs are that a run's URL is one of, and its place there, `NAME/KIND/NNN`.

    Raises:
        ResultError: when the URL is too short to be that of a run.
    """
    root, *run = url.rstrip("/").rsplit("/", 3)
    if len(run) < 3 or "://" not in root:
        raise ResultError(f"{url}: is no run; give one such as {url}/NAME/train/001.")
    return root, "/".join(run)


def _newest(objects: Objects, names: Collection[str], holding: str, prefer: str) -> str:
    """Return the newest run: of those side by side the one of the highest number; between
    folders, the one whose mark was written last."""
    all_names = set(names)
    runs = [PurePosixPath(name).parent for name in names if PurePosixPath(name).name == MARK]
    runs = [r for r in runs if f"{r}/{holding}" in all_names and r.name.isdecimal()]
    runs = [r for r in runs if f"{r}/recipe.json" not in all_names]
    runs = [r for r in runs if r.parts[0] == prefer] or runs
    if not runs:
        raise ResultError(
            f"{objects.url}: holds no finished run with {holding}; give the URL of a run, such as "
            f"{objects.url}/NAME/train/001."
        )
    last: dict[PurePosixPath, PurePosixPath] = {}
    for run in runs:
        rival = last.setdefault(run.parent, run)
        last[run.parent] = max(rival, run, key=lambda r: int(r.name))
    candidates = list(last.values())
    if len(candidates) == 1:
        return str(candidates[0])
    return str(max(candidates, key=lambda r: objects.written(f"{r}/{MARK}")))


def _training_of(recipe: Objects) -> str:
    """Return the place of the run in which a recipe's training was done."""
    training: Any = None
    try:
        training = json.loads(recipe.read("recipe.json") or b"")["stages"]["train"]["folder"]
    except (ValueError, LookupError, TypeError):
        raise ResultError(f"{recipe.url}/recipe.json: is damaged.") from None
    if not isinstance(training, str):
        raise ResultError(
            f"{recipe.url}: this recipe has not trained yet; give the URL of one of its stages."
        )
    return training
