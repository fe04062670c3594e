import json

import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.stores.mark import MARK, Sum, download, mark_of, read_mark
from onecycle_cli.runs.stores.objects import Objects

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""The SHA-256 of `abc`, from FIPS 180."""


@pytest.fixture
def marked(url, tmp_path):
    (tmp_path / "run/inner").mkdir(parents=True)
    (tmp_path / "run/inner/file").write_bytes(b"abc")
    objects = Objects(url)
    objects.put(tmp_path / "run/inner/file", "001/inner/file")
    objects.write(f"001/{MARK}", mark_of(tmp_path / "run", ["inner/file"]))
    return objects


def test_a_mark_names_the_files_with_size_and_checksum(marked, tmp_path):
    sums = read_mark(marked, "001")
    assert sums == {"inner/file": Sum(3, ABC)} == read_mark(Objects(f"{marked.url}/001"))
    download(marked, "001", sums, tmp_path / "copy")
    assert (tmp_path / "copy/inner/file").read_bytes() == b"abc"
    assert read_mark(marked, "002") is None


@pytest.mark.parametrize("damaged", [b"abd", b"ab", b"abcd", b""])
def test_another_file_than_was_uploaded_is_refused(marked, tmp_path, damaged):
    marked.write("001/inner/file", damaged)
    with pytest.raises(ResultError, match=r"001/inner/file: is not what was uploaded"):
        download(marked, "001", read_mark(marked, "001"), tmp_path / "copy")


@pytest.mark.parametrize("name", ["../file", "/etc/passwd", "a/../../b", "", r"..\b"])
def test_no_file_outside_the_run_is_written(marked, name):
    mark = json.loads(marked.read(f"001/{MARK}"))
    mark["files"][name] = mark["files"].pop("inner/file")
    marked.write(f"001/{MARK}", json.dumps(mark).encode())
    with pytest.raises(ResultError, match=r"uploaded\.json: is damaged"):
        read_mark(marked, "001")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema_version": 1, "files": {"a": 1}}'])
def test_a_damaged_mark_is_refused(marked, text):
    marked.write(f"001/{MARK}", text.encode())
    with pytest.raises(ResultError, match=r"uploaded\.json: is damaged"):
        read_mark(marked, "001")


def test_the_mark_of_another_version_is_refused(marked):
    marked.write(f"001/{MARK}", b'{"schema_version": 2}')
    with pytest.raises(ResultError, match="another version of onecycle"):
        read_mark(marked, "001")
