import numpy as np
import polars as pl
import pytest

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data import load
from onecycle_cli.data.sources import table
from onecycle_cli.errors import ConfigError, DataError

pytestmark = pytest.mark.lowest

N = 30
COLUMNS = {
    "width": np.arange(N) / 8,
    "count": np.arange(N) % 7 * 3,
    "is_new": np.arange(N) % 2 == 0,
    "kind": ["dog" if i % 3 else "cat" for i in range(N)],
}


@pytest.fixture
def read(tmp_path):
    """Write tables by their names, and read the folder, or the table if there is only one."""

    def write_and_read(tables=None, *, target="kind", **settings):
        tables = tables or {"data.csv": {}}
        for name, columns in tables.items():
            write(tmp_path / name, COLUMNS | columns)
        path = tmp_path if len(tables) > 1 else tmp_path / next(iter(tables))
        config = DatasetConfig(name="table", path=str(path), target=target, **settings)
        return table.read(config, None)

    return write_and_read


def write(file, columns):
    frame = pl.DataFrame({name: values for name, values in columns.items() if values is not None})
    if file.suffix == ".parquet":
        frame.write_parquet(file)
    else:
        frame.write_csv(file)


@pytest.mark.parametrize("name", ["data.csv", "data.parquet", "data.CSV"])
def test_columns_become_features_and_classes(read, tmp_path, name):
    source = read({name: {}})
    assert (source.x.dtype, source.x.shape) == (np.float32, (N, 3))
    np.testing.assert_array_equal(source.x[:, 0], COLUMNS["width"])
    np.testing.assert_array_equal(source.x[:, 1], COLUMNS["count"])
    np.testing.assert_array_equal(source.x[:, 2], COLUMNS["is_new"])
    assert source.y.tolist() == ["dog" if i % 3 else "cat" for i in range(N)]
    assert (source.origin, source.validation, source.test) == (str(tmp_path / name), 0, None)
    assert source.notes == ()


def test_what_is_ignored_is_no_feature(read):
    source = read(target="width", ignore=["kind", "count"])
    np.testing.assert_array_equal(source.x, np.array(COLUMNS["is_new"])[:, None])
    assert source.classes is None
    np.testing.assert_array_equal(source.y, np.float32(COLUMNS["width"]))


def test_several_targets_are_in_the_order_of_the_config(read):
    source = read(target=["width", "count"], ignore=["kind"])
    np.testing.assert_array_equal(source.y, np.stack([COLUMNS["width"], COLUMNS["count"]], 1))


def test_parts_of_a_folder_are_used(read, tmp_path):
    source = read(
        {
            "train.csv": {},
            "val.parquet": {"width": np.full(N, 7.5), "kind": ["dog"] * N},
            "test.csv": {"width": np.full(N, 9), "kind": ["cat"] * N},
        }
    )
    assert (len(source.x), source.validation, source.origin) == (2 * N, N, str(tmp_path))
    assert set(source.x[N:, 0]) == {7.5}
    assert set(source.y[N:]) == {"dog"}
    x, y = source.test()
    assert (x.dtype, set(x[:, 0]), set(y)) == (np.float32, {9.0}, {"cat"})


def test_parts_may_have_their_columns_in_another_order(read, tmp_path):
    read({"train.csv": {}, "val.csv": {}})
    val = pl.read_csv(tmp_path / "val.csv")
    extra = val.select(reversed(val.columns)).with_columns(more=pl.lit("text"))
    extra.write_csv(tmp_path / "val.csv")
    config = DatasetConfig(name="table", path=str(tmp_path), target="kind")
    x = table.read(config, None).x
    np.testing.assert_array_equal(x[:N], x[N:])


def test_a_test_part_is_read_when_it_is_asked_for(read):
    source = read({"train.csv": {}, "test.csv": {"width": [None] * N}})
    with pytest.raises(DataError, match=r"test\.csv: column 'width' lacks 30 of 30 values"):
        source.test()


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize("column", ["kind", "width"])
def test_every_part_must_have_the_columns_from_the_start(read, part, column):
    message = rf"{part}\.csv must have the columns of train\.csv, but lacks '{column}'; add"
    with pytest.raises(DataError, match=message):
        read({"train.csv": {}, f"{part}.csv": {column: None}})


def test_what_is_ignored_may_be_missing_elsewhere(read):
    assert read({"train.csv": {}, "val.csv": {"count": None}}, ignore=["count"]).validation == N


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "knid"}, r"dataset\.target: .*data\.csv has no column 'knid'; did you mean 'k"),
        ({"target": ["width", "x"]}, r"'x'; the known ones are width, count, is_new, kind\."),
        ({"ignore": ["Width"]}, r"dataset\.ignore: .* no column 'Width'; did you mean 'width'"),
    ],
)
def test_a_column_that_there_is_not(read, settings, message):
    with pytest.raises(ConfigError, match=message):
        read(**settings)


@pytest.mark.parametrize(
    ("columns", "settings", "message"),
    [
        ({"": range(N)}, {}, r"has a column without a name, .* or set dataset\.ignore: \[''\]"),
        (
            {"city": ["Bonn"] * N},
            {},
            r"features must be numbers, .* city \('Bonn' in row 0\); writ",
        ),
        (
            {"count": [None] + [1] * (N - 1)},
            {},
            "column 'count' lacks 1 of 30 values, the first in",
        ),
        ({}, {"ignore": ["width", "count", "is_new"]}, "must have a column besides those of"),
    ],
)
def test_a_broken_rule_is_one_sentence(read, columns, settings, message):
    with pytest.raises(DataError, match=message) as error:
        read({"data.csv": columns}, **settings)
    assert "data.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_column_without_a_name_can_be_left_out(read):
    assert read({"data.csv": {"": range(N)}}, ignore=[""]).x.shape == (N, 3)


