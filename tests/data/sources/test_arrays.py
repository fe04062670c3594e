import numpy as np
import pytest

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data import load
from onecycle_cli.data.mapping import is_mapped
from onecycle_cli.data.sources import arrays
from onecycle_cli.errors import ConfigError, DataError


@pytest.fixture
def read(tmp_path):
    def write_and_read(**content):
        np.savez(tmp_path / "mine.npz", **content)
        return arrays.read(DatasetConfig(name="arrays", path=str(tmp_path / "mine.npz")), None)

    return write_and_read


RANDOM = np.random.default_rng(2)
X = np.arange(60, dtype=np.float64).reshape(20, 3)
Y = np.arange(20) % 4


def test_targets_are_handed_on_as_they_are(read):
    for y in (Y, Y + 0.5, np.eye(20), Y.astype(str)):
        source = read(x_train=X, y_train=y)
        assert source.classes is None
        np.testing.assert_array_equal(source.y, y)
        np.testing.assert_array_equal(source.x, X)


def test_several_inputs_keep_their_types(read):
    words = np.array(["one", "two words"] * 10)
    source = read(**{"x_train/numbers": X, "x_train/words": words, "x_train/ids": Y}, y_train=Y)
    assert {name: array.dtype for name, array in source.x.items()} == {
        "numbers": np.float32,
        "words": object,
        "ids": Y.dtype,
    }
    assert source.x["words"].tolist() == words.tolist()
    with pytest.raises(DataError, match="must hold either x_train or x_train/NAME, got both"):
        read(**{"x_train/numbers": X}, x_train=X, y_train=Y)


def test_examples_may_have_weights(read):
    source = read(x_train=X, y_train=Y, weights_train=Y, x_val=X, y_val=Y)
    assert source.weights.dtype == np.float32
    assert source.weights.tolist() == [*Y.tolist(), *[1] * 20]


@pytest.mark.parametrize(
    ("shape", "dtype", "expected", "kept"),
    [
        ((20, 5, 4), np.uint8, (20, 5, 4, 1), np.uint8),
        ((20, 5, 4), np.float64, (20, 5, 4, 1), np.float32),
        ((20, 5, 4, 3), np.uint8, (20, 5, 4, 3), np.uint8),
        ((20, 7), np.uint8, (20, 7), np.uint8),
        ((20, 7), np.int64, (20, 7), np.float32),
        ((20, 7), np.bool_, (20, 7), np.float32),
    ],
)
def test_inputs_keep_bytes_and_gain_a_channel_axis(read, shape, dtype, expected, kept):
    source = read(x_train=np.asfortranarray(np.ones(shape, dtype)), y_train=Y)
    assert source.x.shape == expected
    assert source.x.dtype == kept
    assert source.x.flags.c_contiguous


def test_given_parts_are_used(read):
    source = read(
        x_train=X, y_train=Y, x_val=X[:5] + 1, y_val=Y[:5], x_test=X[:2] + 2, y_test=Y[:2]
    )
    assert source.validation == 5
    np.testing.assert_array_equal(source.x, np.concatenate([X, X[:5] + 1]))
    np.testing.assert_array_equal(source.y, np.concatenate([Y, Y[:5]]))
    np.testing.assert_array_equal(source.test()[0], X[:2] + 2)


def with_bad_row(value):
    x = X.copy()
    x[7, 1] = value
    return x


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x_train": X}, "must hold y_train, got x_train; add it"),
        ({"X": X}, "must hold x_train, got X;"),
        ({}, "must hold x_train, got nothing"),
        ({"x_train": X, "y_train": Y, "x_val": X}, "must hold y_val, got x_train, y_train, x_val"),
        ({"x_train": X, "y_train": Y[:19]}, "as many inputs as targets, got x 20, y 19"),
        ({"x_train": X[:, 0], "y_train": Y}, r"x_train must be numbers of .* got float64 \(20,\)"),
        ({"x_train": X.astype(str), "y_train": Y}, "x_train must be numbers"),
        ({"x_train": X.astype(complex), "y_train": Y}, "x_train must be numbers"),
        ({"x_train": X[:0], "y_train": Y[:0]}, r"x_train must be numbers .* got float64 \(0, 3\)"),
        ({"x_train": X.astype(object), "y_train": Y}, "x_train cannot be read .*Object arrays"),
        ({"x_train": with_bad_row(np.nan), "y_train": Y}, "x_train .* but row 7 has a NaN"),
        ({"x_train": with_bad_row(-np.inf), "y_train": Y}, "x_train .* but row 7 has a NaN"),
        ({"x_train": with_bad_row(1e300), "y_train": Y}, "x_train .* too large for float32"),
        ({"x_train": X, "y_train": Y.astype(object)}, "y_train cannot be read .*from arrays of"),
        ({"x_train": X, "y_train": Y, "weights_train": Y - 1}, "weights must be 0 or more"),
        ({"x_train": X, "y_train": Y, "weights_train": Y * 0}, "one of them above 0"),
        ({"x_train": X, "y_train": Y, "weights_train": Y[:9]}, "x 20, y 20, weights 9"),
        ({"x_train": X, "y_train": Y, "weights_train": X}, "a number for each example, got"),
        ({"x_train/a": X, "x_train/b": X[:9], "y_train": Y}, "got x/a 20, x/b 9, y 20"),
        (
            {"x_train": X, "y_train": Y, "x_val": X[:, :2], "y_val": Y},
            r"x_val: x must be like that of the training part, float32 of shape \(n, 3\),",
        ),
    ],
)
def test_a_broken_rule_is_one_sentence(read, content, message):
    with pytest.raises(DataError, match=message) as error:
        read(**content)
    assert "mine.npz" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_form_of_a_test_part_is_checked_at_once_and_its_values_when_it_is_read(read):
    with pytest.raises(DataError, match="x_test: x must be like that of the training part"):
        read(x_train=X, y_train=Y, x_test=X[:, :2], y_test=Y)
    source = read(x_train=X, y_train=Y, x_test=with_bad_row(np.nan), y_test=Y)
    with pytest.raises(DataError, match="x_test must hold finite numbers only, but row 7"):
        source.test()


