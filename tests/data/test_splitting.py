import numpy as np
import pytest

from onecycle_cli.data.splitting import shares, split, split_groups


@pytest.mark.parametrize(
    ("counts", "taken", "expected"),
    [
        ([50, 30, 20], 10, [5, 3, 2]),
        ([50, 30, 20], 0, [0, 0, 0]),
        ([50, 30, 20], 100, [50, 30, 20]),
        ([5, 5, 5], 4, [2, 1, 1]),  # the remainders are equal: the first class gives one more
        ([97, 1, 2], 50, [49, 0, 1]),  # a class of one example keeps it
        ([1, 1, 1], 2, [1, 1, 0]),  # unless all must give all
        ([0, 4, 0], 2, [0, 2, 0]),
    ],
)
def test_shares_by_hand(counts, taken, expected):
    assert shares(np.array(counts), taken).tolist() == expected


def test_shares_add_up_and_stay_near_the_ideal():
    rng = np.random.default_rng(0)
    for _ in range(200):
        counts = rng.integers(2, 60, rng.integers(1, 12))
        taken = int(rng.integers(0, (counts - 1).sum() + 1))
        given = shares(counts, taken)
        assert given.sum() == taken
        assert (given >= 0).all()
        assert (given <= counts - 1).all()


@pytest.mark.parametrize("classes", [None, 7])
def test_a_split_is_disjoint_complete_sorted_and_repeatable(classes):
    rng = np.random.default_rng(1)
    y = rng.random(200, np.float32) if classes is None else rng.integers(0, 7, 200).astype("int32")
    kept, taken = split(y, 37, 5, 1)
    assert len(taken) == 37
    assert sorted([*kept, *taken]) == list(range(200))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(taken) > 0).all()
    np.testing.assert_array_equal(split(y, 37, 5, 1)[1], taken)
    assert split(y, 37, 6, 1)[1].tolist() != taken.tolist()
    assert split(y, 37, 5, 2)[1].tolist() != taken.tolist()


def test_a_split_of_labels_is_stratified():
    y = np.repeat(np.arange(4, dtype=np.int32), [400, 300, 200, 100])
    _, taken = split(np.random.default_rng(0).permutation(y), 100, 0, 1)
    y = np.random.default_rng(0).permutation(y)
    assert np.bincount(y[taken]).tolist() == [40, 30, 20, 10]


def test_each_example_of_a_class_is_as_likely_to_be_taken():
    y = np.repeat(np.arange(2, dtype=np.int32), [10, 30])
    times = np.zeros(40)
    for seed in range(400):
        times[split(y, 8, seed, 1)[1]] += 1
    assert times[:10].sum() == 400 * 2
    assert np.abs(times - 80).max() < 40  # five standard deviations


@pytest.mark.parametrize("kind", [int, str])
@pytest.mark.parametrize(("groups", "taken"), [(2, 1), (2, 59), (10, 6), (60, 6), (7, 30)])
def test_groups_stay_whole(kind, groups, taken):
    of = np.random.default_rng(3).permutation(np.arange(60) % groups).astype(kind)
    kept, out = split_groups(of, taken, 0, 1)
    assert sorted([*kept, *out]) == list(range(60))
    assert len(kept) and len(out)
    assert not set(of[kept]) & set(of[out])
    assert abs(len(out) - taken) <= 60 / groups
    assert split_groups(of, taken, 0, 1)[1].tolist() == out.tolist()
    others = [split_groups(of, taken, seed, 1)[1].tolist() for seed in range(1, 9)]
    assert any(other != out.tolist() for other in others)
