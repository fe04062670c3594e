import datetime
import decimal

import numpy as np
import polars as pl
import pytest

from onecycle_cli.data.files.columns import Target, numbers
from onecycle_cli.errors import DataError

pytestmark = pytest.mark.lowest

FILE = "some.csv"


def read_numbers(**columns):
    return numbers(FILE, pl.DataFrame(columns), list(columns), "features")


def target_of(**columns):
    """Return the target that columns make, and their values as targets."""
    frame = pl.DataFrame(columns)
    target = Target.of(FILE, frame, tuple(columns))
    return target, target.read(FILE, frame)


class TestNumbers:
    def test_of_every_kind_become_floats_in_the_order_asked_for(self):
        columns = {
            "whole": pl.Series([1, -2], dtype=pl.Int8),
            "large": pl.Series([2**40, 0], dtype=pl.UInt64),
            "float": [0.5, 1e30],
            "truth": [True, False],
            "money": [decimal.Decimal("1.25"), decimal.Decimal("2")],
        }
        values = read_numbers(**dict(reversed(columns.items())))
        assert values.dtype == np.float32
        assert values.flags.c_contiguous
        expected = [[1.25, 1, 0.5, 2**40, 1], [2, 0, 1e30, 0, -2]]
        np.testing.assert_array_equal(values, np.array(expected, np.float32))

    @pytest.mark.parametrize(
        ("column", "example"),
        [
            (["1", "?", "x"], r"b \('\?' in row 1\)"),
            ([None, "1", "2"], r"b \('1' in row 1\)"),
            (pl.Series([None, "red", "1"]).cast(pl.Categorical), r"b \('red' in row 1\)"),
            ([None, datetime.date(2020, 1, 2), None], r"b \('2020-01-02' in row 1\)"),
            ([datetime.datetime(2020, 1, 2, 3)] * 3, r"b \('2020-01-02 03:00:00' in row 0\)"),
            ([[1, 2], [3], []], r"b \('.*' in row 0\)"),
            (["\x1b[31m" + "x" * 99] * 3, r"b \('\\x1b\[31mx{22}\.\.\.' in row 0\)"),
        ],
    )
    def test_columns_of_something_else_are_named(self, column, example):
        with pytest.raises(DataError, match=f"features must be numbers, .* not: {example}; write"):
            read_numbers(a=[1, 2, 3], b=column)

    def test_many_columns_of_something_else_are_counted(self):
        with pytest.raises(DataError, match=r"c0 \('x' in row 0\), c1 .*, c4 .* and 3 more; wri"):
            read_numbers(**{f"c{i}": ["x"] for i in range(8)})

    @pytest.mark.parametrize(
        ("column", "said"),
        [
            ([1, None, 3, None], "lacks 2 of 4 values, the first in row 1"),
            ([1.0, 2.0, np.nan, None], "lacks 2 of 4 values, the first in row 2"),
            ([None, True, None, False], "lacks 2 of 4 values, the first in row 0"),
            (pl.Series([None] * 4, dtype=pl.String), "lacks 4 of 4 values, the first in row 0"),
            (pl.Series([None] * 4, dtype=pl.Date), "lacks 4 of 4 values, the first in row 0"),
            ([None] * 4, "lacks 4 of 4 values, the first in row 0"),
        ],
    )
    def test_missing_ones_are_counted(self, column, said):
        with pytest.raises(DataError, match=f"some.csv: column 'b' {said}, counted from 0; fill"):
            read_numbers(a=[1, 2, 3, 4], b=column)

    def test_columns_that_lack_some_are_counted(self):
        with pytest.raises(DataError, match=r"column 'a' lacks 1 .*, and so do 2 more columns;"):
            read_numbers(a=[1, None], b=[None, 2], c=[np.nan, 1.0], d=[1, 2])

    @pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
    def test_infinite_ones_are_refused(self, value):
        with pytest.raises(DataError, match=r"column 'b' has an infinity .* in row 1; clean"):
            read_numbers(a=[1, 2], b=[0.0, value])


