import os

import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.folders.writable import check_writable


def files_in(folder):
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("missing", ["", "a", "a/b/c"])
def test_a_folder_that_can_be_made_is_left_as_it_was(tmp_path, missing):
    (tmp_path / "there").mkdir()
    before = files_in(tmp_path)
    check_writable(tmp_path / "there" / missing)
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("place", ["taken", "taken/a/b"])
def test_a_file_in_the_way(tmp_path, place):
    (tmp_path / "taken").touch()
    with pytest.raises(ResultError, match=r"taken.*A file is where a folder should be; move it"):
        check_writable(tmp_path / place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_only_others_may_write_to(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(ResultError, match=r"locked/runs: .* Make it writable"):
        check_writable(tmp_path / "locked/runs")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc")  # noqa: PTH112
def test_a_place_where_no_folder_can_be_made():
    """It was once said that a folder had been removed in the meantime."""
    from pathlib import Path

    with pytest.raises(ResultError, match=r"^/proc/runs: cannot be written: no folder can be made"):
        check_writable(Path("/proc/runs"))


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(ResultError, match="Choose a shorter name"):
        check_writable(tmp_path / ("x" * 300))
