import sys

import pytest

from onecycle_cli.commands.console.result.closing import close, folder_rows
from onecycle_cli.runs.records import Record

HISTORY = {"epoch": [1, 2, 3], "loss": [1.0, 0.5, 0.2]}
RECORD = Record("train", "d", {}, {"history": HISTORY})
NEXT = ["onecycle", "evaluate", "runs/d/train/001"]


def braille(text):
    return [letter for letter in text if 0x2800 < ord(letter) <= 0x28FF]


def test_a_window_shows_a_curve_and_the_next_step(window):
    capsys = window(80)
    close(RECORD, NEXT, quiet=False)
    out, err = capsys.readouterr()
    assert len(braille(out)) > 20
    assert max(map(len, out.splitlines())) <= 80
    assert err == "next: onecycle evaluate runs/d/train/001\n"


def test_a_pipe_gets_the_next_step_only(capsys):
    close(RECORD, NEXT, quiet=False)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "next: onecycle evaluate runs/d/train/001\n")


def test_quiet_is_quiet(window):
    capsys = window(80)
    close(RECORD, NEXT, quiet=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "value"), [("TERM", "dumb"), ("COLUMNS", "30")], ids=["dumb", "narrow"]
)
def test_where_it_would_not_be_seen_nothing_is_drawn(window, monkeypatch, name, value):
    capsys = window(80)
    monkeypatch.setenv(name, value)
    close(RECORD, None, quiet=False)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", None, "no such one"])
def test_a_terminal_of_other_letters_is_spared(window, monkeypatch, encoding):
    class Other:
        isatty = staticmethod(lambda: True)

    Other.encoding = encoding
    capsys = window(80)
    written = capsys.readouterr
    from onecycle_cli.commands.console.result import closing

    monkeypatch.setattr(closing.sys, "stdout", Other())
    close(RECORD, None, quiet=False)
    monkeypatch.setattr(closing.sys, "stdout", sys.__stdout__)
    assert written().err == ""


def test_the_pictures_and_the_report_are_named_from_here(own_folders):
    folder = own_folders / "runs/d/train/001"
    folder.mkdir(parents=True)
    for name in ("plot.png", "confusion.png", "report.html", "other.txt"):
        (folder / name).touch()
    assert folder_rows(folder) == [
        ("saved in", "runs/d/train/001"),
        ("picture", "runs/d/train/001/confusion.png"),
        ("picture", "runs/d/train/001/plot.png"),
        ("report", "runs/d/train/001/report.html"),
    ]
    assert folder_rows(None) == []


def test_a_folder_elsewhere_has_its_whole_path(tmp_path):
    assert folder_rows(tmp_path) == [("saved in", str(tmp_path))]
