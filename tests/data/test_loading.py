import pickle
from inspect import signature

import numpy as np
import pytest

from onecycle_cli.config import DATASETS, AugmentConfig, DatasetConfig
from onecycle_cli.data import load, loading
from onecycle_cli.errors import DataError


def load_digits(seed=0, **options):
    return load(DatasetConfig(name="digits", **options), seed=seed)


@pytest.fixture
def load_arrays(tmp_path):
    def write_and_load(seed=0, options=None, **content):
        np.savez(tmp_path / "mine.npz", **content)
        path = str(tmp_path / "mine.npz")
        return load(DatasetConfig(name="arrays", path=path, **(options or {})), seed=seed)

    return write_and_load


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_of_the_configuration_has_a_reader(name):
    reader = loading._reader_of(name)
    assert list(signature(reader).parameters) == ["config", "progress"]


@pytest.mark.parametrize("name", DATASETS)
def test_bytes_of_downloads_and_images_of_folders_are_told_apart(monkeypatch, name):
    heard = []
    monkeypatch.setattr(loading, "_reader_of", lambda name: lambda config, progress: progress(1, 2))
    config = DatasetConfig.model_construct(name=name, path=None)
    with pytest.raises(AttributeError):  # what was read is no source
        load(
            config,
            seed=0,
            progress=lambda *of: heard.append(("bytes", *of)),
            decoding=lambda *of: heard.append(("images", *of)),
        )
    assert heard == [("images" if name == "image_folder" else "bytes", 1, 2)]


def test_digits_are_split_in_three_stratified_parts():
    dataset = load_digits()
    x, y = dataset.test()
    assert (len(dataset.train), len(dataset.validation), len(x)) == (1455, 162, 180)
    assert not set(dataset.train) & set(dataset.validation)
    rows = {pixels.tobytes() for pixels in x}
    assert not rows & {dataset.x[row].tobytes() for row in dataset.train}
    for part in (dataset.y[dataset.train], dataset.y[dataset.validation], y):
        shares = np.bincount(part) / len(part)
        np.testing.assert_allclose(shares, np.bincount(dataset.y) / 1797, atol=0.006)


def test_the_seed_decides_the_parts_and_nothing_else_does():
    assert load_digits().fingerprint == load_digits().fingerprint
    assert load_digits(seed=1).fingerprint != load_digits().fingerprint
    np.testing.assert_array_equal(load_digits().test()[0], load_digits().test()[0])


def test_statistics_are_of_the_training_part_only():
    dataset = load_digits()
    values = dataset.x[dataset.train].astype(np.float64) / 255
    np.testing.assert_allclose(dataset.mean, [values.mean()], rtol=1e-6)
    np.testing.assert_allclose(dataset.std, [values.std()], rtol=1e-6)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5])
def test_the_fraction_is_of_the_training_set(fraction):
    dataset = load_digits(validation_fraction=fraction)
    assert len(dataset.validation) == round(fraction * 1617)


def test_a_limit_is_stratified_and_counts_before_validation():
    dataset = load_digits(limit=200)
    assert (len(dataset.train), len(dataset.validation)) == (180, 20)
    assert np.bincount(dataset.y[dataset.train]).min() >= 16
    assert dataset.notes == ()
    np.testing.assert_array_equal(dataset.test()[1], load_digits().test()[1])


def test_a_limit_beyond_the_data_uses_all_and_says_so():
    dataset = load_digits(limit=5000)
    assert len(dataset.train) == 1455
    assert dataset.notes == ("dataset.limit is 5000: all 1617 training examples are used.",)


def test_a_limit_below_the_number_of_classes_still_loads():
    dataset = load_digits(limit=4)
    assert (len(dataset.train), len(dataset.validation)) == (3, 1)
    assert dataset.num_outputs == 10


def test_a_class_of_one_example_stays_in_training(load_arrays):
    y = np.array([0] * 20 + [1] * 20 + [2])
    for seed in range(5):
        dataset = load_arrays(seed, x_train=np.arange(41.0)[:, None], y_train=y)
        assert 2 in dataset.y[dataset.train]


def test_regression_is_split_plainly(load_arrays):
    dataset = load_arrays(x_train=np.arange(100.0)[:, None], y_train=np.arange(100.0))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test()[0])) == (81, 9, 10)
    assert dataset.classes is None


def test_given_parts_are_kept_and_a_limit_spares_them(load_arrays):
    x, y = np.arange(40.0)[:, None], np.arange(40) % 4
    parts = {"x_val": x[:8] + 100, "y_val": y[:8], "x_test": x[:4] + 200, "y_test": y[:4]}
    dataset = load_arrays(options={"limit": 20}, x_train=x, y_train=y, **parts)
    assert dataset.x[dataset.validation, 0].tolist() == [100 + i for i in range(8)]
    assert dataset.test()[0][:, 0].tolist() == [200, 201, 202, 203]
    assert len(dataset.train) == 20
    assert dataset.x[dataset.train].max() < 40
    assert np.bincount(dataset.y[dataset.train]).tolist() == [5, 5, 5, 5]


def test_numbers_to_predict_are_standardised_by_the_training_part_if_asked(load_arrays):
    y = np.arange(100.0) ** 2
    given = {"x_train": np.arange(100.0)[:, None], "y_train": y, "x_test": np.ones((3, 1))}
    given["y_test"] = np.array([1.5, 50.0, 7000.0])
    plain = load_arrays(**given)
    dataset = load_arrays(options={"standardise_targets": True}, **given)
    mean, std = y[dataset.train].mean(), y[dataset.train].std()
    assert abs(mean - y.mean()) > 1
    np.testing.assert_allclose(dataset.targets, (y - mean) / std, atol=1e-5)
    np.testing.assert_allclose(dataset.test()[1], (given["y_test"] - mean) / std, atol=1e-5)
    assert dataset.y.tolist() == plain.y.tolist() == plain.targets.tolist() == y.tolist()
    assert dataset.fingerprint == plain.fingerprint


