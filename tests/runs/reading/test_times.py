import os
from datetime import UTC, datetime

import pytest

from onecycle_cli.runs.reading.times import age, duration, time_in, when


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (0.9, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"),
        (86_399, "23 h"), (86_400, "1 day"), (200_000, "2 days"),
    ],
)  # fmt: skip
def test_age_is_in_the_unit_that_suits_it(seconds, words):
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.67, "1.7 s"), (89, "89.0 s"), (600, "10.0 min"), (7200, "2.0 h")]
)
def test_durations_have_the_unit_that_suits_them(seconds, text):
    assert duration(seconds, decimals=1) == text


def test_a_time_is_read_with_or_without_its_zone():
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for text in ("2026-05-01T12:00:00+00:00", "2026-05-01T14:00:00+02:00", "2026-05-01T12:00:00"):
        assert time_in({"end": text}, "end") == noon
    for damaged in ({}, {"end": None}, {"end": 5}, {"end": "soon"}):
        assert time_in(damaged, "end") is None


def test_the_manifest_decides_and_not_when_files_were_copied(save_run, found):
    old = save_run("a/find-lr/001", end="2026-05-01T12:00:00+00:00", **found)
    new = save_run("b/find-lr/001", end="2026-05-01T12:00:01+00:00", **found)
    os.utime(new / "result.json", (1, 1))
    assert when(old) < when(new)


def test_within_a_second_the_order_of_a_recipe_decides_then_files_then_names(save_run, found):
    """A recipe ends with its training; and copying gives files whatever times it likes."""
    places = ("z/find-lr/001", "b/find-momentum/001", "a/train/001", "b/train/001", "a/run/001")
    runs = [save_run(place, **found) for place in places]
    for index, run in enumerate(runs):
        os.utime(run / "result.json", (9 - index, 9 - index) if index < 2 else (5, 5))
    assert sorted(set(runs), key=when) == runs
    os.utime(runs[2] / "result.json", (6, 6))
    assert sorted(set(runs), key=when) == [*runs[:2], runs[3], runs[2], runs[4]]


def test_a_run_without_a_manifest_is_as_old_as_its_result(save_run, found):
    run = save_run("a/find-lr/001", **found)
    os.utime(run / "result.json", (86_400, 86_400))
    for text in (None, "half", "[]"):
        (run / "manifest.json").unlink(missing_ok=True)
        if text:
            (run / "manifest.json").write_text(text)
        assert when(run)[0] == datetime(1970, 1, 2, tzinfo=UTC)
