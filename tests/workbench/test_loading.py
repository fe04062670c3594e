"""Data and augmentations by a function of one's own."""

import textwrap

import numpy as np
import pytest

from onecycle_cli import evaluate, train
from onecycle_cli.config import load_config
from onecycle_cli.data.mapping import is_mapped
from onecycle_cli.errors import ConfigError, DataError, ModelError, PluginError
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.expected import expected_steps_per_epoch
from onecycle_cli.workbench.loading import load_data

DATA = """
import numpy as np
def load({signature}):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(80, 4)), np.arange(80) % 2
    {body}
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="mine.py"):
        (tmp_path / name).write_text(textwrap.dedent(text))
        return f"{tmp_path / name}"

    return write_file


@pytest.fixture
def config(small, write):
    def make(body, signature="", options=None, **dataset):
        path = write(DATA.format(signature=signature, body=body))
        named = {"name": f"{path}:load", "options": options or {}, "limit": None, **dataset}
        return load_config(small(batch_size=8, dataset=named))

    return make


def loaded(config):
    return load_data(config, Observer())


def test_what_a_function_gives_is_split_as_any_data(config):
    dataset = loaded(config("return {'train': (x, y)}"))
    assert dataset.name.endswith("mine.py:load")
    assert (len(dataset.train), len(dataset.validation), len(dataset.test_rows)) == (65, 7, 8)
    assert dataset.classes == ("0", "1")
    rows = dataset.train[:3]
    np.testing.assert_array_equal(dataset.normalise(dataset.x[rows]), dataset.x[rows])


def test_rows_of_what_a_function_gives_may_be_chosen(config, tmp_path):
    (tmp_path / "rows.txt").write_text("5\n79\n")
    rows = str(tmp_path / "rows.txt")
    settings = config("return {'train': (x, y)}", validation_rows=rows)
    assert loaded(settings).validation.tolist() == [5, 79]
    pipeline = "import tensorflow as tf; return {'train': tf.data.Dataset.range(4).batch(2)}"
    with pytest.raises(DataError, match=r"validation_rows is for data that have rows, and .*mine"):
        loaded(config(pipeline, validation_rows=rows))
    with pytest.raises(DataError, match=r"standardise_targets is for data that have rows, and .*"):
        loaded(config(pipeline, standardise_targets=True))


def test_it_is_normalised_if_that_is_asked_for(config):
    dataset = loaded(config("return {'train': (x, y)}", normalise=True))
    assert abs(dataset.normalise(dataset.x[dataset.train]).mean()) < 1e-6


def test_given_parts_are_used_and_the_test_part_is_apart(config):
    dataset = loaded(
        config("return dict(train=(x, y), validation=(x[:9], y[:9]), test=(x[:4], y[:4]))")
    )
    assert (len(dataset.train), len(dataset.validation), dataset.test_rows) == (80, 9, None)
    assert dataset.test()[1].tolist() == [0, 1, 0, 1]


def test_several_inputs_weights_and_options(config):
    body = "return {'train': ({'a': x * factor, 'b': [w * factor for w in y]}, y, y + 1)}"
    dataset = loaded(config(body, "*, factor: int", {"factor": 3}))
    assert list(dataset.x) == ["a", "b"]
    assert dataset.x["b"].tolist() == [0, 3] * 40
    assert dataset.weights.tolist() == [1, 2] * 40


def test_memory_maps_stay_on_disk(config, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((80, 4), np.float32))
    body = f"return {{'train': (np.load({str(tmp_path / 'x.npy')!r}, mmap_mode='r'), y)}}"
    assert is_mapped(loaded(config(body)).x)


def test_the_steps_of_an_epoch_are_known_beforehand(config):
    assert expected_steps_per_epoch(config("return {'train': (x, y)}")) == 9


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return x, y", "must be a mapping of parts, .* returned an object of type tuple"),
        ("return", "returned nothing"),
        ("return {'test': (x, y)}", "load must give train, and may give .* it gave 'test'"),
        ("return {'train': (x, y), 'val': (x, y)}", "it gave 'train', 'val'"),
        ("return {'train': x}", r"train must be \(x, y\) or .*, got ndarray"),
        ("return {'train': (x, y[:9])}", "as many inputs as targets, got x 80, y 9"),
        ("return {'train': ({'a': x}, y), 'validation': ({'b': x}, y)}", "inputs of the training"),
        ("return {'train': (x * np.nan, y)}", "finite numbers only, but row 0"),
        ("return {'train': (x, y + 0.0)}", "may be classes or numbers to predict; set task"),
        ("1 / 0", r"failed to load: ZeroDivisionError: .*mine\.py, line 6"),
        ("raise SystemExit", "failed to load: SystemExit"),
    ],
)
def test_a_function_that_gives_something_else(config, body, message):
    with pytest.raises(DataError, match=message) as error:
        loaded(config(body))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("signature", "options", "message"),
    [
        ("", {"folder": 1}, "dataset.options.folder: data set .* has no option 'folder'"),
        ("*, folder", {}, "dataset.options: data set .* needs a value for 'folder'"),
        ("*, folder: str", {"folder": 3}, "must be of type str; got 3"),
    ],
)
def test_options_are_checked_before_the_function_runs(config, signature, options, message):
    with pytest.raises(ConfigError, match=message):
        Workbench(config("1 / 0", signature, options), Observer())


def test_options_and_paths_belong_to_their_kind_of_data(small):
    with pytest.raises(ConfigError, match="options are for a function; digits has none"):
        load_config(small(dataset={"name": "digits", "options": {"a": 1}}))
    with pytest.raises(ConfigError, match=r"there is no file .*none\.py"):
        Workbench(load_config(small(dataset={"name": "none.py:load"})), Observer())


class TestAugmentation:
    SHIFT = """
    import numpy as np
    def apply(x, seed):
        return x + np.random.default_rng(seed).integers(0, 9, (len(x), 1)).astype(x.dtype)
    """

    @pytest.fixture
    def bench(self, config, write):
        def make(body):
            augment = write(body, "aug.py") + ":apply"
            return Workbench(config("return {'train': (x, y)}", augment=augment), Observer())

        return make

    def test_changes_each_batch_by_its_seed_and_only_the_training(self, bench):
        made = bench(self.SHIFT)
        batches, again = made._batches(num_steps=20), made._batches(num_steps=20)
        shifts = []
        for step in range(18):
            x = batches[step][0]
            np.testing.assert_array_equal(x, again[step][0])
            shifts.append(self.shift_of(made.dataset, x))
        assert all((shift >= 0).all() and (shift < 9).all() for shift in shifts)
        assert len({tuple(shift) for shift in shifts}) == 18
        evaluated = made.dataset.normalise(made.dataset.x[made.dataset.validation])
        assert (self.shift_of(made.dataset, evaluated) == 0).all()
        made.close()

    @staticmethod
    def shift_of(dataset, x):
        """Return by how much each row of a batch is above the example that it was made of."""
        differences = x[:, None] - dataset.x[None]
        constant = np.abs(differences - differences[..., :1]).max(axis=-1) < 1e-5
        return np.round(differences[np.arange(len(x)), constant.argmax(axis=1), 0]).astype(int)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (
                "return x[:1]",
                r"those that it takes, float32 \(8, 4\); it gives float32 \(1, 4",
            ),
            ("return x.astype('f8')", r"it gives float64 \(8, 4\)"),
            ("return None", "it gives NoneType"),
            ("x += 1; return x + np.random.random()", "its seed alone, but gives something else"),
            ("1 / 0", r"failed to augment a batch: ZeroDivisionError: .*aug\.py, line 2"),
        ],
    )
    def test_is_refused_if_it_gives_something_else(self, bench, body, message):
        with pytest.raises(PluginError, match=message):
            bench(f"def apply(x, seed, np=__import__('numpy')):\n    {body}\n")

    def test_can_do_no_harm_to_the_data(self, bench):
        made = bench("def apply(x, seed):\n    x *= 0\n    return x\n")
        x, _ = made._batches(num_steps=1)[0]
        assert not x.any()
        assert made.dataset.x.any()
        made.close()

    def test_must_take_inputs_and_a_seed(self, bench):
        with pytest.raises(ConfigError, match=r"dataset\.augment: .*takes"):
            bench("def apply(x):\n    return x\n")


class TestPipeline:
    BODY = """
    import keras
    class Indexed(keras.utils.PyDataset):
        def __len__(self):
            return 10
        def __getitem__(self, i):
            return x[8 * i:8 * i + 8].astype("f4"), y[8 * i:8 * i + 8]
    return {'train': Indexed(), 'validation': Indexed()}
    """
    MODEL = """
    x = keras.Input(input_shape)
    model = keras.Model(x, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
    """

    def test_of_a_function_is_trained_on_by_a_compiled_model(self, config, user_model, tmp_path):
        model = user_model(textwrap.dedent(self.MODEL))
        whole = config(textwrap.dedent(self.BODY).replace("\n", "\n    ")).model_dump()
        del whole["optimizer"]
        whole |= {"model": model, "train": {"max_lr": 0.05, "cycles": [{"epochs": 2}]}}
        result = train(whole, out=tmp_path)
        assert len(result.history) == 2
        assert result.history[-1].val_accuracy is not None
        assert result.test_loss is None
        with pytest.raises(DataError, match="gives a pipeline, and evaluate needs examples"):
            evaluate(result.folder)

    def test_of_a_function_needs_a_compiled_model(self, config, user_model):
        body = textwrap.dedent(self.BODY).replace("\n", "\n    ")
        with pytest.raises(ModelError, match=r"must come compiled, since .*load gives a pipeline"):
            Workbench(config(body), Observer())

    def test_of_a_function_has_parts_of_its_own(self, config):
        body = textwrap.dedent(self.BODY).replace("'validation'", "'test'")
        with pytest.raises(DataError, match=r"there may be validation, .* gave 'test'"):
            loaded(config(body.replace("\n", "\n    ")))
