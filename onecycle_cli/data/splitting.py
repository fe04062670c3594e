"""Splits that are stratified where there are classes, and depend on nothing but the seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]


def split(y: NDArray[Any], taken: int, seed: int, purpose: int) -> tuple[Positions, Positions]:
    """Draw `taken` of n examples; return the positions kept and those taken, each in order.

    With int32 labels each class gives its share of `taken`, rounded so that the sum is right
    (largest remainders), and keeps one example at least while others have more to give; with
    float targets the draw is plain.

    Args:
        y: int32 labels or float32 targets, n of them.
        taken: how many to take, 0 <= taken <= n.
        seed: the experiment's seed.
        purpose: tells the draws of one seed apart.

    scikit-learn's `train_test_split` refuses a class of one example and adds 100 MB to the
    process; this does neither, and its draws cannot change with a library's version.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 0, 0, purpose]))  # batches use up to three
    order = rng.permutation(len(y))
    if y.dtype != np.int32:
        return np.sort(order[taken:]), np.sort(order[:taken])
    out = rank_within_class(y[order]) < shares(np.bincount(y), taken)[y[order]]
    return np.sort(order[~out]), np.sort(order[out])


def split_groups(
    groups: NDArray[Any], taken: int, seed: int, purpose: int
) -> tuple[Positions, Positions]:
    """Draw whole groups until about `taken` of n examples are drawn; return positions, as `split`.

    No group is in both parts: examples of the same person, say, are never trained on and judged
    by. One group at least is drawn, and one is kept.

    Args:
        groups: what group each example belongs to, numbers or names, n of them, of two or more.
        taken: how many examples to take, as near as whole groups allow.
        seed: the experiment's seed.
        purpose: tells the draws of one seed apart.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 0, 0, purpose]))
    _, numbers = np.unique(groups, return_inverse=True)
    order = rng.permutation(int(numbers.max()) + 1)
    reached = np.cumsum(np.bincount(numbers)[order])[:-1]
    drawn = order[: int(np.abs(reached - taken).argmin()) + 1]
    out = np.isin(numbers, drawn)
    return np.flatnonzero(~out), np.flatnonzero(out)


def shares(counts: NDArray[np.int64], taken: int) -> NDArray[np.int64]:
    """Divide `taken` among classes in proportion to their sizes.

    Args:
        counts: the sizes of the classes, shape (K,).
        taken: how many to take in all, at most the sum of `counts`.

    Returns:
        How many to take of each class, shape (K,); below its size unless all must give all.
    """
    ideal = counts * (taken / max(1, counts.sum()))
    limit = np.maximum(counts - 1, 0)
    if limit.sum() < taken:
        limit = counts
    given: NDArray[np.int64] = np.minimum(np.floor(ideal).astype(np.int64), limit)
    for _ in range(taken - int(given.sum())):
        wish = np.where(given < limit, ideal - given, -np.inf)
        given[np.argmax(wish)] += 1
    return given


def rank_within_class(labels: NDArray[np.integer]) -> Positions:
    """Return for each example how many of its class come before it, shape (n,)."""
    by_class = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    rank = np.empty(len(labels), np.int64)
    rank[by_class] = np.arange(len(labels)) - first
    return rank