def test_classes_are_not_standardised(load_arrays):
    with pytest.raises(DataError, match=r"standardise_targets is for numbers.*task: multiclass \("):
        load_arrays(
            options={"standardise_targets": True},
            x_train=np.arange(40.0)[:, None],
            y_train=np.arange(40) % 4,
        )


def test_too_few_examples_are_refused(load_arrays):
    with pytest.raises(DataError, match=r"2 training examples cannot give 2 to the validation"):
        load_arrays(
            options={"validation_fraction": 0.9},
            x_train=np.ones((3, 1)),
            y_train=np.array([0, 1, 1]),
        )


def test_an_augmentation_that_does_not_fit_is_refused(load_arrays):
    options = {"augment": AugmentConfig()}
    with pytest.raises(DataError, match=r"dataset\.augment needs images"):
        load_arrays(options=options, x_train=np.ones((30, 2)), y_train=np.arange(30) % 2)
    with pytest.raises(DataError, match=r"dataset\.augment\.crop must be from 0 to 7"):
        load_digits(augment=AugmentConfig(crop=8))


def test_cifar_is_loaded_by_name_and_its_test_set_left_alone(cifar_folder):
    (cifar_folder / "test_batch").write_bytes(b"")
    dataset = load(DatasetConfig(name="cifar10", path=str(cifar_folder)), seed=0)
    assert (len(dataset.train), len(dataset.validation)) == (90, 10)
    assert np.bincount(dataset.y[dataset.validation]).tolist() == [1] * 10
    assert dataset.origin == str(cifar_folder)
    with pytest.raises(DataError, match="test_batch is damaged"):
        dataset.test()


def test_files_of_the_user_are_not_touched(cifar_folder):
    def state():
        return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in cifar_folder.iterdir()}

    before = state()
    load(DatasetConfig(name="cifar10", path=str(cifar_folder)), seed=0).test()
    assert state() == before
    assert pickle.loads((cifar_folder / "test_batch").read_bytes())


class TestChosenRows:
    @pytest.fixture
    def load_rows(self, load_arrays, tmp_path):
        """Load 40 examples, whose inputs count them, with some rows chosen for validation."""

        def load_rows(rows, more=None, **options):
            (tmp_path / "rows.txt").write_text("\n".join(map(str, rows)))
            options["validation_rows"] = str(tmp_path / "rows.txt")
            x, y = np.arange(40.0)[:, None], np.arange(40) % 4
            return load_arrays(options=options, x_train=x, y_train=y, **(more or {}))

        return load_rows

    def test_are_validated_on_and_not_trained_or_tested_on(self, load_rows):
        dataset = load_rows([31, 2, 7])
        assert dataset.validation.tolist() == [2, 7, 31]
        assert dataset.x[dataset.validation, 0].tolist() == [2, 7, 31]
        rows = np.concatenate([dataset.train, dataset.validation, dataset.test_rows])
        assert sorted(rows) == list(range(40))
        assert len(dataset.test_rows) == 4
        np.testing.assert_allclose(dataset.mean, dataset.x[dataset.train].mean(), rtol=1e-6)

    def test_a_limit_spares_them(self, load_rows):
        dataset = load_rows(range(30), limit=6)
        assert (len(dataset.train), len(dataset.validation)) == (6, 30)

    def test_the_fingerprint_changes_with_them_and_not_with_their_order(self, load_rows):
        prints = [load_rows(rows).fingerprint for rows in ([1, 2], [2, 1], [1, 3])]
        assert prints[0] == prints[1] != prints[2]

    @pytest.mark.parametrize(
        ("rows", "sentence"),
        [
            ([0, 40], "rows.txt has row 40, and the training part of .*mine.npz has rows 0 to 39"),
            (range(40), "rows.txt names all 40 training examples; leave some to train on"),
            (range(39), "1 training examples cannot give 1 to the test part"),
        ],
    )
    def test_those_that_there_are_not_or_all_are_refused(self, load_rows, rows, sentence):
        with pytest.raises(DataError, match=sentence):
            load_rows(rows)

    def test_another_validation_part_is_refused(self, load_rows):
        more = {"x_val": np.ones((2, 1)), "y_val": [0, 1]}
        with pytest.raises(
            DataError, match=r"can't be had beside the validation part of .*mine\.n"
        ):
            load_rows([1], more)

    def test_groups_stay_whole(self, load_rows):
        groups = {"groups_train": np.repeat([f"person {i}" for i in range(10)], 4)}
        with pytest.raises(DataError, match="divides the group person 1; name all of its rows"):
            load_rows([0, 1, 2, 3, 4], groups)
        dataset = load_rows(range(8), groups)
        held = [set(part // 4) for part in (dataset.train, dataset.validation, dataset.test_rows)]
        assert sum(map(len, held)) == len(set.union(*held)) == 10

    def test_they_count_in_a_data_set_that_comes_with_the_program(self, tmp_path):
        np.save(tmp_path / "rows.npy", np.arange(1700, 1797))
        dataset = load_digits(validation_rows=str(tmp_path / "rows.npy"))
        assert dataset.validation.tolist() == list(range(1700, 1797))
        assert len(dataset.train) + len(dataset.test_rows) == 1700
