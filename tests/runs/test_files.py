import csv
import errno
import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files


class TestOneFile:
    def test_makes_the_folders_above_it(self, tmp_path):
        files.write_text(tmp_path / "a" / "b" / "c.txt", "ü")
        assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "ü".encode()

    def test_goes_over_the_old_one(self, tmp_path, files_in):
        for text in ("old", "new"):
            files.write_text(tmp_path / "file", text)
        assert (tmp_path / "file").read_text() == "new"
        assert files_in(tmp_path) == ["file"]

    @pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
    def test_has_the_permissions_of_any_new_file(self, tmp_path, mask):
        before = os.umask(mask)
        try:
            files.write_text(tmp_path / "file", "text")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask

    @pytest.mark.usefixtures("full_disk")
    def test_a_full_disk_leaves_the_old_file_and_nothing_else(self, tmp_path, files_in):
        (tmp_path / "file").write_text("old")
        with pytest.raises(
            ResultError, match=r"file: cannot be written: No space.*Free some space"
        ):
            files.write_text(tmp_path / "file", "new")
        assert (tmp_path / "file").read_text() == "old"
        assert files_in(tmp_path) == ["file"]

    def test_a_limit_of_the_system_too(self, tmp_path, files_in):
        """Files of more than 1,000 bytes can't be written: the real thing, in a process apart."""
        script = (
            "import resource, signal, sys\n"
            "from pathlib import Path\n"
            "from onecycle_cli.errors import ResultError\nfrom onecycle_cli.runs import files\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "try:\n"
            "    files.write_text(Path(sys.argv[1]), 'x' * 100_000)\n"
            "except ResultError as error:\n"
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
    def test_breaking_off_leaves_nothing(self, tmp_path, monkeypatch, stop, files_in):
        def broken_off(_):
            raise stop

        monkeypatch.setattr(os, "fsync", broken_off)
        with pytest.raises(stop):
            files.write_text(tmp_path / "file", "text")
        assert files_in(tmp_path) == []

    def test_a_reader_sees_the_old_file_until_the_new_one_is_on_disk(self, tmp_path, monkeypatch):
        path, seen = tmp_path / "file", []
        path.write_text("old")
        monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_text()))
        files.write_text(path, "new")
        assert (seen, path.read_text()) == (["old"], "new")

    def test_a_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ResultError, match=r"cannot be written.*another folder with --out"):
            files.write_text(tmp_path / "file" / "inner", "text")

    def test_a_file_that_is_a_folder(self, tmp_path, files_in):
        (tmp_path / "folder").mkdir()
        with pytest.raises(ResultError, match="folder: cannot be written: Is a directory"):
            files.write_text(tmp_path / "folder", "text")
        assert files_in(tmp_path) == ["folder"]


floats = st.floats(allow_nan=True, allow_infinity=True)


class TestNumbers:
    @given(st.lists(floats | floats.map(np.float64) | st.floats(width=32).map(np.float32)))
    def test_csv_keeps_every_float(self, tmp_path, values):
        written = {"i": list(range(len(values))), "x": values}
        files.write_csv(tmp_path / "table.csv", written)
        table = files.read_csv(tmp_path / "table.csv")
        np.testing.assert_array_equal(table["x"], [float(v) for v in values])
        np.testing.assert_equal(files.as_read(written), table)
        assert table["i"] == list(range(len(values)))

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
    def test_json_keeps_every_finite_float(self, tmp_path, values):
        files.write_json(tmp_path / "a.json", {"values": np.array(values), "more": tuple(values)})
        assert files.read_json(tmp_path / "a.json") == {"values": values, "more": values}
        assert files.plain({"values": np.array(values)}) == {"values": values}

    def test_json_has_null_for_what_is_not_finite(self, tmp_path):
        data = {"a": [math.nan, math.inf], "b": np.float32("nan"), 3: {"c": -math.inf}}
        files.write_json(tmp_path / "a.json", data)
        text = (tmp_path / "a.json").read_text()
        assert json.loads(text) == {"a": [None, None], "b": None, "3": {"c": None}}

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
    def test_yaml_keeps_every_finite_float_for_any_reader(self, values):
        assert yaml.safe_load(files.to_yaml(values)) == values

    @pytest.mark.parametrize(
        "text", ["1e-4", "1e4", "0o17", "08", "1_000", ".5e3", "1.", "no", "2020-01-01", "~", "ü"]
    )
    def test_yaml_keeps_text_that_looks_like_a_number(self, text):
        from onecycle_cli.config.yaml_source import parse_value

        written = files.to_yaml({"key": text})
        assert parse_value(written) == yaml.safe_load(written) == {"key": text}

    def test_a_table_by_name(self, tmp_path):
        rows = [(1, 0.1, "cycled", None), (2, 1e-05, "a,b\"c'", True)]
        written = files.table_of(("n", "lr", "what", "maybe"), rows)
        files.write_csv(tmp_path / "t.csv", written)
        assert (tmp_path / "t.csv").read_text().startswith("n,lr,what,maybe\n1,0.1,cycled,\n")
        assert (
            files.read_csv(tmp_path / "t.csv")
            == files.as_read(written)
            == {
                "n": [1, 2],
                "lr": [0.1, 1e-05],
                "what": ["cycled", "a,b\"c'"],
                "maybe": ["", "True"],
            }
        )


def test_a_spreadsheet_reads_the_tables(tmp_path):
    files.write_csv(tmp_path / "t.csv", {"a": [1], "b": ['say "x", y']})
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"a": "1", "b": 'say "x", y'}]


def test_lists_of_numbers_take_one_line_and_read_back_the_same():
    data = {
        "matrix": [[1, 2], [-3, 4e-7]],
        "none": [],
        "text": ["1", "[\n 2\n]"],
        "mixed": [1, None],
    }
    text = files.to_json(data, indent=2)
    assert "    [1, 2],\n    [-3, 4e-07]\n" in text
    assert json.loads(text) == data


@pytest.mark.parametrize(
    ("code", "next_step"),
    [
        (errno.ENOSPC, "Free some space or choose another folder"),
        (errno.EROFS, "It can only be read; choose another folder"),
        (errno.EACCES, "Make it writable, or choose another folder"),
        (
            errno.ENOENT,
            "No folder can be made there, or it was removed in the meantime",
        ),
        (errno.ENOTDIR, "A file is where a folder should be; move it"),
        (errno.ENAMETOOLONG, "Choose a shorter name"),
        (errno.ENXIO, "Choose another folder with --out."),
    ],
)
def test_each_cause_has_its_own_next_step(code, next_step):
    error = files.unwritable(Path("some/file"), OSError(code, os.strerror(code)))
    assert str(error).startswith(f"some/file: cannot be written: {os.strerror(code)}. {next_step}")