def test_a_pickled_file_is_not_loaded(tmp_path):
    file = tmp_path / "mine.npz"
    np.array([{"a": 1}], dtype=object).dump(file)
    with pytest.raises(DataError, match=r"cannot be read as an \.npz file"):
        arrays.read(DatasetConfig(name="arrays", path=str(file)), None)


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "mine.npy", X)
    with pytest.raises(DataError, match=r"must be an \.npz file of named arrays"):
        arrays.read(DatasetConfig(name="arrays", path=str(tmp_path / "mine.npy")), None)


def test_a_folder_of_files_stays_on_disk(tmp_path):
    x = RANDOM.integers(0, 256, (20, 5, 4, 3), dtype=np.uint8)
    np.save(tmp_path / "x_train.npy", x)
    np.save(tmp_path / "y_train.npy", Y)
    source = arrays.read(DatasetConfig(name="arrays", path=str(tmp_path)), None)
    assert is_mapped(source.x)
    np.testing.assert_array_equal(source.x, x)
    np.testing.assert_array_equal(source.y, Y)


def test_a_folder_may_hold_several_inputs(tmp_path):
    (tmp_path / "x_train").mkdir()
    np.save(tmp_path / "x_train/numbers.npy", X.astype(np.float32))
    np.save(tmp_path / "x_train/ids.npy", Y)
    np.save(tmp_path / "y_train.npy", Y)
    source = arrays.read(DatasetConfig(name="arrays", path=str(tmp_path)), None)
    assert sorted(source.x) == ["ids", "numbers"]
    assert all(map(is_mapped, source.x.values()))


def test_a_bad_number_in_a_large_file_is_found(tmp_path):
    np.save(tmp_path / "x_train.npy", with_bad_row(np.nan).astype(np.float32))
    np.save(tmp_path / "y_train.npy", Y)
    with pytest.raises(DataError, match="but row 7 has a NaN"):
        arrays.read(DatasetConfig(name="arrays", path=str(tmp_path)), None)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"must hold x_train, got nothing; add it with numpy\.save"):
        arrays.read(DatasetConfig(name="arrays", path=str(tmp_path)), None)
    with pytest.raises(DataError, match=r"must be an \.npz file or a folder .* for 'arrays', got"):
        arrays.read(DatasetConfig.model_construct(name="arrays", path="/none"), None)


def test_a_path_is_needed():
    with pytest.raises(ConfigError, match=r"must name the \.npz file for 'arrays', got null"):
        arrays.read(DatasetConfig.model_construct(name="arrays", path=None), None)


@pytest.mark.parametrize("has_val", [False, True])
def test_no_split_divides_a_group(tmp_path, has_val):
    groups = np.repeat([f"person {i}" for i in range(10)], 4)
    x = np.arange(80.0).reshape(40, 2)
    more = {"x_val": x[:3], "y_val": np.arange(3) % 2} if has_val else {}
    y = np.arange(40) % 2
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, groups_train=groups, **more)
    dataset = load(DatasetConfig(name="arrays", path=str(tmp_path / "a.npz")), seed=0)
    parts = [dataset.train, dataset.test_rows, *([] if has_val else [dataset.validation])]
    found = [set(groups[rows]) for rows in parts]
    assert all(found)
    assert len(set.union(*found)) == sum(map(len, found)) == 10
    assert len(dataset.test_rows) == 4


def test_a_single_group_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, groups_train=np.zeros(20))
    with pytest.raises(DataError, match="all of one group, so none can be given to the test part"):
        load(DatasetConfig(name="arrays", path=str(tmp_path / "a.npz")), seed=0)


TRAIN = {"x_train": X, "y_train": Y}


