import os
import subprocess
import sys

from onecycle_cli.runs.folders.lock import locked


def test_every_run_with_what_it_found_and_its_age(invoke, runs):
    outcome = invoke("ls")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    table, to_go_on = outcome.stdout.split("\n\n")
    assert [line.split("  ")[0] for line in table.splitlines()] == [
        "run", "digits/train/002", "my digits/train/001", "digits/train/001",
        "digits/find-wd/001", "digits/find-momentum/001", "digits/find-lr/001",
    ]  # fmt: skip
    cells = [[c.strip() for c in line.split("  ") if c] for line in table.splitlines()[1:]]
    assert cells == [
        ["digits/train/002", "interrupted", "1 min"],
        ["my digits/train/001", "interrupted", "2 min"],
        ["digits/train/001", "done", "test accuracy 75.00%", "3 min"],
        ["digits/find-wd/001", "refused", "never_descended", "4 min"],
        ["digits/find-momentum/001", "done", "momentum 0.95 to 0.85, ok", "5 min"],
        ["digits/find-lr/001", "done", "max_lr 0.1, ok", "6 min"],
    ]
    assert to_go_on.splitlines() == [
        "to continue",
        "digits/train/002     onecycle train --resume runs/digits/train/002",
        "my digits/train/001  onecycle train --resume 'runs/my digits/train/001'",
    ]


def test_what_is_at_work_and_its_picture(invoke, runs, answer_of):
    folder = runs / "digits/train/.002-running"
    (folder / "plot.png").write_bytes(b"live")
    with locked(folder):
        outcome = invoke("ls", "runs/digits/train")
        found = answer_of(invoke("ls", "runs/digits/train", "--json"))["runs"]
    assert "pictures of running runs\n" in outcome.stdout
    assert "digits/train/002  runs/digits/train/.002-running/plot.png" in outcome.stdout
    assert [(run["status"], run["resume"]) for run in found] == [("running", None),
                                                                 ("done", None)]  # fmt: skip
    assert 60 <= found[0]["age_seconds"] < 120


def test_a_damaged_run_is_a_line(invoke, runs, answer_of):
    (runs / "digits/find-lr/001/manifest.json").write_text("half")
    outcome = invoke("ls", "runs/digits/find-lr")
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    first, second = outcome.stderr.splitlines()
    assert first.startswith("warning: runs/digits/find-lr/001/manifest.json: cannot be read as JS")
    assert second == (
        "runs/digits/find-lr: holds no run that can be read; 'onecycle find-lr CONFIG' starts one."
    )
    found = answer_of(invoke("ls", "runs", "--json"))
    assert (len(found["runs"]), len(found["damaged"])) == (5, 1)


def test_no_runs(invoke, own_folders):
    outcome = invoke("ls")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("onecycle: runs: there is nothing at this path; give a folder")
    (own_folders / "runs").mkdir()
    outcome = invoke("ls")
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert "holds no run" in outcome.stderr


def test_an_object_store_is_refused(invoke):
    outcome = invoke("ls", "s3://bucket/runs")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("onecycle: s3://bucket/runs: ls lists runs in a folder; ")


def test_it_needs_no_keras(runs):
    """Nor what else takes long to import; in a process of its own, where nothing is imported."""
    code = (
        "import sys\nfrom onecycle_cli.main import app\n"
        "for words in (['ls'], ['show'], ['show', '--json']):\n"
        "    app(words, standalone_mode=False)\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'matplotlib', 'polars'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=runs.parent, env=os.environ,
                           capture_output=True, text=True, check=False)  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.count("digits/train/002") > 2
