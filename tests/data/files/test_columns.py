import datetime
import decimal

import numpy as np
import polars as pl
import pytest

from onecycle_cli.data.files.columns import numbers, targets
from onecycle_cli.errors import DataError

pytestmark = pytest.mark.lowest

FILE = "some.csv"


def read_numbers(**columns):
    return numbers(FILE, pl.DataFrame(columns), list(columns), "features")


def targets_of(**columns):
    return targets(FILE, pl.DataFrame(columns), tuple(columns))


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


class TestTargets:
    @pytest.mark.parametrize(
        ("column", "expected", "kind"),
        [
            (["b", "a", "b"], ["b", "a", "b"], "O"),
            (pl.Series(list("bab")).cast(pl.Categorical), list("bab"), "O"),
            (pl.Series(list("aab"), dtype=pl.Enum(["b", "a"])), list("aab"), "O"),
            ([True, False, True], [1, 0, 1], "b"),
            ([9, 10, -1], [9, 10, -1], "i"),
            (pl.Series([1, 2, 3], dtype=pl.UInt8), [1, 2, 3], "i"),
            ([0.5, 1.5, 2.5], [0.5, 1.5, 2.5], "f"),
        ],
    )
    def test_of_one_column_are_as_the_table_has_them(self, column, expected, kind):
        found = targets_of(price=column)
        assert (found.dtype.kind, found.shape) == (kind, (3,))
        assert found.tolist() == expected

    @pytest.mark.parametrize(
        ("columns", "kind"),
        [(([0, 1], [1, 1]), "i"), (([True, False], [0, 1]), "i"), (([0.5, 1], [1, 2]), "f")],
    )
    def test_of_several_columns_are_in_the_order_asked_for(self, columns, kind):
        found = targets_of(b=columns[0], a=columns[1])
        assert found.dtype.kind == kind
        np.testing.assert_array_equal(found, np.stack(columns, axis=1))

    @pytest.mark.parametrize(
        ("column", "message"),
        [
            (["a", None, "b", "a"], "lacks 1 of 4 values, the first in row 1"),
            ([0.5, np.nan, 1, 2], "lacks 1 of 4 values, the first in row 1"),
            ([datetime.date(2020, 1, 2)] * 4, r"targets must be numbers, .* price \('2020"),
            ([[1], [2], [1], [2]], "targets must be numbers"),
        ],
    )
    def test_are_refused_otherwise(self, column, message):
        with pytest.raises(DataError, match=message) as error:
            targets_of(price=column)
        assert "some.csv" in str(error.value)

    def test_of_several_columns_are_no_text(self):
        with pytest.raises(DataError, match=r"targets must be numbers, .* b \('x' in row 1\);"):
            targets_of(a=[0.5, 1.5], b=["1", "x"])
