"""The report of a training that is not finished."""

from __future__ import annotations

from collections.abc import Iterator

from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.wording import known, percent
from onecycle_cli.report import sentences
from onecycle_cli.report.document import Document, Headline, Part, Section, Text
from onecycle_cli.report.run import background_of, evidence
from onecycle_cli.runs.reading.saved_run import SavedRun
from onecycle_cli.runs.records import Record

_STATUS = {
    "running": "The training was at work when this was written.",
    "interrupted": "The training was interrupted.",
    "failed": "The training ended with an error.",
}


def document_so_far(run: SavedRun, record: Record) -> Document:
    """Return the report of a training that is at work or broke off.

    Args:
        run: the training.
        record: its steps and epochs, see `runs.reading.so_far`.
    """
    sections = [
        Section("answer", "So far", [*sentences.question(record), *progress(run, record)]),
        Section("evidence", "The evidence", evidence(record, "")),
    ]
    if background := background_of(record, run.manifest):
        sections.append(Section("background", "Where it comes from", background))
    return Document(record.label, "Training by the 1cycle policy: not finished", sections)


def progress(run: SavedRun, record: Record) -> Iterator[Part]:
    """Yield how far a training has got, how it goes on, and how good it is by now."""
    done = len(record.tables["history"]["epoch"])
    planned = sentences.epochs_planned(record)
    epochs = f"{planned:,} epochs" if planned else f"epoch{'' if done == 1 else 's'}"
    of = " of " if planned else " "
    yield Headline(f"Done so far: {done:,}{of}{epochs}.", sentences.DOUBTFUL, "not finished")
    yield Text(_STATUS[run.status] + (f" '{run.resume}' goes on with it." if run.resume else ""))
    yield from _validation(record)
    yield Text("Nothing is tested yet. A test set is used once, at the end.", "muted")


def _validation(record: Record) -> Iterator[Part]:
    """Say how the last epoch does on the validation split, and which one did best."""
    history = record.tables["history"]
    for column, name, shown, best in (
        ("val_accuracy", "accuracy", percent, max),
        ("val_loss", "loss", _loss, min),
    ):
        scores = [(v, epoch) for epoch, v in enumerate(history.get(column, ()), 1) if known(v)]
        if scores:
            last, (value, epoch) = scores[-1][0], best(scores, key=lambda score: score[0])
            text = f"Validation {name} of the last epoch: {shown(last)}"
            yield Text(f"{text}; the best so far is {shown(value)}, after epoch {epoch}.", "muted")
            return


def _loss(value: float) -> str:
    return number(value, 4)
