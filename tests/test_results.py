import csv
import errno
import fcntl
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecycle_cli import results
from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.results import RunFolder
from onecycle_cli.suggest import Suggestion, suggest_lr

quickly = settings(
    derandomize=True,
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def full_disk(monkeypatch):
    """Every write comes to its end with a disk that is full."""

    def no_space(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*"))


class TestOneFile:
    def test_makes_the_folders_above_it(self, tmp_path):
        results.write_text(tmp_path / "a" / "b" / "c.txt", "ü")
        assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "ü".encode()

    def test_goes_over_the_old_one(self, tmp_path):
        for text in ("old", "new"):
            results.write_text(tmp_path / "file", text)
        assert (tmp_path / "file").read_text() == "new"
        assert files_in(tmp_path) == ["file"]

    @pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
    def test_has_the_permissions_of_any_new_file(self, tmp_path, mask):
        before = os.umask(mask)
        try:
            results.write_text(tmp_path / "file", "text")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask

    @pytest.mark.usefixtures("full_disk")
    def test_a_full_disk_leaves_the_old_file_and_nothing_else(self, tmp_path):
        (tmp_path / "file").write_text("old")
        with pytest.raises(
            ResultError, match=r"file: cannot be written: No space.*Free some space"
        ):
            results.write_text(tmp_path / "file", "new")
        assert (tmp_path / "file").read_text() == "old"
        assert files_in(tmp_path) == ["file"]

    def test_a_limit_of_the_system_too(self, tmp_path):
        """Files of more than 1,000 bytes can't be written: the real thing, in a process apart."""
        script = (
            "import resource, signal, sys\n"
            "from pathlib import Path\n"
            "from onecycle_cli import results\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "try:\n"
            "    results.write_text(Path(sys.argv[1]), 'x' * 100_000)\n"
            "except results.ResultError as error:\n"
            "    print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "file")],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"{tmp_path / 'file'}: cannot be written: File too large." in done.stdout
        assert files_in(tmp_path) == []

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, MemoryError])
    def test_breaking_off_leaves_nothing(self, tmp_path, monkeypatch, stop):
        def broken_off(_):
            raise stop

        monkeypatch.setattr(os, "fsync", broken_off)
        with pytest.raises(stop):
            results.write_text(tmp_path / "file", "text")
        assert files_in(tmp_path) == []

    def test_a_reader_sees_the_old_file_until_the_new_one_is_on_disk(self, tmp_path, monkeypatch):
        path, seen = tmp_path / "file", []
        path.write_text("old")
        monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_text()))
        results.write_text(path, "new")
        assert (seen, path.read_text()) == (["old"], "new")

    def test_a_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ResultError, match=r"cannot be written.*another folder with --out"):
            results.write_text(tmp_path / "file" / "inner", "text")

    def test_a_file_that_is_a_folder(self, tmp_path):
        (tmp_path / "folder").mkdir()
        with pytest.raises(ResultError, match="folder: cannot be written: Is a directory"):
            results.write_text(tmp_path / "folder", "text")
        assert files_in(tmp_path) == ["folder"]


floats = st.floats(allow_nan=True, allow_infinity=True)


class TestNumbers:
    @quickly
    @given(st.lists(floats | floats.map(np.float64) | st.floats(width=32).map(np.float32)))
    def test_csv_keeps_every_float(self, tmp_path, values):
        results.write_csv(tmp_path / "table.csv", ("i", "x"), enumerate(values))
        table = results.read_csv(tmp_path / "table.csv")
        np.testing.assert_array_equal(table["x"], [float(v) for v in values])
        assert table["i"] == list(range(len(values)))

    @quickly
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
    def test_json_keeps_every_finite_float(self, tmp_path, values):
        results.write_json(tmp_path / "a.json", {"values": np.array(values), "more": tuple(values)})
        assert results.read_json(tmp_path / "a.json") == {"values": values, "more": values}

    def test_json_has_null_for_what_is_not_finite(self, tmp_path):
        data = {"a": [math.nan, math.inf], "b": np.float32("nan"), 3: {"c": -math.inf}}
        results.write_json(tmp_path / "a.json", data)
        text = (tmp_path / "a.json").read_text()
        assert json.loads(text) == {"a": [None, None], "b": None, "3": {"c": None}}

    @quickly
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
    def test_yaml_keeps_every_finite_float_for_any_reader(self, values):
        assert yaml.safe_load(results.to_yaml(values)) == values

    @pytest.mark.parametrize(
        "text", ["1e-4", "1e4", "0o17", "08", "1_000", ".5e3", "1.", "no", "2020-01-01", "~", "ü"]
    )
    def test_yaml_keeps_text_that_looks_like_a_number(self, text):
        from onecycle_cli.config.yaml_source import parse_value

        written = results.to_yaml({"key": text})
        assert parse_value(written) == yaml.safe_load(written) == {"key": text}

    def test_a_table_by_name(self, tmp_path):
        rows = [(1, 0.1, "cycled", None), (2, 1e-05, "a,b\"c'", True)]
        results.write_csv(tmp_path / "t.csv", ("n", "lr", "what", "maybe"), rows)
        assert (tmp_path / "t.csv").read_text().startswith("n,lr,what,maybe\n1,0.1,cycled,\n")
        assert results.read_csv(tmp_path / "t.csv") == {
            "n": [1, 2],
            "lr": [0.1, 1e-05],
            "what": ["cycled", "a,b\"c'"],
            "maybe": ["", "True"],
        }


