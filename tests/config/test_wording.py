import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, did_you_mean

TOP = (
    "name, seed, batch_size, backend, devices, precision, jit_compile, "
    "steps_per_execution, fused_batch_norm, task, loss, "
    "dataset, model, optimizer, find_lr, find_momentum, find_wd, search, train, report."
)


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        # unknown keys
        ("sed: 3", 3, "unknown key sed; did you mean 'seed'?"),
        ("whatever: 3", 3, f"unknown key whatever; the known ones are {TOP}"),
        # keys of another section, or of another program
        (
            "train: {epochs: 10}",
            3,
            "unknown key train.epochs; did you mean 'train.cycles: [{epochs: 10}]'?",
        ),
        ("epochs: 10", 3, "unknown key epochs; did you mean 'train.cycles: [{epochs: 10}]'?"),
        ("max_lr: 3", 3, "unknown key max_lr; did you mean 'train.max_lr' or 'find_lr.max_lr'?"),
        ("optimizer: {lr: 0.1}", 3, "unknown key optimizer.lr; did you mean 'train.max_lr'?"),
        (
            "optimizer: {learning_rate: 0.1}",
            3,
            "unknown key optimizer.learning_rate; did you mean 'train.max_lr'?",
        ),
        (
            "validation_split: 0.1",
            3,
            "unknown key validation_split; did you mean 'dataset.validation_fraction'?",
        ),
        (
            "train: {pct_start: 0.3}",
            3,
            "unknown key train.pct_start; did you mean 'train.shape_options.pct_start'?",
        ),
        (
            "train: {patience: 3}",
            3,
            "unknown key train.patience; did you mean 'train.early_finish.patience'?",
        ),
        (
            "wieght_decay: 0.1",
            3,
            "unknown key wieght_decay; did you mean 'train.weight_decay' or 'optimizer.",
        ),
        ("train.max_lr: 3", 3, "unknown key train.max_lr; write it as train: {max_lr: 3}."),
        ("find_lr: {maxlr: 3}", 3, "unknown key find_lr.maxlr; did you mean 'max_lr'?"),
        ("find_lr:\n  repeat: 3", 4, "unknown key find_lr.repeat; did you mean 'repeats'?"),
        ("loss: {logits: true}", 3, "unknown key loss.logits; did you mean 'from_logits'?"),
        ("loss: {x: 1}", 3, "unknown key loss.x; the known ones are name, from_logits."),
        (
            "train:\n  cycles:\n  - epochs: 3\n  - epochs: 3\n    maxlr: 1",
            7,
            "unknown key train.cycles.1.maxlr; did you mean 'max_lr'?",
        ),
        (
            "train: {momentum: {max: 0.9, min: 0.8, mean: 1}}",
            3,
            "unknown key train.momentum.mean; the known ones are max, min.",
        ),
        # required
        ("train: {cycles: [{max_lr: 1}]}", 3, "train.cycles.0.epochs is required; add it."),
        ("train: {momentum: {max: 0.9}}", 3, "train.momentum.min is required; add it."),
        # trackers
        (
            "train: {log_to: [tensorbord]}",
            3,
            "train.log_to.0 must be 'tensorboard', 'mlflow' or 'wandb'; got 'tensorbord'; "
            "did you mean 'tensorboard'?",
        ),
        (
            "train: {log_to: wanb}",
            3,
            "train.log_to must be 'tensorboard', 'mlflow' or 'wandb'; got 'wanb'; "
            "did you mean 'wandb'?",
        ),
        ("train: {log_to: true}", 3, "train.log_to must be a list; got true."),
        ("train: {tensorboard: 1}", 3, "train: tensorboard must be true or false; got 1."),
        # types
        ("seed: text", 3, "seed must be a whole number; got 'text'."),
        ("seed: 1.5", 3, "seed must be a whole number; got 1.5."),
        ("seed: 1e3", 3, "seed must be a whole number; got 1000.0."),
        ("seed: true", 3, "seed must be a whole number; got true."),
        ("seed:", 3, "seed must be a whole number; got nothing."),
        ("name: 5", 3, "name must be text; got 5."),
        ("find_lr: {max_lr: '3'}", 3, "find_lr.max_lr must be a number; got '3'."),
        ("find_lr: {max_lr: true}", 3, "find_lr.max_lr must be a number; got true."),
        ("find_lr: {max_lr: [1]}", 3, "find_lr.max_lr must be a number; got [1]."),
        ("find_lr: 3", 3, "find_lr must be a name, or have keys and values of its own; got 3."),
        ("find_lr:", 3, "find_lr must be a name, or have keys and values of its own; got nothing."),
        ("find_wd: {refine: yes}", 3, "find_wd.refine must be true or false; got 'yes'."),
        ("find_wd: {refine: 1}", 3, "find_wd.refine must be true or false; got 1."),
        (
            "find_wd: {values: 1e-3}",
            3,
            "find_wd.values must be a list, such as [0, 0.0001, 0.001], or 'auto'; got 0.001.",
        ),
        ("find_wd: {values: [1e-3, x]}", 3, "find_wd.values.1 must be a number; got 'x'."),
        (
            "jit_compile: yes",
            3,
            "jit_compile must be true or false or 'auto'; got 'yes'.",
        ),
        (
            "find_lr: {steps: atuo}",
            3,
            "find_lr.steps must be a whole number or 'auto'; got 'atuo'; did you mean 'auto'?",
        ),
        (
            "train: {momentum: 0.9}",
            3,
            "train.momentum must have keys and values of its own, such as {max: 0.95, min: 0.85}, "
            "or 'auto'; got 0.9.",
        ),
        (
            "model.name: mlp",
            3,
            "unknown key model.name; write it as model: {name: mlp}.",
        ),
        # ranges
        ("seed: -1", 3, "seed must be at least 0; got -1."),
        (
            "backend: pytorch",
            3,
            "backend must be 'auto', 'tensorflow', 'jax' or 'torch'; got 'pytorch'; did you mean",
        ),
        ("batch_size: 0", 3, "batch_size must be at least 1; got 0."),
        ("batch_size: 1_000_000_000_000", 3, "batch_size must be less than 2147483648; got"),
        ("find_lr: {steps: 11}", 3, "find_lr.steps must be at least 12 or 'auto'; got 11."),
        ("find_lr: {max_lr: 0}", 3, "find_lr.max_lr must be greater than 0"),
        ("find_lr: {max_lr: .inf}", 3, "find_lr.max_lr must be a finite number; got inf."),
        ("find_lr: {max_lr: .nan}", 3, "find_lr.max_lr must be a finite number; got nan."),
        ("find_lr: {max_lr: 1e999}", 3, "find_lr.max_lr must be a finite number; got inf."),
        ("find_lr: {max_lr: 1" + "0" * 400 + "}", 3, "find_lr.max_lr must be a number; got 1000"),
        ("find_lr: {stop_factor: 1}", 3, "find_lr.stop_factor must be greater than 1"),
        ("find_lr: {stop_factor: .inf}", 3, "find_lr.stop_factor must be a finite number"),
        ("optimizer: {momentum: 1}", 3, "optimizer.momentum must be less than 1"),
        ("optimizer: {momentum: .nan}", 3, "optimizer.momentum must be "),
        ("optimizer: {weight_decay: -1e-4}", 3, "optimizer.weight_decay must be at least 0"),
        ("train: {weight_decay: .nan}", 3, "train.weight_decay must be a finite number or 'auto'"),
        ("train: {scale_percentage: 1.1}", 3, "train.scale_percentage must be at most 1"),
        ("train: {end_percentage: 1}", 3, "train.end_percentage must be less than 1"),
        ("train: {cycles: []}", 3, "train.cycles must have at least 1 entry; got []."),
        (
            "find_wd: {values: [1]}",
            3,
            "find_wd.values must have at least 2 entries or 'auto'; got [1].",
        ),
        ("search: {engine: rya}", 3, "search.engine must be 'local' or 'ray'; got 'rya'"),
        ("search: {trials_at_once: 0}", 3, "search.trials_at_once must be at least 1 or 'auto'"),
        ("search: {resources: {cpu: -1}}", 3, "search.resources.cpu must be at least 0"),
        ("search: {resources: {tpu: 1}}", 3, "unknown key search.resources.tpu; did you mean '"),
        # upside down, or twice
        (
            "find_lr: {min_lr: 1, max_lr: 0.1}",
            3,
            "find_lr: min_lr (1) must be below max_lr (0.1).",
        ),
        ("find_lr: {min_lr: 10}", 3, "find_lr: min_lr (10) must be below max_lr (10)."),
        (
            "train:\n  momentum:\n    max: 0.8\n    min: 0.9",
            4,
            "train.momentum: min (0.9) must not be above max (0.8).",
        ),
        (
            "find_momentum: {values: [0.9, 0.9]}",
            3,
            "find_momentum.values: values must be different from each other; got [0.9, 0.9].",
        ),
        (
            "train: {end_percentage: 0}",
            3,
            "train: end_percentage 0 needs scale_percentage, to set the first rate.",
        ),
        # what other programs call it
        ("loss: mean_squared_error", 3, "loss must be 'auto', 'sparse_categorical_crossentropy',"),
        (
            "task: binary_classification",
            3,
            "task must be 'multiclass', 'binary', 'multilabel', 'regression' or 'auto'; got "
            "'binary_classification'; did you mean 'binary'?",
        ),
        ("backend: tf", 3, "backend must be 'auto', 'tensorflow', 'jax' or 'torch'; got 'tf'; did"),
        # what has parts, by an example
        ("train: {cycles: 10}", 3, "train.cycles must be a list, such as [{epochs: 10}]; got 10."),
        (
            "train: {cycles: [10]}",
            3,
            "train.cycles.0 must have keys and values of its own, such as {epochs: 10}; got 10.",
        ),
        ("find_lr: {rates: 1}", 3, "find_lr.rates must be a list, such as [0.01, 0.03, 0.1]; got"),
        # choices
        (
            "train: {shape: smiht}",
            3,
            "train.shape must be 'smith', 'linear', 'cosine', 'wsd', 'smith_caffe', 'pytorch', "
            "'fastai', 'flat_cos', 'sgdr', 'triangular', 'triangular2', 'exp_range' or 'phases' "
            "or path/to/file.py:function; got 'smiht'; did you mean 'smith'?",
        ),
        (
            "loss: crossentropy",
            3,
            "loss must be 'auto', 'sparse_categorical_crossentropy', 'binary_crossentropy', 'mse', "
            "'mae', 'huber' or 'compiled'; got 'crossentropy'",
        ),
        (
            "precision: 16",
            3,
            "precision must be 'float32', 'mixed_bfloat16', 'mixed_float16' or 'auto'",
        ),
        (
            "precision: float16",
            3,
            "precision must be 'float32', 'mixed_bfloat16', 'mixed_float16' or 'auto'; got "
            "'float16'; did you mean 'mixed_float16'?",
        ),
        ("optimizer: {name: adan}", 3, "optimizer.name must be 'sgd', "),
        # names
        ("name: a/b", 3, "name must be the name of a folder, without slashes or a leading dot"),
        ("name: ..", 3, "name must be the name of a folder"),
        ("name: ''", 3, "name must be the name of a folder"),
        ('name: "a\\0b"', 3, "name must be the name of a folder"),
    ],
)
def test_place_rule_and_what_was_given(write, text, line, sentence):
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}, line {line}: {sentence}")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith((".", "?"))


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        ("{name: digit}", "dataset.name must be 'digits', 'cifar10'"),
        ("{name: digit}", "did you mean 'digits'?"),
        ("{}", "dataset.name is required; add it."),
        ("3", "dataset must be a name, or have keys and values of its own; got 3."),
        ("digit", "dataset.name must be 'digits', 'cifar10'"),
        ("{name: digits, path: .}", "dataset: digits takes no path"),
        ("{name: arrays}", "dataset: arrays needs dataset.path: your own .npz file"),
        ("{name: cifar10, path: nowhere}", "dataset.path: there is nothing at this path: /"),
        ("{name: arrays, path: ., test: no}", "dataset.test: there is nothing at this path: /"),
        ("{name: digits, validation_rows: no}", "dataset.validation_rows: there is nothing at thi"),
        (
            "{name: digits, validation: .}",
            "dataset: validation is for arrays, table and image_fold",
        ),
        ("{name: cifar10, test: .}", "cifar10 brings its own parts; remove it."),
        ("{name: 'a.py:b', test: .}", "test is for arrays, table and image_folder; "),
        ("{name: arrays, path: ., test: ./}", "dataset: test and path are the same, /"),
        (
            "{name: arrays, path: ., test: /, validation: /, validation_rows: /}",
            "validation and validation_rows say both what to validate on; keep one.",
        ),
        ("{name: cifar10, limit: 1}", "dataset.limit must be at least 2; got 1."),
        ("{name: cifar10, augment: true}", "dataset.augment must have keys and values"),
        ("{name: cifar10, validation_fraction: 0}", "dataset.validation_fraction must be greater"),
        ("{name: table, path: .}", "dataset: table needs dataset.target: the column to predict"),
        ("{name: table, path: ., target: []}", "dataset: table needs dataset.target: the column"),
        ("{name: table, path: ., target: 3}", "dataset.target must be text or a list; got 3."),
        ("{name: table, path: ., target: [3]}", "dataset.target.0 must be text; got 3."),
        ("{name: table, path: ., target: [a, a]}", "name column 'a' twice; name it once."),
        ("{name: table, path: ., target: a, ignore: [a]}", "name column 'a' twice; name it once."),
        ("{name: table, path: ., target: a, ignore: a}", "dataset.ignore must be a list; got 'a'."),
        ("{name: digits, target: a}", "target is for table; digits has no columns; remove it."),
        ("{name: digits, ignore: [a]}", "ignore is for table; digits has no columns; remove it."),
    ],
)
def test_data_sets(load, dataset, sentence):
    with pytest.raises(ConfigError) as caught:
        load(dataset=dataset)
    assert sentence in str(caught.value)
    assert "some.yaml, line 1: " in str(caught.value)


