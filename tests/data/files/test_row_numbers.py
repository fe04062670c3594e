import numpy as np
import pytest

from onecycle_cli.data.files.row_numbers import read_row_numbers
from onecycle_cli.errors import DataError


@pytest.fixture
def read(tmp_path):
    """Write numbers, as an array or as text, and read them."""

    def write_and_read(content, name=None):
        file = tmp_path / (name or ("rows.txt" if isinstance(content, str) else "rows.npy"))
        if isinstance(content, str):
            file.write_text(content, encoding="utf-8")
        else:
            np.save(file, content)
        return read_row_numbers(file)

    return write_and_read


@pytest.mark.parametrize(
    "content",
    [
        "7\n0\n12\n",
        "\ufeff7\r\n\r\n  0\n12",
        "007\n00\n12",
        np.array([7, 0, 12]),
        np.array([7, 0, 12], np.uint8),
        np.array([12, 7, 0], ">i8"),
    ],
)
def test_rows_are_read_in_ascending_order(read, content):
    rows = read(content)
    assert rows.tolist() == [0, 7, 12]
    assert rows.dtype == np.int64


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "must hold row numbers, got none"),
        ("\n \n", "must hold row numbers, got none"),
        ("3\n4\n3", "has row 3 twice; name each row once"),
        ("3\n-1", "line 2: must be a row number, a whole number from 0, got '-1'"),
        ("1.0", "line 1: must be a row number, a whole number from 0, got '1.0'"),
        ("row\n1", "line 1: must be a row number, .* got 'row'"),
        ("1, 2", "line 1: must be a row number, .* got '1, 2'"),
        ("٣", "line 1: must be a row number"),
        ("9" * 400, f"line 1: must be a row number, .* got '{'9' * 30}'"),
        (np.array([], int), "must hold row numbers, got none"),
        (np.array([4, 4]), "has row 4 twice"),
        (np.array([4, -2]), "which count from 0, got -2"),
        (np.array([2**64 - 1], np.uint64), f"which count from 0, got {2**64 - 1}"),
        (np.array([1.0]), r"whole numbers of shape \(n,\), got float64 \(1,\)"),
        (np.array([[1]]), r"whole numbers of shape \(n,\), got int64 \(1, 1\)"),
        (np.array(1), r"whole numbers of shape \(n,\), got int64 \(\)"),
        (np.array([True, False]), r"got bool \(2,\); numpy\.flatnonzero\(mask\) gives the numbers"),
        (np.array([{}], object), "cannot be read as an .npy file"),
    ],
)
def test_anything_else_is_one_sentence(read, content, sentence):
    with pytest.raises(DataError, match=sentence) as error:
        read(content)
    assert "rows." in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "rows").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="rows cannot be read as row numbers"):
        read_row_numbers(tmp_path / "rows")
    with pytest.raises(DataError, match=r"cannot be read as row numbers .*directory"):
        read_row_numbers(tmp_path)
    with pytest.raises(DataError, match=r"cannot be read as an \.npy file"):
        (tmp_path / "rows.npy").write_text("1\n2\n")
        read_row_numbers(tmp_path / "rows.npy")
