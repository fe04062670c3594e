import numpy as np
import pytest

from onecycle_cli.data.hashing import digest_of_files, hashes_of
from onecycle_cli.errors import DataError

RANDOM = np.random.default_rng(1)
INPUTS = {
    "images": RANDOM.integers(0, 256, (40, 5, 4, 3), dtype=np.uint8),
    "features": RANDOM.normal(size=(40, 3)).astype(np.float32),
    "one byte": np.arange(40, dtype=np.uint8)[:, None],
}
TARGETS = {
    "labels": np.arange(40, dtype=np.int32) % 3,
    "numbers": RANDOM.normal(size=40).astype(np.float32),
    "several": RANDOM.normal(size=(40, 2)).astype(np.float32),
}


@pytest.fixture(params=INPUTS)
def x(request):
    return INPUTS[request.param].copy()


@pytest.fixture(params=TARGETS)
def y(request):
    return TARGETS[request.param].copy()


def test_each_example_has_hashes_of_its_own(x, y):
    hashes = hashes_of(x, y)
    assert (hashes.shape, hashes.dtype) == ((40, 2), np.uint64)
    assert len(np.unique(hashes)) == 80


def test_they_stay_with_the_example_whatever_its_place(x, y):
    order = np.random.default_rng(2).permutation(40)
    np.testing.assert_array_equal(hashes_of(x[order], y[order]), hashes_of(x, y)[order])
    strided = np.repeat(x, 2, axis=0)[::2]
    np.testing.assert_array_equal(hashes_of(strided, np.repeat(y, 2, axis=0)[::2]), hashes_of(x, y))


def test_one_changed_bit_changes_its_own_row_only(x, y):
    before = hashes_of(x, y)
    x.reshape(40, -1).view(np.uint8)[17, -1] ^= 1
    assert np.argwhere(hashes_of(x, y) != before).tolist() == [[17, 0], [17, 1]]


def test_another_target_leaves_the_hash_of_the_input(x, y):
    before = hashes_of(x, y)
    y[17] += 1
    assert np.argwhere(hashes_of(x, y) != before).tolist() == [[17, 1]]


def test_they_are_the_same_on_every_machine():
    """As `b2sum -l 64` has them, read as little-endian integers."""
    hashes = hashes_of(np.arange(4, dtype=np.uint8)[None], np.array([7], np.int32))
    assert hashes.astype("<u8").tobytes().hex() == "fa898ba1ee4ec998343cb5ae60ac77d6"


def test_the_digest_of_files_goes_by_their_contents_and_order(tmp_path):
    for name, content in {"a": "1", "b": "2", "c": "1", "d": "12", "e": ""}.items():
        (tmp_path / name).write_text(content)

    def digest(names):
        return digest_of_files([tmp_path / name for name in names])

    assert digest("ab") == digest("cb")
    assert len({digest(names) for names in ("ab", "ba", "a", "d", "de", "")}) == 6
    with pytest.raises(DataError, match="none cannot be read"):
        digest(["a", "none"])