def test_every_broken_rule_has_a_line_of_its_own(write):
    path = write("seed: x\nfind_lr: {max_lr: -1, steps: 3}\ntrian: {}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path, ["batch_size=0"])
    assert str(caught.value).splitlines() == [
        f"{path}, line 3: seed must be a whole number; got 'x'.",
        "--set batch_size=0: batch_size must be at least 1; got 0.",
        f"{path}, line 4: find_lr.max_lr must be greater than 0; got -1.",
        f"{path}, line 4: find_lr.steps must be at least 12 or 'auto'; got 3.",
        f"{path}, line 5: unknown key trian; did you mean 'train'?",
    ]


def test_a_long_value_is_cut_short(load):
    with pytest.raises(ConfigError) as caught:
        load(f"seed: {'x' * 1000}")
    assert str(caught.value).endswith(f"got '{'x' * 59}....")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("digit", "; did you mean 'digits'?"),
        ("xyz", "; the known ones are digits, mnist."),
        (3, "; the known ones are digits, mnist."),
    ],
)
def test_did_you_mean(given, sentence):
    assert did_you_mean(given, ["digits", "mnist"]) == sentence


def test_of_many_names_some_are_known():
    known = [f"column_{number}" for number in range(1000)]
    sentence = did_you_mean("xyz", known)
    assert sentence.startswith("; the known ones are column_0, column_1,")
    assert sentence.endswith(", column_9, ..., column_997, column_998, column_999, 1000 in all.")
    assert did_you_mean("colunm_500", known) == "; did you mean 'column_500'?"


