"""`onecycle report`, on runs that were written without training."""

import json
import subprocess
import sys

import numpy as np
import pytest

from onecycle_cli.runs import files


@pytest.fixture
def run(own_folders):
    """Write a range test as a run, and return its folder."""
    return write_run(own_folders / "runs/tiny/find-lr/001")


def write_run(folder):
    lrs = np.geomspace(1e-4, 1, 60)
    losses = 2.3 - 1 / (1 + 0.01 / lrs) + lrs**2
    files.write_csv(
        folder / "curve.csv",
        {"repeat": [0] * 60, "step": list(range(60)), "lr": lrs.tolist(), "loss": losses.tolist()},
    )
    found = {"value": 0.1, "interval": [0.05, 0.2], "verdict": "ok", "reason": "it is so."}
    result = {"kind": "find-lr", "label": "tiny/find-lr/001", "method": "sweep",
              "suggestion": found, "rules": {}, "landmarks": []}  # fmt: skip
    files.write_json(folder / "result.json", result)
    files.write_json(folder / "manifest.json", {"status": "done", "origins": {}})
    files.write_yaml(folder / "config.yaml", {"name": "tiny", "batch_size": 64})
    return folder


@pytest.mark.pictures
class TestOneRun:
    def test_is_written_into_its_folder_and_the_path_printed(self, invoke, run):
        done = invoke("report", run)
        assert (done.exit_code, done.stdout) == (0, f"{run / 'report.html'}\n")
        assert "Train with a maximum learning rate of 0.1." in (run / "report.html").read_text()

    def test_may_be_written_again(self, invoke, run):
        (run / "report.html").write_text("older")
        assert invoke("report", run).exit_code == 0
        first = (run / "report.html").read_bytes()
        assert invoke("report", run).exit_code == 0
        assert (run / "report.html").read_bytes() == first

    def test_is_written_elsewhere_on_request(self, invoke, run, own_folders):
        assert invoke("report", run, "--out", "mine.html").exit_code == 0
        assert (own_folders / "mine.html").is_file() and not (run / "report.html").exists()

    def test_is_meant_by_a_folder_above_it(self, invoke, run, own_folders):
        assert invoke("report", own_folders / "runs").exit_code == 0
        assert (run / "report.html").is_file()

    def test_of_keras_one_cycle_goes_to_the_current_folder(self, invoke, own_folders):
        old = own_folders / "old"
        old.mkdir()
        np.save(old / "lrs.npy", np.linspace(-4, 0, 60))
        np.save(old / "losses.npy", 2.3 - np.linspace(0, 1, 60))
        assert invoke("report", old).stdout == "old-report.html\n"
        assert invoke("report", old).stdout == "old-report-2.html\n"
        assert sorted(p.name for p in old.iterdir()) == ["losses.npy", "lrs.npy"]


class TestARunThatIsNotFinished:
    @pytest.fixture
    def unfinished(self, own_folders):
        folder = own_folders / "runs/tiny/train/.001-running"
        folder.mkdir(parents=True)
        (folder / "steps.csv").write_text("step,lr,loss\n0,0.1,2\n1,0.1,1\n")
        (folder / "history.csv").write_text("epoch,loss\n1,1.5\n")
        for name in ("manifest.json", "resume.json"):
            files.write_json(folder / name, {"status": "running"})
        return folder

    @pytest.mark.pictures
    def test_has_a_report_of_what_is_there(self, invoke, unfinished):
        done = invoke("report", unfinished.with_name("001"))
        assert (done.exit_code, done.stdout) == (0, f"{unfinished / 'report.html'}\n")
        assert "Done so far: 1 epoch." in (unfinished / "report.html").read_text()

    @pytest.mark.pictures
    def test_keeps_it_elsewhere_if_it_is_to_have_none(self, invoke, unfinished, own_folders):
        files.write_yaml(unfinished / "config.yaml", {"report": False})
        assert invoke("report", unfinished).stdout == "tiny-train-001-report.html\n"
        assert not (unfinished / "report.html").exists()

    def test_is_not_compared(self, invoke, unfinished, run):
        done = invoke("report", run, unfinished.with_name("001"))
        assert (done.exit_code, done.stdout) == (1, "")
        assert "this run is not finished; 'onecycle show" in " ".join(done.stderr.split())

    def test_is_named_where_nothing_else_is(self, invoke, unfinished, own_folders):
        done = invoke("report", own_folders / "runs")
        assert done.exit_code == 1
        assert "holds no finished run; 'onecycle ls" in " ".join(done.stderr.split())


@pytest.mark.pictures
def test_several_runs_are_compared_in_a_file_of_its_own(invoke, run, own_folders):
    other = write_run(own_folders / "runs/tiny/find-lr/002")
    assert invoke("report", run, other).stdout == "comparison.html\n"
    assert invoke("report", run, other).stdout == "comparison-2.html\n"
    assert "2 runs compared" in (own_folders / "comparison.html").read_text()


@pytest.mark.pictures
def test_a_program_is_told_the_path_and_the_runs(invoke, run):
    done = invoke("report", run, "--json")
    assert json.loads(done.stdout) == {
        "schema_version": 1, "command": "report", "report": str(run / "report.html"),
        "runs": ["tiny/find-lr/001"],
    }  # fmt: skip


@pytest.mark.parametrize("taken", ["mine.html", "folder"])
def test_nothing_is_overwritten(invoke, run, own_folders, taken):
    (own_folders / "folder").mkdir()
    (own_folders / "mine.html").write_text("precious")
    done = invoke("report", run, "--out", taken)
    assert done.exit_code == 2
    assert f"--out: {taken} is " in done.stderr
    assert (own_folders / "mine.html").read_text() == "precious"


def test_what_is_no_run_is_refused(invoke, own_folders):
    done = invoke("report", own_folders)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "give the folder of a run" in done.stderr


def test_a_damaged_manifest_is_named(invoke, run):
    (run / "manifest.json").write_text("{")
    done = invoke("report", run)
    assert done.exit_code == 1
    assert str(run / "manifest.json") in done.stderr


@pytest.mark.harness
def test_neither_keras_nor_tensorflow_is_imported(run):
    code = (
        "import sys, json\n"
        "from onecycle_cli.main import app\n"
        f"try: app(['report', {str(run)!r}])\n"
        "except SystemExit: pass\n"
        "print(json.dumps([m for m in ('keras', 'tensorflow', 'jax', 'torch') "
        "if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