MANIFEST = {"seed": 3}


def status_of(folder):
    return json.loads((folder / "manifest.json").read_text())["status"]


class TestRunFolder:
    def test_appears_whole(self, tmp_path):
        final = tmp_path / "name" / "train" / "001"
        with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
            assert run.final == final
            assert status_of(run.path) == "running"
            results.write_text(run.path / "file", "text")
            assert not final.exists()
        assert run.path == final
        assert files_in(tmp_path / "name" / "train") == ["001", "file", "manifest.json"]
        manifest = json.loads((final / "manifest.json").read_text())
        assert manifest.pop("start") <= manifest.pop("end")
        assert manifest == {"schema_version": 1, "seed": 3, "status": "done"}

    def test_counts_and_never_goes_over_an_older_one(self, tmp_path):
        for number in (1, 2, 3):
            with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
                assert run.number == number
        (tmp_path / "name" / "train" / "002").rename(tmp_path / "elsewhere")
        (tmp_path / "name" / "train" / "017").mkdir()
        (tmp_path / "name" / "train" / "018").write_text("a file")
        (tmp_path / "name" / "train" / "notes 99").mkdir()
        with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
            assert run.number == 19

    def test_counts_beyond_three_digits(self, tmp_path):
        (tmp_path / "name" / "train" / "999").mkdir(parents=True)
        with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
            assert run.final.name == "1000"

    def test_a_killed_run_keeps_its_number(self, tmp_path):
        left = tmp_path / "name" / "train" / ".001-running"
        left.mkdir(parents=True)
        with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
            assert run.number == 2
        assert left.exists()

    def test_many_at_once_get_numbers_of_their_own(self, tmp_path):
        count, numbers, start = 24, [], threading.Barrier(24)

        def work():
            start.wait()
            with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
                (run.path / "number").write_text(str(run.number))
            numbers.append(run.number)

        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(set(numbers)) == sorted(numbers)
        assert len(numbers) == count
        for number in numbers:
            folder = tmp_path / "name" / "train" / f"{number:03d}"
            assert (folder / "number").read_text() == str(number)

    def test_a_number_taken_since_they_were_read_is_left_alone(self, tmp_path, monkeypatch):
        """Another run was renamed to 001 in between."""
        (tmp_path / "name" / "train" / "001").mkdir(parents=True)
        monkeypatch.setattr(results, "_numbers", lambda _: iter(()))
        with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
            assert run.number == 2
        assert files_in(tmp_path / "name" / "train") == ["001", "002", "manifest.json"]

    def test_is_removed_when_there_is_nothing_to_keep(self, tmp_path):
        with (
            pytest.raises(RuntimeError),
            RunFolder.create(tmp_path, "name", "train", MANIFEST) as run,
        ):
            results.write_text(run.path / "file", "text")
            raise RuntimeError
        assert files_in(tmp_path) == []

    def test_other_runs_stay_when_one_is_removed(self, tmp_path):
        with RunFolder.create(tmp_path, "name", "train", MANIFEST):
            pass
        with pytest.raises(RuntimeError), RunFolder.create(tmp_path, "name", "train", MANIFEST):
            raise RuntimeError
        assert files_in(tmp_path / "name" / "train") == ["001", "manifest.json"]

    @pytest.mark.parametrize(
        ("stop", "status"),
        [
            (RuntimeError, "failed"),
            (MemoryError, "failed"),
            (KeyboardInterrupt, "interrupted"),
            (SystemExit, "interrupted"),
        ],
    )
    def test_is_kept_with_its_status(self, tmp_path, stop, status):
        with pytest.raises(stop), RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
            run.keep()
            raise stop
        assert status_of(tmp_path / "name" / "train" / "001") == status

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "out").write_text("a file")
        with pytest.raises(ResultError, match=r"out/name/train: cannot be written: .*--out\."):
            RunFolder.create(tmp_path / "out", "name", "train", MANIFEST)

    def test_no_permission(self, tmp_path, monkeypatch):
        def forbidden(*_, **__):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(Path, "mkdir", forbidden)
        with pytest.raises(ResultError, match="train: cannot be written: Permission denied"):
            RunFolder.create(tmp_path, "name", "train", MANIFEST)

    @pytest.mark.usefixtures("full_disk")
    def test_a_full_disk_at_the_start_leaves_nothing(self, tmp_path):
        with pytest.raises(ResultError, match=r"manifest.json: cannot be written: No space"):
            RunFolder.create(tmp_path, "name", "train", MANIFEST)
        assert files_in(tmp_path) == []

    def test_a_full_disk_does_not_hide_the_first_error(self, tmp_path, monkeypatch):
        def no_space(_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with (
            pytest.raises(RuntimeError, match="the first"),
            RunFolder.create(tmp_path, "name", "train", MANIFEST) as run,
        ):
            run.keep()
            monkeypatch.setattr(os, "fsync", no_space)
            raise RuntimeError("the first")

    def test_its_place_taken_meanwhile_is_not_gone_over(self, tmp_path):
        with (
            pytest.raises(ResultError, match="001: cannot be written"),
            RunFolder.create(tmp_path, "name", "train", MANIFEST) as run,
        ):
            run.final.mkdir()
            (run.final / "theirs").write_text("")
        assert files_in(run.final) == ["theirs"]
        assert (run.path / "manifest.json").exists()


class TestTakingUp:
    def broken_off(self, tmp_path):
        with (
            pytest.raises(KeyboardInterrupt),
            RunFolder.create(tmp_path, "name", "train", MANIFEST) as run,
        ):
            run.keep()
            results.write_json(run.path / "resume.json", {})
            raise KeyboardInterrupt
        return tmp_path / "name" / "train" / "001"

    def test_the_newest_unfinished_run_is_found_from_above(self, tmp_path):
        folder = self.broken_off(tmp_path)
        with RunFolder.create(tmp_path, "name", "train", MANIFEST):
            pass
        for path in (folder, folder.parent, folder.parent.parent):
            assert results.find_unfinished(path, "train") == folder
        with pytest.raises(ResultError, match="holds no unfinished run of find-lr"):
            results.find_unfinished(folder.parent.parent, "find-lr")

    def test_it_is_finished_under_its_number_and_forgets_what_it_was_kept_for(self, tmp_path):
        folder = self.broken_off(tmp_path)
        for name in (".steps.csv.66bc6934", ".model.tmp.keras", ".theirs"):
            (folder / name).write_text("half")
        results.write_bytes(folder / "checkpoints" / "one", b"")
        with RunFolder.take_up(folder, command=["again"]) as run:
            assert run.path == folder.with_name(".001-running")
            with pytest.raises(ResultError, match="another process is at work on it"):
                RunFolder.take_up(run.path)
        assert files_in(folder) == [".theirs", "manifest.json"]
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["status"] == "done"
        assert [entry["command"] for entry in manifest["resumed"]] == [["again"]]
        with pytest.raises(ResultError, match="ended before it had begun"):
            results.find_unfinished(folder, "train")

    def test_a_damaged_manifest_does_not_stand_in_the_way_of_others(self, tmp_path):
        folder = self.broken_off(tmp_path)
        other = self.broken_off(tmp_path / "other")
        other.rename(folder.with_name("002"))
        (folder.with_name("002") / "manifest.json").write_text("half")
        assert results.find_unfinished(folder.parent, "train") == folder

    @pytest.mark.parametrize("asked", ["find-lr", "find-momentum", "find-wd", "train"])
    @pytest.mark.parametrize("said_by", ["resume.json", "path", "command"])
    @pytest.mark.parametrize("found", ["find-lr", "find-momentum", "find-wd", "train"])
    def test_a_run_of_another_kind_is_refused(self, tmp_path, found, asked, said_by):
        """Wherever it lies; and older runs, whose `resume.json` does not say it, by their place."""
        parent = tmp_path / "name" / (found if said_by == "path" else "moved")
        folder = self.broken_off(tmp_path / "made")
        parent.mkdir(parents=True)
        folder = folder.rename(parent / "007")
        if said_by == "resume.json":
            results.write_json(folder / "resume.json", {"kind": found})
        if said_by == "command":
            about = results.read_json(folder / "manifest.json")
            about["command"] = ["onecycle", found, "digits.yaml"]
            results.write_json(folder / "manifest.json", about)
        if asked == found:
            assert results.find_unfinished(folder, asked) == folder
            assert results.find_unfinished(parent, asked) == folder
            return
        sentence = (
            f"is a run of {found}, which {asked} can't go on with; use 'onecycle {found} --resume"
        )
        with pytest.raises(ConfigError, match=sentence):
            results.find_unfinished(folder, asked)
        with pytest.raises(ResultError, match=f"holds no unfinished run of {asked}"):
            results.find_unfinished(parent, asked)

    @pytest.mark.parametrize("asked", ["find-lr", "find-momentum", "find-wd", "train"])
    def test_a_recipe_is_none_of_its_stages(self, tmp_path, asked):
        folder = results.new_folder(tmp_path, "name", "run")
        for name in ("recipe.json", "manifest.json"):
            results.write_json(folder / name, {})
        with pytest.raises(ConfigError, match=f"is a recipe, which {asked} can't go on with"):
            results.find_unfinished(folder, asked)

    def test_a_run_that_another_process_has_just_ended(self, tmp_path):
        """It was found while it was unfinished."""
        for end in (lambda f: (f / "resume.json").unlink(), lambda f: f.rename(f.with_name("009"))):
            folder = self.broken_off(tmp_path)
            end(folder)
            with pytest.raises(ResultError, match=r"is finished by now|is not there any"):
                RunFolder.take_up(folder)
            shutil.rmtree(tmp_path / "name")

    def test_a_folder_that_is_renamed_while_its_lock_is_waited_for(self, tmp_path, monkeypatch):
        folder = self.broken_off(tmp_path)
        flock = fcntl.flock

        def slow(*arguments):
            if folder.exists():
                folder.rename(folder.with_name("008"))
                folder.mkdir()
            flock(*arguments)

        monkeypatch.setattr(fcntl, "flock", slow)
        with pytest.raises(ResultError, match="is not there any more: another process has just"):
            RunFolder.take_up(folder)
        assert files_in(folder) == []
        assert "resume.json" in files_in(folder.with_name("008"))

    def test_a_running_name_leads_to_the_run_that_was_ended_since(self, tmp_path):
        folder = self.broken_off(tmp_path)
        aside = folder.with_name(".001-running")
        assert results.find_unfinished(aside, "train") == folder
        results.write_json(folder / "result.json", {})
        results.write_json(folder / "manifest.json", {"status": "done"})
        with pytest.raises(ResultError, match="001-running: is finished; there is nothing to res"):
            results.find_unfinished(aside, "train")


class TestRemovedWhileAtWork:
    """Nothing half-written comes back, and another run at the same place is left alone."""

    def remove(self, path, *, replaced):
        shutil.rmtree(path.parents[2])
        if replaced:
            path.mkdir(parents=True)
            (path / "theirs").write_text("")

    @pytest.mark.parametrize("replaced", [False, True])
    @pytest.mark.parametrize("kept", [False, True])
    def test_the_end_says_so(self, tmp_path, replaced, kept):
        out = tmp_path / "runs"
        with (
            pytest.raises(ResultError, match="001: its folder was removed or replaced while"),
            RunFolder.create(out, "name", "train", MANIFEST) as run,
        ):
            if kept:
                run.keep()
            self.remove(run.path, replaced=replaced)
        expected = ["name", ".001-running", "theirs", "train"] if replaced else []
        assert sorted(p.name for p in out.rglob("*")) == sorted(expected)

    @pytest.mark.parametrize("replaced", [False, True])
    def test_so_does_the_next_piece_that_is_kept(self, tmp_path, replaced):
        out = tmp_path / "runs"
        with (
            pytest.raises(ResultError, match="001: its folder was removed or replaced while"),
            RunFolder.create(out, "name", "train", MANIFEST) as run,
        ):
            run.keep()
            self.remove(run.path, replaced=replaced)
            run.keep()
        assert not (run.path / "manifest.json").exists()

    def test_no_file_makes_it_anew(self, tmp_path):
        run = RunFolder.create(tmp_path / "runs", "name", "train", MANIFEST)
        self.remove(run.path, replaced=False)
        for name in ("steps.csv", "journal/0.json", "checkpoints/1.npz"):
            with pytest.raises(ResultError, match="A folder was removed in the meantime"):
                results.write_text(run.path / name, "")
        assert not (tmp_path / "runs").exists()


TABLES = {
    "find-lr": {"curve": "repeat,step,lr,loss\n0,0,0.1,2.5\n0,1,0.2,1.5\n1,0,0.1,nan\n"},
    "find-momentum": {
        "trials": "trial,momentum,score\n0,0.9,1.5\n1,cycled,inf\n",
        "curves": "trial,step,lr,momentum,loss\n0,0,0.1,0.9,1.5\n",
    },
    "find-wd": {
        "trials": "trial,weight_decay,score\n0,1e-05,1.5\n",
        "curves": "trial,step,lr,momentum,loss\n0,0,0.1,0.9,1.5\n",
    },
    "train": {
        "steps": "step,lr,momentum,loss\n0,0.1,0.9,2.5\n",
        "history": "epoch,loss,val_accuracy\n1,2.5,\n",
    },
}


@pytest.fixture
def write_run(tmp_path):
    """Write the files of a finished run, as a person might."""

    def write(kind, folder=tmp_path / "runs" / "name" / "kind" / "001"):
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps({"kind": kind, "label": "name/kind/001"}))
        (folder / "config.yaml").write_text("name: name\nfind_lr: {max_lr: 1e1}\n")
        for name, text in TABLES[kind].items():
            (folder / f"{name}.csv").write_text(text)
        return folder

    return write