def test_an_integer_that_python_will_not_write_out():
    with pytest.raises(ConfigError, match=r"seed must be .*; got a number of thousands of digits"):
        load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}, "seed": 10**5000})


class TestSectionsOfASingleWord:
    """A section whose main key is a name may be that name."""

    @pytest.mark.parametrize(
        ("text", "key", "value"),
        [
            ("optimizer: adam", "optimizer.name", "adam"),
            ("optimizer: Adam", "optimizer.name", "adam"),
            ("optimizer: {name: AdamW}", "optimizer.name", "adamw"),
            ("search: ray", "search.engine", "ray"),
            ("find_lr: sweep", "find_lr.method", "sweep"),
            ("optimizer: own.py:make", "optimizer.name", "{folder}/own.py:make"),
        ],
    )
    def test_it_is_that_name(self, write, text, key, value):
        path = write(text)
        config = load_config(path)
        assert config.leaves()[key] == value.format(folder=path.parent)
        assert config.origin(key) == "file"

    def test_data_and_model(self, write):
        config = load_config(write(dataset="Digits", model="mlp"))
        assert (config.dataset.name, config.model.name) == ("digits", "mlp")
        assert load_config({"dataset": "digits", "model": "mlp"}).name == "digits-mlp"

    def test_an_override_takes_the_place_of_the_section(self, load):
        config = load("optimizer: {momentum: 0.5}", "optimizer=adam")
        assert (config.optimizer.name, config.optimizer.momentum) == ("adam", 0.9)
        assert config.origin("optimizer.name") == "--set"
        config = load("optimizer: adam", "optimizer.momentum=0.5")
        assert (config.optimizer.name, config.optimizer.momentum) == ("adam", 0.5)

    def test_what_is_written_is_spelt_out(self, load):
        dumped = load("optimizer: Adam").model_dump()
        assert dumped["optimizer"]["name"] == "adam"
        assert load_config(dumped).model_dump() == dumped

    def test_a_wrong_name_is_said_of_its_key(self, load):
        with pytest.raises(ConfigError, match=r"line 3: optimizer\.name must be 'sgd', .* 'adan'"):
            load("optimizer: adan")


@pytest.mark.parametrize(
    ("source", "kind"), [(3, "int"), (None, "NoneType"), ([1], "list"), (b"x", "bytes")]
)
def test_what_is_no_config(source, kind):
    with pytest.raises(ConfigError, match=rf"must be the path of a YAML file, .* got {kind}\."):
        load_config(source)
