"""What a training has on disk while it runs: its tables, and the best model so far."""

from __future__ import annotations

import os
import zipfile

from onecycle_cli.engine.state.snapshot import Snapshot
from onecycle_cli.runs import files
from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.run_folder import BEST, LAST, RunFolder
from onecycle_cli.runs.trackers.together import Trackers
from onecycle_cli.throttle import Throttle
from onecycle_cli.training.final_weights import FinalWeights
from onecycle_cli.workbench.bench import Workbench


class EpochFiles:
    """Writes the tables and the best model, at the end of an epoch or, if that is soon, later.

    Small networks would spend most of their time on files. So the best model is kept in memory, and
    written with the tables when that takes no more than a hundredth of the time; before each
    checkpoint, so that a training that is resumed finds the files of an epoch that it knows; and
    at the end.

    Args:
        run: the folder to write to.
        bench: the model in training.
        weights: which of its weights are judged and saved.
        trackers: hear of the steps and epochs whenever files are written, or could be.
        with_models: whether models are written at all.
    """

    def __init__(
        self,
        run: RunFolder,
        bench: Workbench,
        weights: FinalWeights,
        trackers: Trackers,
        *,
        with_models: bool,
    ) -> None:
        self._run, self._bench, self._weights = run, bench, weights
        self._trackers = trackers
        self._with_models = with_models
        self._throttle = Throttle()
        self._log: Logbook | None = None
        self._best: tuple[int, Snapshot] | None = None

    def end_epoch(self, log: Logbook, *, is_best: bool) -> None:
        """Keep an epoch.

        Args:
            log: which it is the last of.
            is_best: whether the model is the best so far.

        Raises:
            ResultError: when something can't be written.
        """
        self._log = log
        if is_best and self._with_models:
            with self._weights.in_force():
                self._best = len(log.epochs), Snapshot(self._bench.model)
        if self._throttle.is_due():
            self._write()
        self._trackers.write(log)

    def write(self, log: Logbook) -> None:
        """Write what was put off, and have trackers told of the steps since, too."""
        self._write()
        if len(log):
            self._trackers.write(log)

    def _write(self) -> None:
        if self._log is None:
            return
        with self._throttle.work():
            self._run.keep()
            self._log.write()
            self._write_best()
        self._log = None

    def write_model(self) -> None:
        """Write the model as it is, with the weights that are judged."""
        if self._with_models:
            with self._weights.in_force():
                self._save(LAST)

    def _write_best(self) -> None:
        if self._best is None:
            return
        epoch, best = self._best
        present = Snapshot(self._bench.model)
        best.restore()
        try:
            self._save(BEST, comment=_of_epoch(epoch))
        finally:
            present.restore()
        self._best = None

    def has_best(self, epoch: int) -> bool:
        """Tell whether `best.keras` is the model of an epoch; always where no models are written.

        It may be that of a later one: of the epochs that a training had done when it was killed,
        those since its checkpoint are forgotten, and what comes instead need not be the same.
        """
        if not self._with_models:
            return True
        try:
            with zipfile.ZipFile(self._run.path / BEST) as archive:
                return archive.comment == _of_epoch(epoch)
        except (OSError, zipfile.BadZipFile):
            return False

    def _save(self, name: str, comment: bytes = b"") -> None:
        """Write the model whole or not at all; the comment is that of the archive."""
        folder = self._run.path
        temporary = folder / f".{name.removesuffix('.keras')}.tmp.keras"
        try:
            self._bench.model.save(temporary)
            with temporary.open("rb+") as file:
                with zipfile.ZipFile(file, "a") as archive:
                    archive.comment = comment
                os.fsync(file.fileno())
            temporary.replace(folder / name)
        except OSError as error:
            raise files.unwritable(folder / name, error) from None
        finally:
            temporary.unlink(missing_ok=True)


def _of_epoch(epoch: int) -> bytes:
    return f"epoch {epoch}".encode()