class TestReadRecord:
    @pytest.mark.parametrize("kind", list(TABLES))
    def test_every_kind(self, write_run, kind):
        record = results.read_record(write_run(kind))
        assert (record.kind, record.label) == (kind, "name/kind/001")
        assert record.config == {"name": "name", "find_lr": {"max_lr": 10.0}}
        assert set(record.tables) == set(TABLES[kind])

    def test_curves_by_repeat(self, write_run):
        first, second = results.read_record(write_run("find-lr")).curves()
        assert (first.lrs, first.losses, first.label) == ([0.1, 0.2], [2.5, 1.5], "repeat 0")
        assert second.lrs == [0.1] and np.isnan(second.losses[0])

    def test_a_folder_of_a_callback_has_no_config(self, write_run):
        folder = write_run("find-lr")
        (folder / "config.yaml").unlink()
        assert results.read_record(folder).config == {}

    def test_a_run_without_a_label_is_called_as_its_folder(self, write_run):
        folder = write_run("train")
        (folder / "result.json").write_text('{"kind": "train"}')
        assert results.read_record(folder).label == "001"

    @pytest.mark.parametrize(
        ("kind", "file", "text", "sentence"),
        [
            ("find-lr", "curve.csv", None, "curve.csv: is missing; restore it, or run"),
            ("train", "history.csv", None, "history.csv: is missing"),
            ("train", "steps.csv", "", "steps.csv: is empty"),
            ("train", "steps.csv", "step,lr,loss\n", "steps.csv: has no rows; run the command"),
            ("train", "steps.csv", "step,loss\n1,2\n", "steps.csv: has no column 'lr'"),
            ("train", "steps.csv", "step,lr,loss\n1,2\n", "line 2: has 2 values where .* has 3"),
            ("train", "steps.csv", "step,lr,loss\n1,2,3\n\n", "line 3: has 0 values"),
            ("train", "steps.csv", "step,lr,loss\n1,,3\n", "'lr' must hold numbers only; got ''"),
            ("find-wd", "trials.csv", "weight_decay,score\nx,1\n", "'weight_decay' .* got 'x'"),
            ("find-lr", "curve.csv", b"lr,loss\n\xff,1\n", "curve.csv: cannot be read as a table"),
            ("find-lr", "curve.csv", "lr,loss\n" + "9" * 200_000 + ",1", "cannot be read as a"),
            ("train", "result.json", '{"kind": "tra', "result.json: cannot be read as JSON"),
            ("train", "result.json", "", "result.json: cannot be read as JSON"),
            ("train", "result.json", "[" * 100_000, "result.json: cannot be read as JSON"),
            ("train", "result.json", b"\xff", "result.json: cannot be read as JSON"),
            ("train", "result.json", "[]", "result.json: is not a result of onecycle"),
            ("train", "result.json", "{}", "result.json: is not a result of onecycle"),
            ("train", "result.json", '{"kind": []}', "'kind' must be one of find-lr, find-mom"),
            ("train", "result.json", '{"kind": "test"}', "'kind' must be one of find-lr"),
            (
                "find-lr",
                "result.json",
                '{"kind": "find-lr", "suggestion": 5}',
                "result.json: 'suggestion' must have keys and values",
            ),
            (
                "find-wd",
                "result.json",
                '{"kind": "find-wd", "differences": [1]}',
                "result.json: 'differences' must have keys and values",
            ),
            (
                "find-lr",
                "result.json",
                '{"kind": "find-lr", "suggestion": {"value": "high"}}',
                "result.json: suggestion.value must be a number above 0; got high",
            ),
            (
                "find-momentum",
                "result.json",
                '{"kind": "find-momentum", "suggestion": {"value": 0.9}}',
                r"result.json: suggestion.value must be \{max, min\} with 0 <= min",
            ),
            ("train", "config.yaml", "a: [", "config.yaml: cannot be read as YAML"),
            ("train", "config.yaml", "!!bool a", "config.yaml: cannot be read as YAML"),
            ("train", "config.yaml", "5", "config.yaml: holds no keys and values"),
        ],
    )
    def test_damage(self, write_run, kind, file, text, sentence):
        folder = write_run(kind)
        if text is None:
            (folder / file).unlink()
        else:
            (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ResultError, match=sentence):
            results.read_record(folder)

    @quickly
    @given(st.data())
    def test_any_damage_is_a_result_error(self, tmp_path_factory, data):
        folder = tmp_path_factory.mktemp("run")
        kind = data.draw(st.sampled_from(list(TABLES)))
        (folder / "result.json").write_text(json.dumps({"kind": kind}))
        for name, text in TABLES[kind].items():
            (folder / f"{name}.csv").write_text(text)
        damaged = data.draw(st.sampled_from(sorted(folder.iterdir())))
        content = bytearray(damaged.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            position = data.draw(st.integers(0, len(content)))
            content[position : position + data.draw(st.integers(0, 5))] = data.draw(
                st.binary(max_size=3)
            )
        damaged.write_bytes(content)
        try:
            results.read_record(folder)
        except ResultError as error:
            assert str(error).startswith(str(folder))


class TestFindRun:
    def test_the_folder_itself(self, write_run):
        folder = write_run("train")
        assert results.find_run(folder) == folder == results.find_run(str(folder))

    @pytest.mark.parametrize("above", [".", "name", "name/find-lr"])
    def test_the_newest_within(self, tmp_path, write_run, above):
        old, newest, hidden = (
            write_run("find-lr", tmp_path / "name" / "find-lr" / name)
            for name in ("001", "002", ".003-running")
        )
        for age, folder in ((200, old), (300, newest), (100, hidden)):
            os.utime(folder / "result.json", (10**9 - age, 10**9 - age))
        assert results.find_run(tmp_path / above) == newest

    @pytest.mark.parametrize("path", ["nowhere", "x" * 5000, "a\0b"])
    def test_nothing_there(self, tmp_path, path):
        with pytest.raises(ResultError, match="there is nothing at this path"):
            results.find_run(tmp_path / path)

    def test_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ResultError, match="file: is a file; give the folder of a run"):
            results.find_run(tmp_path / "file")

    def test_an_empty_folder(self, tmp_path):
        with pytest.raises(ResultError, match=r"is empty; .*runs/NAME/find-lr/001"):
            results.find_run(tmp_path)

    def test_a_foreign_folder(self, tmp_path):
        (tmp_path / "readme.txt").write_text("")
        with pytest.raises(ResultError, match=r"holds no result of onecycle; .*lrs.npy"):
            results.find_run(tmp_path)