class TestClasses:
    @pytest.mark.parametrize(
        ("column", "classes", "labels"),
        [
            (["b", "a", "b", "a"], ("a", "b"), [1, 0, 1, 0]),
            (["ß", "Z", "a", "Z", "a", "ß"], ("Z", "a", "ß"), [2, 0, 1, 0, 1, 2]),
            (pl.Series(list("baba")).cast(pl.Categorical), ("a", "b"), [1, 0, 1, 0]),
            (pl.Series(list("aabb"), dtype=pl.Enum(["b", "a"])), ("a", "b"), [0, 0, 1, 1]),
            ([True, False, True], ("false", "true"), [1, 0, 1]),
            ([0, 1, 2, 0, 1, 2], ("0", "1", "2"), [0, 1, 2, 0, 1, 2]),
            ([9, 10, 9, -1, 10, -1], ("-1", "9", "10"), [1, 2, 1, 0, 2, 0]),
        ],
    )
    def test_are_numbered_in_the_order_of_their_values(self, column, classes, labels):
        target, found = target_of(kind=column)
        assert target.classes == classes
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, labels)

    @pytest.mark.parametrize(
        ("values", "are_classes"),
        [
            (np.arange(200) % 100, True),
            (np.arange(202) % 101, True),
            (np.arange(202) % 101 + 1, False),
            (np.arange(20) % 10, True),
            (np.arange(20) % 11, False),
            (np.arange(200) % 100 * 7, True),
        ],
    )
    def test_are_whole_numbers_of_few_values(self, values, are_classes):
        target, found = target_of(kind=values)
        assert (target.classes is not None) == are_classes
        if not are_classes:
            np.testing.assert_array_equal(found, values.astype(np.float32))

    @pytest.mark.parametrize(
        ("values", "note"),
        [
            ([0, 1, 0, 1], None),
            ([3, 4, 3, 4], "the 2 values of column 'kind' are classes; write them with a decimal"),
            ([3, 4, 5, 6], "has whole numbers of 4 values, to be predicted as numbers; write them"),
            ([0.5, 1.5, 0.5, 1.5], None),
        ],
    )
    def test_that_may_be_numbers_are_noted(self, values, note):
        target, _ = target_of(kind=values)
        assert [note in said for said in target.notes] == ([] if note is None else [True])

    def test_of_another_part_are_known_by_their_names(self):
        target, _ = target_of(kind=["1", "2", "x", "1", "2", "x"])
        np.testing.assert_array_equal(
            target.read("val.csv", pl.DataFrame({"kind": [2, 1]})), [1, 0]
        )

    @pytest.mark.parametrize(
        ("column", "message"),
        [
            (["a", "c", "b"], r"val\.csv: column 'kind' must hold classes of .* got 'c' in row 1"),
            (["a", None], r"val\.csv: column 'kind' lacks 1 of 2 values, the first in row 1"),
            ([0, 1], "got '0' in row 0"),
        ],
    )
    def test_of_another_part_must_be_known(self, column, message):
        target, _ = target_of(kind=["a", "b", "a", "b"])
        with pytest.raises(DataError, match=message):
            target.read("val.csv", pl.DataFrame({"kind": column}))

    @pytest.mark.parametrize(
        ("column", "message"),
        [
            (["a"] * 4, "must hold two classes or more, got 'a' only"),
            ([7] * 4, "must hold two classes or more, got '7' only"),
            (["a", None, "b", "a"], "lacks 1 of 4 values, the first in row 1"),
            ([0.5, np.nan, 1, 2], "lacks 1 of 4 values, the first in row 1"),
            (["1.5", "?", "2", "3"], r"got text of 4 values in 4 rows: kind \('\?' in row 1\)"),
            (
                [datetime.date(2020, 1, 2)] * 4,
                "must hold classes or numbers to be predicted, got D",
            ),
            ([[1], [2], [1], [2]], "must hold classes or numbers to be predicted, got List"),
        ],
    )
    def test_are_refused_otherwise(self, column, message):
        with pytest.raises(DataError, match=message) as error:
            target_of(kind=column)
        assert "some.csv" in str(error.value)


class TestNumbersToPredict:
    def test_of_one_column_have_one_axis(self):
        target, found = target_of(price=[0.5, 1.5, 2.5])
        assert (target.classes, found.dtype, found.shape) == (None, np.float32, (3,))

    def test_of_several_columns_have_two_in_the_order_asked_for(self):
        target, found = target_of(b=[0.5, 1.5], a=[1, 2])
        assert (target.classes, found.dtype) == (None, np.float32)
        np.testing.assert_array_equal(found, [[0.5, 1], [1.5, 2]])

    def test_may_be_whole_in_another_part(self):
        target, _ = target_of(price=[0.5, 1.5, 2.5])
        np.testing.assert_array_equal(target.read(FILE, pl.DataFrame({"price": [1, 2]})), [1, 2])

    def test_are_no_text(self):
        target, _ = target_of(price=[0.5, 1.5, 2.5])
        with pytest.raises(DataError, match=r"targets must be numbers, .* price \('x' in row 0\);"):
            target.read(FILE, pl.DataFrame({"price": ["x"]}))
        with pytest.raises(DataError, match=r"targets must be numbers, .* b \('x' in row 1\);"):
            target_of(a=[0.5, 1.5], b=["1", "x"])

    @pytest.mark.parametrize("columns", [([0, 1], [1, 1]), ([True, False], [0, 1])])
    def test_of_several_columns_are_no_labels(self, columns):
        with pytest.raises(DataError, match="zeros and ones, several labels for one example; name"):
            target_of(**dict(zip("ab", columns, strict=True)))
