import zlib

import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files
from onecycle_cli.runs.tables.appended import AppendedTable, Extent


def rows(first, count):
    return {"n": list(range(first, first + count)), "x": [1 / (n + 1) for n in range(count)]}


@pytest.fixture
def table(tmp_path):
    """Five rows, of which three are on disk."""
    table = AppendedTable(tmp_path / "t.csv")
    table.append(rows(0, 3))
    table.write()
    table.append(rows(3, 2))
    return table


def test_rows_that_are_appended_make_the_file_that_is_written_at_once(table, tmp_path):
    table.write()
    files.write_csv(tmp_path / "once.csv", {k: rows(0, 3)[k] + rows(3, 2)[k] for k in "nx"})
    data = (tmp_path / "once.csv").read_bytes()
    assert table.path.read_bytes() == data
    assert table.extent == Extent(5, len(data), zlib.crc32(data))
    assert table.extent.begins(data + b"more")
    assert not table.extent.begins(data[:-1])
    assert not table.extent.begins(data.replace(b"4", b"5"))


def test_what_is_dropped_leaves_no_trace_once_others_take_its_place(table):
    """The rows that go may be on disk or waiting; both are replaced by longer and shorter ones."""
    table.write()
    five, at_five = table.path.read_bytes(), table.extent
    table.append(rows(100, 50))
    table.write()
    table.append(rows(200, 1))
    table.go_back(at_five)
    assert table.path.read_bytes().startswith(five)  # a checkpoint may name them
    table.append(rows(5, 1))
    table.append(rows(6, 2))
    at_eight = table.extent
    table.append(rows(8, 1))
    table.go_back(at_eight)
    table.write()
    assert at_eight.begins(table.path.read_bytes())
    assert at_eight.size == len(table.path.read_bytes())
    assert table.path.read_bytes().startswith(five + b"5,1.0\n6,1.0\n7,0.5\n")


def test_only_what_lies_behind_is_trimmed(table):
    known = table.path.read_bytes()
    table.path.write_bytes(known + b"9,9.0\n9,")
    table.trim()
    assert table.path.read_bytes() == known


def test_an_append_that_fails_leaves_what_was_there(table, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    known = table.path.read_bytes()
    with monkeypatch.context() as patch, pytest.raises(ResultError, match=r"t\.csv: cannot be wri"):
        patch.setattr("os.fsync", full)
        table.write()
    assert table.path.read_bytes() == known
    table.write()
    assert table.extent.size == len(table.path.read_bytes())


def test_it_goes_on_where_another_process_left_it(table):
    table.write()
    other = AppendedTable(table.path)
    other.take_up(table.extent, table.header)
    for each in (other, table):
        each.append(rows(5, 1))
    other.write()
    assert other.extent == table.extent
    assert table.extent.begins(table.path.read_bytes())
