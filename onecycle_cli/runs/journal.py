"""The finished pieces of an experiment, kept so that none has to be done twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files, run_folder


class Journal:
    """Remembers what each finished piece of an experiment gave, in a file each.

    A piece starts from a rewound model, so its bits depend on what it is and not on what was done
    before: whether it is done or recalled makes no difference to what follows.

    Args:
        folder: of the run; `None` remembers nothing.
        observer: hears of damaged entries, whose pieces are done again.
        after: is done after each entry.
    """

    def __init__(
        self,
        folder: Path | None,
        observer: Observer,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = None if folder is None else folder / run_folder.JOURNAL
        self._observer, self._after = observer, after

    def recall(self, piece: str) -> Any:
        """Return what a piece gave, or `None` if it is not known to be finished."""
        if self._folder is None or not (path := self._path(piece)).is_file():
            return None
        try:
            digest, text = path.read_text(encoding="utf-8").split("\n", 1)
            if digest == _digest(text) and (entry := json.loads(text))["piece"] == piece:
                return entry["gave"]
        except (OSError, ValueError, LookupError, TypeError):
            pass
        self._observer.warn(f"{path}: is damaged; doing that part again.")
        return None

    def enter(self, piece: str, gave: Any) -> None:
        """Remember what a piece gave: numbers, text, lists and mappings by text.

        Raises:
            ResultError: when it can't be written.
        """
        if self._folder is None:
            return
        text = json.dumps({"piece": piece, "gave": gave})
        files.write_text(self._path(piece), f"{_digest(text)}\n{text}")
        self._after()

    def _path(self, piece: str) -> Path:
        if self._folder is None:
            raise ResultError("nothing is remembered without a folder.")
        return self._folder / f"{_digest(piece)[:16]}.json"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