class TestSeedFolder:
    @pytest.fixture
    def save(self, tmp_path):
        def save(lrs, losses):
            np.save(tmp_path / "lrs.npy", lrs)
            np.save(tmp_path / "losses.npy", losses)
            return tmp_path

        return save

    def test_exponents_and_inflated_losses_are_undone(self, save):
        """Saved after an exponential sweep: log10 of the rates; losses divided by 1 - 0.98^t."""
        lrs, losses = np.geomspace(1e-5, 10, 50), np.linspace(2.38, 1, 50)
        steps = np.arange(1, 51)
        folder = save(np.log10(lrs), losses / (1 - 0.98**steps))
        record = results.read_record(folder)
        assert (record.kind, record.label) == ("find-lr", folder.name)
        (curve,) = record.curves()
        np.testing.assert_allclose(curve.lrs, lrs, rtol=1e-12)
        np.testing.assert_allclose(curve.losses, losses, rtol=1e-12)

    @pytest.mark.parametrize("low", [0.002, 0.0])
    def test_rates_of_a_linear_sweep_stay(self, save, low):
        lrs = np.linspace(low, 0.02, 50)
        assert results.read_seed_folder(save(lrs, np.ones(50))).lrs == lrs.tolist()

    def test_the_first_loss_was_fifty_times_too_large(self, save):
        assert results.read_seed_folder(save([0.1], [118.9])).losses == pytest.approx([2.378])

    @pytest.mark.parametrize(
        ("lrs", "losses", "sentence"),
        [
            ([1, 2], [1], r"lists of the same length; got \(2,\) and \(1,\)"),
            ([], [], "lists of the same length"),
            ([[1]], [[1]], "lists of the same length"),
            (1.0, 1.0, "lists of the same length"),
            ([np.nan, 1], [1, 1], "lrs.npy: holds numbers that are no learning rates"),
            ([-1, 400], [1, 1], "lrs.npy: holds numbers that are no learning rates"),
            ([1, np.inf], [1, 1], "lrs.npy: holds numbers that are no learning rates"),
            (["a"], [1], "lrs.npy: cannot be read as a list of numbers"),
            ([1], np.array([None]), "losses.npy: cannot be read as a list of numbers"),
        ],
    )
    def test_damage(self, save, lrs, losses, sentence):
        with pytest.raises(ResultError, match=sentence):
            results.read_record(save(lrs, losses))

    @pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"text", b"PK\x03\x04"])
    def test_a_file_that_is_not_of_numpy(self, save, content):
        folder = save([1], [1])
        (folder / "losses.npy").write_bytes(content)
        with pytest.raises(ResultError, match=r"losses.npy: cannot be read as a list of numbers"):
            results.read_record(folder)

    def test_one_file_is_missing(self, save):
        folder = save([1], [1])
        (folder / "lrs.npy").unlink()
        with pytest.raises(ResultError, match=r"lrs.npy: is missing"):
            results.read_record(folder)


