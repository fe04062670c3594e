"""The report beside a result."""

import pytest

from onecycle_cli import report
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.train import train

SHORT = {"find_lr": {"repeats": 1, "steps": 20}}


@pytest.fixture(scope="module")
def twice(small, tmp_path_factory, with_pictures):
    """The same run twice, in two folders."""
    with with_pictures():
        return [find_lr(small(**SHORT), out=tmp_path_factory.mktemp("runs")) for _ in range(2)]


@pytest.mark.harness
def test_two_runs_of_one_config_differ_in_times_and_costs_only(twice):
    first, second = ((result.folder / report.FILE).read_text().splitlines() for result in twice)
    assert len(first) == len(second)
    differing = [
        (a, b) for before, a, b in zip(["", *first], first, second, strict=False)
        if a != b and not any(word in before for word in (">started<", ">time<"))
    ]  # fmt: skip
    assert differing == []


@pytest.mark.harness
@pytest.mark.pictures
def test_it_is_what_the_files_say(twice, tmp_path):
    from onecycle_cli.runs import files, records

    folder = twice[0].folder
    again = report.report_of(records.read_record(folder), files.read_json(folder / "manifest.json"))
    assert again == (folder / report.FILE).read_text()


def test_there_is_none_if_none_is_wanted(small, tmp_path, tree):
    train(small(report=False), out=tmp_path)
    names = {path.removeprefix("small/train/001/") for path in tree(tmp_path)}
    assert "result.json" in names
    assert names.isdisjoint({"report.html", "mistakes.json"})


def test_a_report_that_fails_costs_a_warning(small, tmp_path, monkeypatch, listener, tree):
    def fail(*_):
        raise RuntimeError("no chart today.\nat all")

    monkeypatch.setattr(report, "report_of", fail)
    result = find_lr(small(**SHORT), out=tmp_path, observer=listener)
    assert result.suggestion is not None
    assert {"small/find-lr/001/result.json", "small/find-lr/001/plot.png"} <= tree(tmp_path)
    assert "small/find-lr/001/report.html" not in tree(tmp_path)
    (warning,) = [text for text in listener.warnings if "report" in text]
    assert warning.startswith("the report was not written: no chart today. All else is;")
    assert f"'onecycle report {tmp_path / 'small/find-lr/001'}' tries again" in warning