class TestPartsElsewhere:
    @pytest.fixture
    def load_parts(self, tmp_path):
        """Write files, .npz or folders of .npy, and load those that keys name."""

        def load_parts(files, **keys):
            for name, content in files.items():
                if name.endswith(".npz"):
                    np.savez(tmp_path / name, **content)
                    continue
                (tmp_path / name).mkdir()
                for array, values in content.items():
                    np.save(tmp_path / name / f"{array}.npy", values)
            paths = {key: str(tmp_path / name) for key, name in keys.items()}
            return load(DatasetConfig(name="arrays", **paths), seed=0)

        return load_parts

    @pytest.mark.parametrize("val", ["val.npz", "val"])
    @pytest.mark.parametrize("ending", ["", "_val"])
    def test_are_validated_and_tested_on(self, load_parts, val, ending):
        files = {
            "train.npz": TRAIN,
            val: {f"x{ending}": X[:6] + 100, f"y{ending}": Y[:6]},
            "test": {"x_test": X[:3] + 200, "y_test": Y[:3], "x_val": X, "y_val": Y},
        }
        dataset = load_parts(files, path="train.npz", validation=val, test="test")
        np.testing.assert_array_equal(dataset.x[dataset.train], X)
        np.testing.assert_array_equal(dataset.x[dataset.validation], X[:6] + 100)
        np.testing.assert_array_equal(dataset.test()[0], X[:3] + 200)
        np.testing.assert_allclose(dataset.mean, X.mean(0), rtol=1e-6)

    def test_the_training_may_be_called_x_and_y_too(self, load_parts):
        files = {"a.npz": {"x": X, "y": Y, "x_test": X[:2], "y_test": Y[:2]}}
        dataset = load_parts(files, path="a.npz")
        assert (len(dataset.train), len(dataset.validation)) == (18, 2)
        assert len(dataset.test()[1]) == 2

    def test_one_file_may_hold_both(self, load_parts):
        held = {"x_val": X[:4], "y_val": Y[:4], "x_test": X[:3], "y_test": Y[:3]}
        files = {"a.npz": TRAIN, "b.npz": held}
        dataset = load_parts(files, path="a.npz", validation="b.npz", test="b.npz")
        assert (len(dataset.validation), len(dataset.test()[1])) == (4, 3)

    @pytest.mark.parametrize("key", ["validation", "test"])
    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (
                {"x": X[:, :2], "y": Y},
                r"other.npz: the arrays: x must be like .* of shape \(n, 2\)",
            ),
            ({"x": X.astype("u1"), "y": Y}, "other.npz: the arrays: x must be like .*, got uint8"),
            ({"x": X, "y": Y[:9]}, "other.npz: the arrays must have as many .* x 20, y 9"),
            ({"x": X, "y": np.eye(20)}, r"other.npz: the arrays: y must be like .*\(n, 20\)"),
            ({"x": X}, "other.npz must hold y, got x; add it"),
            ({"x_train": X, "y_train": Y}, r"other.npz must hold x_(val|test) or x, got x_train"),
        ],
    )
    def test_those_that_do_not_fit_are_refused_at_once(self, load_parts, key, content, sentence):
        files = {"train.npz": TRAIN, "other.npz": content}
        with pytest.raises(DataError, match=sentence):
            load_parts(files, path="train.npz", **{key: "other.npz"})

    def test_other_classes_are_refused_by_the_name_of_their_file(self, load_parts):
        files = {"train.npz": TRAIN, "other.npz": {"x": X, "y": Y + 4}}
        with pytest.raises(DataError, match=r"other\.npz: the targets of the validation part must"):
            load_parts(files, path="train.npz", validation="other.npz")
        dataset = load_parts(files, path="train.npz", test="other.npz")
        with pytest.raises(DataError, match=r"other\.npz: the targets of the test part must use"):
            dataset.test()

    def test_of_the_test_part_no_values_are_read_before_they_are_asked_for(
        self, load_parts, tmp_path
    ):
        files = {"train.npz": TRAIN, "test.npz": {"x": np.tile(X, (999, 1)), "y": np.tile(Y, 999)}}
        load_parts(files, path="train.npz", test="test.npz").test()
        content = bytearray((tmp_path / "test.npz").read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / "test.npz").write_bytes(content)
        keys = {"path": "train.npz", "test": "test.npz"}
        dataset = load_parts({}, **keys)
        with pytest.raises(DataError, match=r"test\.npz: x cannot be read"):
            dataset.test()

    @pytest.mark.parametrize("kind", ["test.npz", "test"])
    def test_a_test_part_that_changes_is_noticed(self, load_parts, kind):
        files = {"a.npz": TRAIN, kind: {"x": X, "y": Y}}
        before, again = (load_parts(f, path="a.npz", test=kind) for f in (files, {}))
        assert before.fingerprint_of_test == again.fingerprint_of_test
        changed = {"test.npz": {"x": X, "y": Y[::-1]}}
        if kind == "test":
            np.save(before.test_files[-1], Y[::-1])
            changed = {}
        after = load_parts(changed, path="a.npz", test=kind)
        assert before.fingerprint == after.fingerprint
        assert before.fingerprint_of_test != after.fingerprint_of_test