ACCEPTED = Suggestion(0.0874, (0.05, 0.1), "ok", "because")
RANGE = Suggestion({"max": 0.95, "min": 0.85}, (0.85, 0.95), "undecided", "because")
REFUSED = Suggestion(None, None, "never_diverged", "because")


class TestSuggestions:
    def write(self, folder, key, suggestion):
        results.write_suggestion(folder, key, suggestion, run="name/x/001", conditions={"a": 1e-05})

    def test_none_yet(self, tmp_path):
        assert results.read_suggestions(tmp_path) == {}
        assert results.read_suggestions(tmp_path / "nowhere") == {}

    def test_is_read_as_it_was_written(self, tmp_path):
        self.write(tmp_path, "max_lr", ACCEPTED)
        entry = results.read_suggestions(tmp_path)["max_lr"]
        assert entry.pop("when").endswith("+00:00")
        assert entry == {
            "value": 0.0874,
            "interval": [0.05, 0.1],
            "verdict": "ok",
            "reason": "because",
            "run": "name/x/001",
            "conditions": {"a": 1e-05},
        }

    def test_stands_beside_the_others_in_order_and_replaces_its_own(self, tmp_path):
        for key, suggestion in (
            ("weight_decay", Suggestion(0.0, (0.0, 1e-05), "undecided", "because")),
            ("momentum", RANGE),
            ("max_lr", ACCEPTED),
            ("max_lr", Suggestion(3.0, (1.0, 4.0), "ok", "because")),
        ):
            self.write(tmp_path, key, suggestion)
        known = results.read_suggestions(tmp_path)
        assert list(known) == ["max_lr", "momentum", "weight_decay"]
        assert [entry["value"] for entry in known.values()] == [3.0, RANGE.value, 0.0]

    def test_a_refusal_changes_nothing(self, tmp_path):
        self.write(tmp_path, "max_lr", REFUSED)
        assert files_in(tmp_path) == []
        self.write(tmp_path, "max_lr", ACCEPTED)
        before = (tmp_path / "suggestions.yaml").read_bytes()
        self.write(tmp_path, "max_lr", REFUSED)
        assert (tmp_path / "suggestions.yaml").read_bytes() == before

    @pytest.mark.usefixtures("full_disk")
    def test_a_full_disk_leaves_nothing(self, tmp_path):
        with pytest.raises(ResultError, match=r"suggestions.yaml: cannot be written"):
            self.write(tmp_path, "max_lr", ACCEPTED)
        assert files_in(tmp_path) == []

    @pytest.mark.parametrize(
        ("text", "value"),
        [("0.1", 0.1), ("1e-2", 0.01), ("3E+1", 30.0), (".5e0", 0.5), ("1", 1)],
    )
    def test_numbers_as_people_write_them(self, tmp_path, text, value):
        (tmp_path / "suggestions.yaml").write_text(f"max_lr:\n  value: {text}\n")
        assert results.read_suggestions(tmp_path)["max_lr"]["value"] == value

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("max_lr: {value: 0}", "max_lr.value must be a number above 0; got 0"),
            ("max_lr: {value: -1}", "max_lr.value must be .*; got -1. Correct it, or delete"),
            ("max_lr: {value: .nan}", "max_lr.value must be .*; got nan"),
            ("max_lr: {value: .inf}", "max_lr.value must be .*; got inf"),
            ("max_lr: {value: true}", "max_lr.value must be .*; got True"),
            ("max_lr: {value: high}", "max_lr.value must be .*; got high"),
            ("max_lr: {}", "max_lr.value must be .*; got None"),
            ("max_lr: 0.1", "max_lr.value must be"),
            ("max_lr:", "max_lr.value must be"),
            ("weight_decay: {value: -1e-4}", "weight_decay.value must be a number of at least 0"),
            ("momentum: {value: 0.9}", r"momentum.value must be \{max, min\} with 0 <= min"),
            ("momentum: {value: {max: 0.9}}", "momentum.value must be"),
            ("momentum: {value: {max: 1, min: 0.9}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: 0.9}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: -0.1}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: false}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: .nan}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: 0.7, a: 1}}", "momentum.value must be"),
            ("momentun: {value: 0.1}", "unknown key 'momentun'; known are max_lr, momentum"),
            ("max_lr: [", "suggestions.yaml: cannot be read as YAML"),
            ("[1]", "suggestions.yaml: holds no keys and values; delete it and run the finder"),
            ("", "suggestions.yaml: holds no keys and values"),
            ("\0", "suggestions.yaml: cannot be read as YAML"),
            ("a: !!timestamp x", "suggestions.yaml: cannot be read as YAML"),
        ],
    )
    def test_damage_and_mistakes_are_refused(self, tmp_path, text, sentence):
        (tmp_path / "suggestions.yaml").write_text(text)
        for call in (
            lambda: results.read_suggestions(tmp_path),
            lambda: self.write(tmp_path, "weight_decay", ACCEPTED),
        ):
            with pytest.raises(ResultError, match=sentence):
                call()
        assert (tmp_path / "suggestions.yaml").read_text() == text


