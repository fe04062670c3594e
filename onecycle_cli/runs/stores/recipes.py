"""The runs of a recipe, which are uploaded before the recipe that names them."""

from __future__ import annotations

from pathlib import Path

from onecycle_cli.runs.files import read_json
from onecycle_cli.runs.stores.mark import MARK
from onecycle_cli.runs.stores.mirror import CLAIM, kept_here, mirror_of
from onecycle_cli.runs.stores.objects import Objects, StoreError
from onecycle_cli.runs.stores.urls import url_of


def upload_stages(recipe: Path) -> None:
    """Upload what the store lacks of the runs that a recipe names, if its folder stands for a URL.

    Raises:
        ResultError: when one can't be uploaded, saying where it is kept.
    """
    if url_of(recipe) is None:
        return
    for stage in read_json(recipe / "recipe.json")["stages"].values():
        if stage.get("folder"):
            _finish_upload(recipe.parents[2] / stage["folder"])


def _finish_upload(run: Path) -> None:
    """Upload what is missing of a run that this machine has written last, and that is over."""
    url = url_of(run)
    if url is None or not (run / CLAIM).is_file():
        return
    objects = Objects(url)
    try:
        is_ours = objects.read(CLAIM) == (run / CLAIM).read_bytes()
        is_whole = objects.read(MARK) is not None
    except StoreError as error:
        raise kept_here(error, run) from None
    if is_ours and not is_whole:
        mirror_of(run).finish(run, is_done=True)
