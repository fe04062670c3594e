import numpy as np
import pytest

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data import load
from onecycle_cli.errors import ResultError
from onecycle_cli.workbench.split_file import Split

RANDOM = np.random.default_rng(4)
X = RANDOM.integers(0, 256, (60, 5), dtype=np.uint8)
Y = np.arange(60) % 3


@pytest.fixture
def loaded(tmp_path):
    def write_and_load(x, y, **content):
        np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, **content)
        return load(DatasetConfig(name="arrays", path=str(tmp_path / "mine.npz")), seed=0)

    return write_and_load


def test_it_is_read_as_it_was_written(loaded, tmp_path):
    split = Split.of(loaded(X, Y))
    split.write(tmp_path)
    again = Split.read(tmp_path)
    for part, count in (("train", 49), ("validation", 5), ("test", 6)):
        np.testing.assert_array_equal(getattr(again, part), getattr(split, part))
        assert getattr(again, part).shape == (count, 2)


def test_a_test_set_of_its_own_is_not_read(loaded):
    dataset = loaded(X, Y, x_test=X[:2], y_test=Y[:2] + 7)
    assert len(Split.of(dataset).test) == 0


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_is_found_in_its_order_wherever_it_lies(loaded, part):
    dataset = loaded(X, Y)
    split = Split.of(dataset)
    rows = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test_rows}
    order = RANDOM.permutation(60)
    moved = loaded(np.concatenate([X[:9] + 1, X[order]]), np.concatenate([Y[:9], Y[order]]))
    found = split.rows(getattr(split, part), moved)
    np.testing.assert_array_equal(moved.x[found], X[rows[part]])
    np.testing.assert_array_equal(moved.y[found], Y[rows[part]])


def test_an_example_that_is_there_more_often_is_found_as_often_as_it_was(loaded):
    twice, labels = np.repeat(X[:30], 2, axis=0), np.repeat(Y[:30], 2)
    dataset = loaded(twice, labels)
    split = Split.of(dataset)
    found = split.rows(split.test, loaded(np.tile(X[:30], (4, 1)), np.tile(Y[:30], 4)))
    assert len(set(found)) == len(dataset.test_rows)
    np.testing.assert_array_equal(np.tile(X[:30], (4, 1))[found], dataset.x[dataset.test_rows])


def test_inputs_are_known_whatever_their_target(loaded):
    split = Split.of(loaded(X, Y))
    other = loaded(np.concatenate([X[:20], X[:10] + 1]), (Y[:30] + 1) % 3)
    assert len(split.rows(split.train, other)) == 0
    parts = [split.train, split.validation, split.test]
    assert split.count_seen(other.hashes, parts) == 20
    assert split.count_seen(other.hashes, [split.test]) < 20


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half of", None])
def test_a_damaged_file_is_named(loaded, tmp_path, content):
    if content is None:
        np.savez(tmp_path / "split.npz", train=X, validation=X, test=X)
    else:
        (tmp_path / "split.npz").write_bytes(content)
    with pytest.raises(ResultError, match=r"split\.npz: is damaged; restore it"):
        Split.read(tmp_path)


def test_an_older_run_has_none(tmp_path):
    assert Split.read(tmp_path) is None


def test_rows_that_were_chosen_and_parts_elsewhere_are_in_it(tmp_path):
    np.savez(tmp_path / "mine.npz", x_train=X, y_train=Y)
    np.savez(tmp_path / "other.npz", x=X[:5] + 1, y=Y[:5])
    np.save(tmp_path / "rows.npy", [3, 50])
    path, other = str(tmp_path / "mine.npz"), str(tmp_path / "other.npz")
    chosen = {"validation_rows": str(tmp_path / "rows.npy"), "test": other}
    dataset = load(DatasetConfig(name="arrays", path=path, **chosen), seed=0)
    split = Split.of(dataset)
    assert split.rows(split.validation, dataset).tolist() == [3, 50]
    assert (len(split.train), len(split.test)) == (58, 0)
    elsewhere = load(DatasetConfig(name="arrays", path=path, validation=other), seed=0)
    split = Split.of(elsewhere)
    assert split.rows(split.validation, elsewhere).tolist() == [60, 61, 62, 63, 64]