def test_what_a_range_test_says(tmp_path):
    lrs = np.geomspace(1e-5, 10, 50)
    findings = suggest_lr([(lrs, np.where(lrs < 1, 2 - np.tanh(lrs), 99))])
    data = results.find_lr_result(findings, label="a", scale="exp", cost={"steps": 50})
    results.write_json(tmp_path / "result.json", data)
    assert results.read_json(tmp_path / "result.json") == {
        "kind": "find-lr",
        "label": "a",
        "suggestion": findings.suggestion.as_dict(),
        "min_lr": findings.min_lr,
        "landmarks": [vars(findings.landmarks[0])],
        "rules": findings.rules,
        "scale": "exp",
        "cost": {"steps": 50},
    }


def test_a_spreadsheet_reads_the_tables(tmp_path):
    results.write_csv(tmp_path / "t.csv", ("a", "b"), [(1, 'say "x", y')])
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"a": "1", "b": 'say "x", y'}]


def test_lists_of_numbers_take_one_line_and_read_back_the_same():
    data = {
        "matrix": [[1, 2], [-3, 4e-7]],
        "none": [],
        "text": ["1", "[\n 2\n]"],
        "mixed": [1, None],
    }
    text = results.to_json(data, indent=2)
    assert "    [1, 2],\n    [-3, 4e-07]\n" in text
    assert json.loads(text) == data


