"""What is drawn by the kind of a record, and what drawing needs."""

import subprocess
import sys

import pytest

from onecycle_cli import plotting
from onecycle_cli.errors import ResultError
from onecycle_cli.runs.records import Record


def test_one_record_needs_no_overlay(train, heading):
    assert heading(plotting.draw_overlay([train()])) == heading(plotting.draw(train()))


def test_mixed_kinds_are_refused(find_lr, train):
    with pytest.raises(ResultError, match=r"different kinds \(find-lr, train\).*runs of one kind"):
        plotting.draw_overlay([find_lr(), train()])


def test_nothing_and_unknown_kinds_are_refused():
    with pytest.raises(ResultError, match="no result to draw"):
        plotting.draw_overlay([])
    with pytest.raises(ResultError, match="'dance' is no kind of result"):
        plotting.draw(Record("dance", "x"))


@pytest.mark.parametrize(
    ("kind", "tables"),
    [
        ("find-lr", {"curve": {"repeat": [], "lr": [], "loss": []}}),
        (
            "find-wd",
            {
                "trials": {"trial": [], "weight_decay": [], "score": []},
                "curves": {"trial": [], "step": [], "loss": []},
            },
        ),
        ("train", {"steps": {"step": [], "lr": [], "loss": []}, "history": {"epoch": []}}),
    ],
)
def test_empty_tables_are_drawn_without_a_warning(kind, tables):
    record = Record(kind, "empty", tables=tables)
    assert plotting.png(plotting.draw(record))
    assert plotting.png(plotting.draw_overlay([record, record]))


def test_drawing_needs_neither_pyplot_nor_keras():
    program = (
        "import sys\n"
        "from onecycle_cli import plotting, schedules\n"
        "lrs = schedules.learning_rates(10, .1)\n"
        "plotting.png(plotting.draw_schedule(lrs, None, title='x', steps_per_epoch=5))\n"
        "print([m for m in ('matplotlib.pyplot', 'keras', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
