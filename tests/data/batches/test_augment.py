from dataclasses import replace

import numpy as np
import pytest

from onecycle_cli.config import AugmentConfig, DatasetConfig
from onecycle_cli.data.batches.augment import Augment, augmentation, check_augment
from onecycle_cli.data.batches.batching import _draws, batch
from onecycle_cli.errors import DataError


def slow_image(image, augment, draw, fill):
    """One image, pixel by pixel, as the class describes it."""
    height, width, _ = image.shape
    pad = augment.crop
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    top, left = int(draw[1] * (2 * pad + 1)), int(draw[2] * (2 * pad + 1))
    window = padded[top : top + height, left : left + width]
    if augment.flip and draw[0] < 0.5:
        window = window[:, ::-1]
    out = window.astype(np.float64)
    row, column = int(draw[3] * height), int(draw[4] * width)
    for i in range(height):
        for j in range(width):
            inside_rows = (
                row - augment.cutout // 2 <= i < row - augment.cutout // 2 + augment.cutout
            )
            first = column - augment.cutout // 2
            if inside_rows and first <= j < first + augment.cutout:
                out[i, j] = fill
    return out


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    "augment",
    [
        Augment(flip=True, crop=0, cutout=0),
        Augment(flip=False, crop=2, cutout=0),
        Augment(flip=False, crop=0, cutout=3),
        Augment(flip=True, crop=3, cutout=4),
        Augment(flip=True, crop=5, cutout=5),
    ],
)
def test_a_batch_is_what_a_slow_loop_makes(make_dataset, augment, dtype):
    dataset = make_dataset(dtype=dtype)
    key = {"seed": 3, "epoch": 2, "step": 1}
    x, y = batch(dataset, **key, batch_size=32, augment=augment)
    plain, same = batch(dataset, **key, batch_size=32)
    np.testing.assert_array_equal(y, same)
    draws = _draws(3, 2, 1, 32)
    raw = plain * dataset.std + dataset.mean
    for i in range(32):
        image = slow_image(raw[i], augment, draws[:, i], fill=dataset.mean)
        np.testing.assert_allclose(x[i], (image - dataset.mean) / dataset.std, atol=1e-5)


def test_half_are_mirrored_and_windows_are_spread_evenly():
    draws = np.random.default_rng(0).random((5, 9000))
    rows, columns = Augment(flip=True, crop=4).grid(draws, 32, 32)
    mirrored = columns[:, 10] > columns[:, 20]
    assert abs(mirrored.mean() - 0.5) < 0.03
    starts = np.bincount(rows[:, 4] + 0, minlength=9)  # reflection leaves 4.. untouched
    assert (starts[:9] > 850).all()
    assert starts[:9].sum() == 9000


def test_the_edge_is_reflected_without_being_repeated():
    draws = np.zeros((5, 1))
    rows, columns = Augment(flip=False, crop=2).grid(draws, 5, 5)
    assert rows[0].tolist() == [2, 1, 0, 1, 2]
    assert columns[0].tolist() == [2, 1, 0, 1, 2]


@pytest.mark.parametrize(
    ("draw", "expected"),
    [(0.0, [0, 1]), (0.5, [2, 3, 4, 5]), (0.99, [5, 6, 7])],
)
def test_the_square_is_clipped_at_the_border(draw, expected):
    hole = Augment(cutout=4).hole(np.full((5, 1), draw), 8, 8)
    assert np.flatnonzero(hole[0].any(axis=1)).tolist() == expected
    assert np.flatnonzero(hole[0].any(axis=0)).tolist() == expected


def test_holes_are_zero_after_normalisation(make_dataset):
    dataset = make_dataset()
    x, _ = batch(
        dataset, seed=0, epoch=0, step=0, batch_size=50, augment=Augment(False, 0, cutout=3)
    )
    holes = (x == 0).all(axis=3)
    assert (holes.sum(axis=(1, 2)) >= 4).all()
    assert (holes.sum(axis=(1, 2)) <= 9).all()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (DatasetConfig(name="cifar10"), Augment(flip=True, crop=4, cutout=0)),
        (DatasetConfig(name="cifar100"), Augment(flip=True, crop=4, cutout=0)),
        (DatasetConfig(name="mnist"), None),
        (DatasetConfig(name="digits"), None),
        (
            DatasetConfig(name="digits", augment=AugmentConfig(flip=False, crop=1, cutout=2)),
            Augment(flip=False, crop=1, cutout=2),
        ),
        (
            DatasetConfig(name="cifar10", augment=AugmentConfig(flip=False, crop=0, cutout=0)),
            None,
        ),
    ],
)
def test_the_configuration_decides(config, expected):
    assert augmentation(config) == expected


@pytest.mark.parametrize(
    ("augment", "shape", "message"),
    [
        (Augment(), (13,), r"needs images, got inputs of shape \(13,\); set flip to false"),
        (Augment(crop=8), (8, 9, 1), r"augment\.crop must be from 0 to 7 .* images of 8x9, got 8"),
        (Augment(crop=1, cutout=9), (8, 9, 1), r"augment\.cutout must be from 0 to 7"),
        (Augment(crop=-1), (8, 9, 1), r"augment\.crop must be from 0 to 7"),
    ],
)
def test_what_does_not_fit_is_refused(augment, shape, message):
    with pytest.raises(DataError, match=message):
        check_augment(augment, shape)


def test_what_fits_is_not():
    check_augment(None, (13,))
    check_augment(Augment(crop=7, cutout=7), (8, 9, 1))


def test_alternating_flips_mirror_each_image_in_every_second_epoch(make_dataset):
    dataset = make_dataset(train=50, validation=13)
    dataset = replace(dataset, y=np.arange(63, dtype=np.int32))  # targets are rows of the pool
    augment = Augment(flip="alternate", crop=0)
    mirrored = np.zeros((4, 63), bool)
    for epoch in range(4):
        for step in range(4):
            key = {"seed": 5, "epoch": epoch, "step": step, "batch_size": 16}
            x, rows = batch(dataset, **key, augment=augment)
            as_it_is = dataset.normalise(dataset.x[rows])
            for image, plain, row in zip(x, as_it_is, rows, strict=True):
                mirrored[epoch, row] = not np.array_equal(image, plain)
                expected = plain[:, ::-1] if mirrored[epoch, row] else plain
                np.testing.assert_array_equal(image, expected)
    train = mirrored[:, dataset.train]
    np.testing.assert_array_equal(train[0], ~train[1])
    np.testing.assert_array_equal(train[0], train[2])
    np.testing.assert_array_equal(train[1], train[3])
    assert 15 <= train[0].sum() <= 35


def test_who_starts_mirrored_depends_on_the_seed(make_dataset):
    dataset = make_dataset(train=50, validation=13)
    augment = Augment(flip="alternate", crop=0)
    key = {"epoch": 0, "step": 0, "batch_size": 50, "augment": augment}
    flipped = []
    for seed in (1, 1, 2):
        x, _ = batch(dataset, seed=seed, **key)
        order = np.random.Generator(np.random.PCG64([seed, 0])).permutation(50)
        plain = dataset.normalise(dataset.x[dataset.train[order]])
        flipped.append(set(order[(x != plain).any(axis=(1, 2, 3))].tolist()))
    assert flipped[0] == flipped[1] != flipped[2]
