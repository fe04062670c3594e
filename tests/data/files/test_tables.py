import builtins

import polars as pl
import pytest

from onecycle_cli.data.files.tables import columns_in, read_table
from onecycle_cli.errors import DataError

pytestmark = pytest.mark.lowest


@pytest.fixture
def csv(tmp_path):
    """Write text, or bytes, as a CSV file."""

    def write(content, name="data.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


@pytest.fixture
def parquet(tmp_path):
    def write(columns, name="data.parquet"):
        file = tmp_path / name
        file.write_bytes(b"")
        with file.open("wb") as stream:
            pl.DataFrame(columns).write_parquet(stream)
        return file

    return write


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("a,b\n1,x\n2,y\n", {"a": [1, 2], "b": ["x", "y"]}),
        ("a;b\n1;x\n2;y,z\n", {"a": [1, 2], "b": ["x", "y,z"]}),
        ("a\tb\n1\tx\n2\ty, z; w\n", {"a": [1, 2], "b": ["x", "y, z; w"]}),
        ("a\n1\n2\n", {"a": [1, 2]}),
        ("a,b\r\n1,x\r\n2,y\r\n", {"a": [1, 2], "b": ["x", "y"]}),
        ("a,b\n1,x\n2,y", {"a": [1, 2], "b": ["x", "y"]}),
        ("\ufeffa,b\n1,x\n", {"a": [1], "b": ["x"]}),
        (
            '"a,b","c"\n1,"x, ""y"""\n2,"two\nlines"\n',
            {"a,b": [1, 2], "c": ['x, "y"', "two\nlines"]},
        ),
        ('"a,b";"c"\n1;2\n', {"a,b": [1], "c": [2]}),
        ('"a\nb",c\n1,2\n', {"a\nb": [1], "c": [2]}),
        ("\na,b\n1,2\n", {"a": [1], "b": [2]}),
        (",größe\n0,1.5\n", {"": [0], "größe": [1.5]}),
        ("a,b\nTrue,false\nFalse,true\n", {"a": [True, False], "b": [False, True]}),
        ("a,b\n1,\n,x\n", {"a": [1, None], "b": [None, "x"]}),
        ('a,b\n"",1\nx,2\n', {"a": [None, "x"], "b": [1, 2]}),
        ("a,b\n1, 2\n3, 4.5\n", {"a": [1, 3], " b": [2.0, 4.5]}),
        ("a,b\n 1,x \n2 ,y\n", {"a": [1, 2], "b": ["x", "y"]}),
        ("a,b\n1,2\n3\n", {"a": [1, 3], "b": [2, None]}),
        ("a\n" + "1\n" * 2000 + "1.5\n", {"a": [1.0] * 2000 + [1.5]}),
        ("a\n" + "1\n" * 2000 + "x\n", {"a": ["1"] * 2000 + ["x"]}),
    ],
)
def test_a_csv_file_means_what_it_says(csv, content, columns):
    file = csv(content)
    found = read_table(file).to_dict(as_series=False)
    assert columns_in(file) == tuple(found)
    assert list(found.values()) == list(columns.values())
    assert [name.strip() for name in found] == [name.strip() for name in columns]
    kinds = {name: [type(value) for value in values] for name, values in found.items()}
    assert list(kinds.values()) == [[type(v) for v in values] for values in columns.values()]


@pytest.mark.parametrize("missing", ["nan", "NaN", "-inf", "inf"])
def test_numbers_that_are_none_do_not_make_text(csv, missing):
    assert read_table(csv(f"a,b\n1.5,1\n{missing},2\n")).dtypes == [pl.Float64, pl.Int64]


def test_parquet_keeps_its_types(parquet):
    columns = {
        "a": pl.Series([1, 2], dtype=pl.Int8),
        "b": pl.Series(["1", "2"]),
        "c": pl.Series([0.5, None], dtype=pl.Float32),
    }
    file = parquet(columns)
    assert read_table(file).equals(pl.DataFrame(columns))
    assert read_table(file).schema == pl.DataFrame(columns).schema
    assert columns_in(file) == ("a", "b", "c")


@pytest.mark.parametrize("name", ["a[1]*?", "key=value"])
def test_a_path_is_no_pattern_and_holds_no_columns(csv, parquet, tmp_path, name):
    (tmp_path / name).mkdir()
    for file in (csv("a\n1\n", f"{name}/d.csv"), parquet({"a": [1]}, f"{name}/d.PARQUET")):
        assert columns_in(file) == ("a",)
        assert read_table(file).columns == ["a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must have columns with names in its first line, got nothing"),
        ("\n\n", "must have columns with names in its first line, got nothing"),
        ("a,b,a,a\n1,2,3,4\n", "3 columns are called 'a'; give each a name of its own"),
        (",,a\n1,2,3\n", "2 columns are called ''"),
        ("größe\n1\n".encode("latin-1"), r"cannot be read as a table \(.*; write it .* UTF-8"),
        ("a\n1\n".encode("utf-16"), "cannot be read as a table"),
        ('"' + "a" * 200_000 + "\n", "cannot be read as a table"),
    ],
)
def test_columns_without_good_names_are_refused(csv, content, message):
    with pytest.raises(DataError, match=message) as error:
        columns_in(csv(content))
    assert "data.csv" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n", "must have rows, got none"),
        ("a,b\n1,2,3\n", r"cannot be read as a table \(found more fields"),
        ("a,b\n1,gr\u00f6\u00dfe\n".encode("latin-1"), "cannot be read as a table"),
    ],
)
def test_rows_that_cannot_be_read_are_refused(csv, content, message):
    with pytest.raises(DataError, match=message) as error:
        read_table(csv(content))
    assert "data.csv" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("read", [columns_in, read_table])
class TestParquet:
    def test_of_no_kind_is_refused(self, tmp_path, read):
        (tmp_path / "data.parquet").write_bytes(b"a,b\n1,2\n")
        with pytest.raises(DataError, match=r"data\.parquet cannot be read as a table"):
            read(tmp_path / "data.parquet")

    def test_that_is_damaged_is_read_or_refused(self, parquet, read):
        file = parquet({"a": [1.5, 2.5] * 50, "b": ["x", None] * 50})
        whole = file.read_bytes()
        for place in range(0, len(whole), 7):
            for damaged in (whole[:place], whole[:place] + b"\xff\x81" + whole[place + 2 :]):
                file.write_bytes(damaged)
                try:
                    read(file)
                except DataError as error:
                    assert "\n" not in str(error)

    def test_without_rows_or_columns_is_refused(self, parquet, read):
        with pytest.raises(DataError, match=r"must have (rows|columns)"):
            read(parquet({}))


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "data.csv").mkdir()
    with pytest.raises(DataError, match="cannot be read as a table"):
        read_table(tmp_path / "data.csv")


@pytest.mark.parametrize("read", [columns_in, read_table])
def test_without_polars_it_is_said_how_to_install_it(csv, monkeypatch, read):
    real = builtins.__import__

    def without_polars(name, *args, **kwargs):
        if name == "polars":
            raise ImportError("No module named 'polars'")
        return real(name, *args, **kwargs)

    file = csv("a\n1\n")
    monkeypatch.setattr(builtins, "__import__", without_polars)
    with pytest.raises(DataError, match=r"pip install 'onecycle-cli\[tables\]'"):
        read(file)
