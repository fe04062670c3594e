import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import filelock
import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files, run_folder
from onecycle_cli.runs.run_folder import RunFolder

pytestmark = pytest.mark.lowest

MANIFEST = {"seed": 3}


def status_of(folder):
    return json.loads((folder / "manifest.json").read_text())["status"]


class TestRunFolder:
    def test_appears_whole(self, tmp_path, files_in):
        final = tmp_path / "name" / "train" / "001"
        with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
            assert run.final == final
            assert status_of(run.path) == "running"
            files.write_text(run.path / "file", "text")
            assert not final.exists()
        assert run.path == final
        assert files_in(tmp_path / "name" / "train") == ["001", "file", "latest", "manifest.json"]
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

    def test_a_number_taken_since_they_were_read_is_left_alone(
        self, tmp_path, monkeypatch, files_in
    ):
        """Another run was renamed to 001 in between."""
        (tmp_path / "name" / "train" / "001").mkdir(parents=True)
        monkeypatch.setattr(run_folder, "_numbers", lambda _: iter(()))
        with RunFolder.create(tmp_path, "name", "train", MANIFEST) as run:
            assert run.number == 2
        assert files_in(tmp_path / "name" / "train") == ["001", "002", "latest", "manifest.json"]

    def test_is_removed_when_there_is_nothing_to_keep(self, tmp_path, files_in):
        with (
            pytest.raises(RuntimeError),
            RunFolder.create(tmp_path, "name", "train", MANIFEST) as run,
        ):
            files.write_text(run.path / "file", "text")
            raise RuntimeError
        assert files_in(tmp_path) == []

    def test_other_runs_stay_when_one_is_removed(self, tmp_path, files_in):
        with RunFolder.create(tmp_path, "name", "train", MANIFEST):
            pass
        with pytest.raises(RuntimeError), RunFolder.create(tmp_path, "name", "train", MANIFEST):
            raise RuntimeError
        assert files_in(tmp_path / "name" / "train") == ["001", "latest", "manifest.json"]

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
    def test_a_full_disk_at_the_start_leaves_nothing(self, tmp_path, files_in):
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

    def test_its_place_taken_meanwhile_is_not_gone_over(self, tmp_path, files_in):
        with (
            pytest.raises(ResultError, match="001: cannot be written"),
            RunFolder.create(tmp_path, "name", "train", MANIFEST) as run,
        ):
            run.final.mkdir()
            (run.final / "theirs").write_text("")
        assert files_in(run.final) == ["theirs"]
        assert (run.path / "manifest.json").exists()


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
                files.write_text(run.path / name, "")
        assert not (tmp_path / "runs").exists()


class TestLocked:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "001"
        folder.mkdir()
        return folder

    def test_leaves_nothing_beside_the_folder(self, folder, files_in):
        with run_folder.locked(folder):
            assert files_in(folder.parent) == [".001.lock", "001"]
        assert files_in(folder.parent) == ["001"]

    def test_a_killed_process_holds_nothing(self, folder, files_in):
        work = (
            "import sys, time; from pathlib import Path; from onecycle_cli.runs import run_folder\n"
            "with run_folder.locked(Path(sys.argv[1])): print(flush=True); time.sleep(60)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", work, folder], stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            with pytest.raises(ResultError, match="at work on it"), run_folder.locked(folder):
                pass
            process.kill()
        with run_folder.locked(folder):
            pass
        assert files_in(folder.parent) == ["001"]

    def test_one_at_a_time_however_many_try(self, folder):
        at_work, most, turns, start = [], [], [], threading.Barrier(8)

        def work():
            start.wait()
            for _ in range(200):
                with contextlib.suppress(ResultError), run_folder.locked(folder):
                    at_work.append(1)
                    most.append(len(at_work))
                    turns.append(1)
                    at_work.pop()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(most) == {1}
        assert len(turns) > 8

    def test_a_place_that_cannot_be_written(self, folder, monkeypatch):
        def forbidden(*_, **__):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(filelock.FileLock, "acquire", forbidden)
        with (
            pytest.raises(ResultError, match=r"001.lock: cannot be written: Permission denied"),
            run_folder.locked(folder),
        ):
            pass