def test_the_newest_run_is_that_of_the_highest_number_whatever_the_clock_said(tmp_path):
    for number, age in ((9, 0), (10, 500), (11, 1000)):
        folder = tmp_path / "find-lr" / f"{number:03d}"
        folder.mkdir(parents=True)
        (folder / "result.json").write_text("{}")
        os.utime(folder / "result.json", (10**9 - age, 10**9 - age))
    assert results.find_run(tmp_path).name == "011"


@pytest.mark.parametrize(
    ("code", "next_step"),
    [
        (errno.ENOSPC, "Free some space or choose another folder"),
        (errno.EROFS, "It can only be read; choose another folder"),
        (errno.EACCES, "Get the right to write there, or choose another folder"),
        (errno.ENOENT, "A folder was removed in the meantime; run the command again."),
        (errno.ENOTDIR, "A file is where a folder should be; move it"),
        (errno.ENAMETOOLONG, "Choose a shorter name"),
        (errno.ENXIO, "Choose another folder with --out."),
    ],
)
def test_each_cause_has_its_own_next_step(code, next_step):
    error = results.unwritable(Path("some/file"), OSError(code, os.strerror(code)))
    assert str(error).startswith(f"some/file: cannot be written: {os.strerror(code)}. {next_step}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max_lr: [unfinished\n", "cannot be read as YAML"),
        ("- a\n- b\n", "holds no keys and values"),
        ("max_lr: 3\n", r"max_lr\.value must be a number above 0; got None"),
        ("max_lr: {value: -1}\n", r"max_lr\.value must be a number above 0; got -1"),
        ("max_lr: {value: .nan}\n", r"max_lr\.value must be a number above 0; got nan"),
        ("momentum: {value: {max: 0.8, min: 0.9}}\n", r"momentum\.value must be {max, min}"),
        ("max_lr: {value: 1}\nmax_lr: {value: 2}\n", "the key 'max_lr' is given twice"),
        ("max_lr: !!python/object/apply:os.system [false]\n", "cannot be read as YAML"),
        ("lr: {value: 1}\n", "unknown key 'lr'"),
    ],
)
def test_suggestions_edited_into_nonsense(tmp_path, text, sentence):
    (tmp_path / "suggestions.yaml").write_text(text)
    with pytest.raises(ResultError, match=sentence) as caught:
        results.read_suggestions(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'suggestions.yaml'}: ")
    assert "\n" not in str(caught.value)


def test_suggestions_that_unfold_without_end(tmp_path):
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (tmp_path / "suggestions.yaml").write_text("\n".join([*levels, "max_lr: {value: *a11}"]))
    with pytest.raises(ResultError, match="more than 10,000 entries"):
        results.read_suggestions(tmp_path)
