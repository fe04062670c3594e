import json
import os
import shutil

import filelock
import pytest

from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.runs import files, finding, run_folder
from onecycle_cli.runs.run_folder import RunFolder

MANIFEST = {"seed": 3}


class TestTakingUp:
    def broken_off(self, tmp_path):
        with (
            pytest.raises(KeyboardInterrupt),
            RunFolder.create(tmp_path, "name", "train", MANIFEST) as run,
        ):
            run.keep()
            files.write_json(run.path / "resume.json", {})
            raise KeyboardInterrupt
        return tmp_path / "name" / "train" / "001"

    def test_the_newest_unfinished_run_is_found_from_above(self, tmp_path):
        folder = self.broken_off(tmp_path)
        with RunFolder.create(tmp_path, "name", "train", MANIFEST):
            pass
        for path in (folder, folder.parent, folder.parent.parent):
            assert finding.find_unfinished(path, "train") == folder
        with pytest.raises(ResultError, match="holds no unfinished run of find-lr"):
            finding.find_unfinished(folder.parent.parent, "find-lr")

    def test_it_is_finished_under_its_number_and_forgets_what_it_was_kept_for(
        self, tmp_path, files_in
    ):
        folder = self.broken_off(tmp_path)
        for name in (".steps.csv.66bc6934", ".model.tmp.keras", ".theirs"):
            (folder / name).write_text("half")
        files.write_bytes(folder / "checkpoints" / "one", b"")
        with RunFolder.resume(folder, command=["again"]) as run:
            assert run.path == folder.with_name(".001-running")
            with pytest.raises(ResultError, match="another process is at work on it"):
                RunFolder.resume(run.path)
        assert files_in(folder) == [".theirs", "manifest.json"]
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["status"] == "done"
        assert [entry["command"] for entry in manifest["resumed"]] == [["again"]]
        with pytest.raises(ResultError, match="ended before it had begun"):
            finding.find_unfinished(folder, "train")

    def test_a_damaged_manifest_does_not_stand_in_the_way_of_others(self, tmp_path):
        folder = self.broken_off(tmp_path)
        other = self.broken_off(tmp_path / "other")
        other.rename(folder.with_name("002"))
        (folder.with_name("002") / "manifest.json").write_text("half")
        assert finding.find_unfinished(folder.parent, "train") == folder

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
            files.write_json(folder / "resume.json", {"kind": found})
        if said_by == "command":
            about = files.read_json(folder / "manifest.json")
            about["command"] = ["onecycle", found, "digits.yaml"]
            files.write_json(folder / "manifest.json", about)
        if asked == found:
            assert finding.find_unfinished(folder, asked) == folder
            assert finding.find_unfinished(parent, asked) == folder
            return
        sentence = (
            f"is a run of {found}, which {asked} can't go on with; use 'onecycle {found} --resume"
        )
        with pytest.raises(ConfigError, match=sentence):
            finding.find_unfinished(folder, asked)
        with pytest.raises(ResultError, match=f"holds no unfinished run of {asked}"):
            finding.find_unfinished(parent, asked)

    @pytest.mark.parametrize("asked", ["find-lr", "find-momentum", "find-wd", "train"])
    def test_a_recipe_is_none_of_its_stages(self, tmp_path, asked):
        folder = run_folder.new_folder(tmp_path, "name", "run")
        for name in ("recipe.json", "manifest.json"):
            files.write_json(folder / name, {})
        with pytest.raises(ConfigError, match=f"is a recipe, which {asked} can't go on with"):
            finding.find_unfinished(folder, asked)

    def test_a_run_that_another_process_has_just_ended(self, tmp_path):
        """It was found while it was unfinished."""
        for end in (lambda f: (f / "resume.json").unlink(), lambda f: f.rename(f.with_name("009"))):
            folder = self.broken_off(tmp_path)
            end(folder)
            with pytest.raises(ResultError, match=r"is finished by now|is not there any"):
                RunFolder.resume(folder)
            shutil.rmtree(tmp_path / "name")

    def test_a_folder_that_is_renamed_while_its_lock_is_waited_for(
        self, tmp_path, monkeypatch, files_in
    ):
        folder = self.broken_off(tmp_path)
        acquire = filelock.FileLock.acquire

        def slow(self, **arguments):
            folder.rename(folder.with_name("008"))
            folder.mkdir()
            return acquire(self, **arguments)

        monkeypatch.setattr(filelock.FileLock, "acquire", slow)
        with pytest.raises(ResultError, match="is not there any more: another process has just"):
            RunFolder.resume(folder)
        assert files_in(folder) == []
        assert "resume.json" in files_in(folder.with_name("008"))

    def test_a_running_name_leads_to_the_run_that_was_ended_since(self, tmp_path):
        folder = self.broken_off(tmp_path)
        aside = folder.with_name(".001-running")
        assert finding.find_unfinished(aside, "train") == folder
        files.write_json(folder / "result.json", {})
        files.write_json(folder / "manifest.json", {"status": "done"})
        with pytest.raises(ResultError, match="001-running: is finished; there is nothing to res"):
            finding.find_unfinished(aside, "train")


class TestFindRun:
    def test_the_folder_itself(self, write_run):
        folder = write_run("train")
        assert finding.find_run(folder) == folder == finding.find_run(str(folder))

    @pytest.mark.parametrize("above", [".", "name", "name/find-lr"])
    def test_the_newest_within(self, tmp_path, write_run, above):
        old, newest, hidden = (
            write_run("find-lr", tmp_path / "name" / "find-lr" / name)
            for name in ("001", "002", ".003-running")
        )
        for age, folder in ((200, old), (300, newest), (100, hidden)):
            os.utime(folder / "result.json", (10**9 - age, 10**9 - age))
        assert finding.find_run(tmp_path / above) == newest

    @pytest.mark.parametrize("path", ["nowhere", "x" * 5000, "a\0b"])
    def test_nothing_there(self, tmp_path, path):
        with pytest.raises(ResultError, match="there is nothing at this path"):
            finding.find_run(tmp_path / path)

    def test_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ResultError, match="file: is a file; give the folder of a run"):
            finding.find_run(tmp_path / "file")

    def test_an_empty_folder(self, tmp_path):
        with pytest.raises(ResultError, match=r"is empty; .*runs/NAME/find-lr/001"):
            finding.find_run(tmp_path)

    def test_a_foreign_folder(self, tmp_path):
        (tmp_path / "readme.txt").write_text("")
        with pytest.raises(ResultError, match=r"holds no result of onecycle; .*lrs.npy"):
            finding.find_run(tmp_path)


def test_the_newest_run_is_that_of_the_highest_number_whatever_the_clock_said(tmp_path):
    for number, age in ((9, 0), (10, 500), (11, 1000)):
        folder = tmp_path / "find-lr" / f"{number:03d}"
        folder.mkdir(parents=True)
        (folder / "result.json").write_text("{}")
        os.utime(folder / "result.json", (10**9 - age, 10**9 - age))
    assert finding.find_run(tmp_path).name == "011"
