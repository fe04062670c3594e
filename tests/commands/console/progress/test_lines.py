import pytest

from onecycle_cli.commands.console.progress.lines import Lines, Quiet

from .conftest import a_short_story


def test_lines_say_each_outcome(capsys):
    a_short_story(Lines(progress=True))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "2 runs",
        "run 1 of 2: done at 0.1 after 3 steps",
        "warning: odd",
        "run 2 of 2: diverged after 1 step",
    ]


def test_lines_show_progress_now_and_then(capsys, clock):
    clock(6)
    lines = Lines(progress=True)
    lines.begin("run 1 of 2", 5)
    for step in range(5):
        lines.advance(loss=2 - step / 8, lr=0.1)
    assert capsys.readouterr().err.splitlines() == [
        "run 1 of 2: step 2 of 5, loss 1.875, lr 0.1",
        "run 1 of 2: step 4 of 5, loss 1.625, lr 0.1",
    ]


def test_lines_without_progress(capsys, clock):
    clock(60)
    lines = Lines(progress=False)
    a_short_story(lines)
    lines.download(1, 2)
    assert "step 1" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("total", "line"), [(170_500_000, "downloading: 12 of 170 MB"), (None, "downloading: 12 MB")]
)
def test_lines_of_a_download(capsys, clock, total, line):
    clock(60)
    Lines(progress=True).download(12_300_000, total)
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.parametrize(
    ("total", "line"), [(500, "decoding images: 120 of 500"), (None, "decoding images: 120")]
)
def test_lines_of_images(capsys, clock, total, line):
    clock(60)
    Lines(progress=True).decode(120, total)
    Lines(progress=False).decode(120, total)
    assert capsys.readouterr().err == f"{line}\n"


def test_quiet_only_warns(capsys):
    Quiet().decode(1, 2)
    a_short_story(Quiet())
    assert capsys.readouterr().err == "warning: odd\n"


def test_lines_of_progress_say_how_long_all_of_it_takes(capsys, clock, pace):
    clock(6)
    pace(1)
    lines = Lines(progress=True)
    lines.expect(100)
    lines.expect_after(60)
    lines.begin("run 1 of 2", 5)
    for _ in range(4):
        lines.advance(loss=1.0)
    assert capsys.readouterr().err.splitlines() == [
        "run 1 of 2: step 2 of 5, loss 1; 3 min left in all",
        "run 1 of 2: step 4 of 5, loss 1; 3 min left in all",
    ]