@pytest.mark.parametrize(
    ("values", "is_noted"),
    [(np.arange(N), True), (np.arange(5, N + 5), True), (np.arange(N)[::-1], False)],
)
def test_a_column_that_counts_the_rows_is_noted(read, values, is_noted):
    notes = read({"data.csv": {"id": values}}).notes
    assert ["column 'id' counts the rows" in note for note in notes] == [True] * is_noted


def test_tables_that_are_no_part_are_noted(read, tmp_path):
    (tmp_path / "readme.txt").write_text("")
    (note,) = read({"train.csv": {}, "valid.csv": {}, "more.parquet": {}}).notes
    assert note == (
        f"{tmp_path}: not used: more.parquet, valid.csv; the parts are called train, val and test."
    )


@pytest.mark.parametrize("name", ["data.txt", "data", "data.xlsx"])
def test_a_file_of_another_kind_is_refused(read, name):
    with pytest.raises(DataError, match=r"must be a \.csv or \.parquet, or a folder with train\.c"):
        read({name: {}})


def test_a_folder_without_a_training_part_is_refused(read):
    with pytest.raises(DataError, match=r"or a folder with train\.csv or train\.parquet"):
        read({"val.csv": {}, "test.csv": {}})


def test_a_part_may_be_there_once_only(read):
    with pytest.raises(DataError, match=r"one table called train, got train\.csv and train\.parq"):
        read({"train.csv": {}, "train.parquet": {}})


def test_a_path_is_needed():
    with pytest.raises(ConfigError, match="must name a table for 'table', got null"):
        table.read(DatasetConfig.model_construct(name="table", path=None), None)


def test_a_table_is_loaded_split_and_measured(read, tmp_path):
    read()
    config = DatasetConfig(name="table", path=str(tmp_path / "data.csv"), target="kind")
    dataset = load(config, seed=0)
    parts = (dataset.train, dataset.validation, dataset.test()[1])
    assert [len(part) for part in parts] == [24, 3, 3]
    np.testing.assert_allclose(dataset.mean, dataset.x[dataset.train].mean(0), rtol=1e-5)
    assert (dataset.num_outputs, dataset.input_shape) == (2, (3,))


def test_a_column_may_say_what_belongs_together(read):
    source = read(group="count")
    assert source.columns == ("width", "is_new")
    np.testing.assert_array_equal(source.groups, COLUMNS["count"])
    with pytest.raises(ConfigError, match=r"dataset\.group: .* has no column 'cuont'; did"):
        read(group="cuont")
    with pytest.raises(ValueError, match="target, ignore and group name column 'kind' twice"):
        read(group="kind")


class TestPartsElsewhere:
    @pytest.fixture
    def load_parts(self, tmp_path):
        def load_parts(tables, path="train.csv", **keys):
            for name, columns in tables.items():
                (tmp_path / name).parent.mkdir(exist_ok=True)
                write(tmp_path / name, COLUMNS | columns)
            keys = {key: str(tmp_path / name) for key, name in {"path": path, **keys}.items()}
            return load(DatasetConfig(name="table", target="kind", **keys), seed=0)

        return load_parts

    def test_are_validated_and_tested_on(self, load_parts):
        width = np.arange(N) + 100
        tables = {"train.csv": {}, "a/v.parquet": {"width": width}, "b.csv": {"width": -width}}
        dataset = load_parts(tables, validation="a/v.parquet", test="b.csv")
        assert dataset.x[dataset.validation, 0].tolist() == width.tolist()
        assert dataset.test()[0][:, 0].tolist() == (-width).tolist()
        np.testing.assert_allclose(dataset.mean[0], np.mean(COLUMNS["width"]), rtol=1e-6)
        assert dataset.test_files[0].name == "b.csv"

    def test_beside_those_in_a_folder_are_no_strangers(self, load_parts):
        tables = {"in/train.csv": {}, "in/valid.csv": {}, "in/test.csv": {}, "in/more.csv": {}}
        dataset = load_parts(tables, path="in", validation="in/valid.csv")
        assert (len(dataset.train), len(dataset.validation)) == (N, N)
        (note,) = dataset.notes
        assert "not used: more.csv; the parts" in note

    @pytest.mark.parametrize("key", ["validation", "test"])
    def test_those_that_do_not_fit_are_refused_at_once(self, load_parts, tmp_path, key):
        tables = {"train.csv": {}, "other.csv": {"width": None}}
        with pytest.raises(
            DataError, match=r"other\.csv must have the columns .* lacks 'width'; add"
        ):
            load_parts(tables, **{key: "other.csv"})
        (tmp_path / "other.txt").write_text("")
        for name in ("other.txt", ""):
            with pytest.raises(DataError, match=rf"dataset\.{key} must be a \.csv or .* file for"):
                load_parts({}, **{key: name})

    def test_a_part_can_be_there_once(self, load_parts):
        tables = {"in/train.csv": {}, "in/val.csv": {}, "other.csv": {}}
        with pytest.raises(
            DataError, match=r"in/val\.csv has a validation part already, and datas"
        ):
            load_parts(tables, path="in", validation="other.csv")

    def test_other_classes_are_refused_by_the_name_of_their_file(self, load_parts):
        tables = {"train.csv": {}, "other.csv": {"kind": ["cow"] * N}}
        with pytest.raises(DataError, match=r"other\.csv: the targets of the validation part"):
            load_parts(tables, validation="other.csv")
