import pytest
from pydantic import ValidationError

from onecycle_cli import schedules
from onecycle_cli.config import (
    OPTIMIZERS,
    TRACKERS,
    Config,
    DatasetConfig,
    OptimizerConfig,
    TrainConfig,
    load_config,
    yaml_source,
)
from onecycle_cli.config.sources import SOURCES
from onecycle_cli.errors import ConfigError


@pytest.fixture
def minimal():
    return load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}})


def test_the_defaults(minimal):
    assert minimal.model_dump() == {
        "name": "digits-mlp",
        "seed": 0,
        "batch_size": 128,
        "backend": "auto",
        "devices": "auto",
        "precision": "float32",
        "jit_compile": "auto",
        "steps_per_execution": "auto",
        "fused_batch_norm": "auto",
        "task": "auto",
        "loss": "auto",
        "dataset": {
            "name": "digits",
            "options": {},
            "path": None,
            "validation": None,
            "test": None,
            "validation_rows": None,
            "validation_fraction": 0.1,
            "limit": None,
            "size": None,
            "fit": "resize",
            "target": None,
            "ignore": [],
            "group": None,
            "normalise": "auto",
            "standardise_targets": False,
            "augment": None,
        },
        "model": {"name": "mlp", "options": {}},
        "optimizer": {
            "name": "sgd",
            "nesterov": True,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "decay": "auto",
        },
        "find_lr": {
            "method": "probes",
            "budget": "auto",
            "min_lr": 1e-5,
            "max_lr": 10,
            "rates": None,
            "scale": "exp",
            "steps": "auto",
            "repeats": 3,
            "stop_factor": 4,
            "skip_begin": 0,
            "skip_end": 0,
            "confirm": False,
        },
        "find_momentum": {
            "values": [0.8, 0.85, 0.9],
            "width": 0.1,
            "steps": "auto",
            "repeats": 1,
        },
        "find_wd": {"values": "auto", "refine": True, "steps": "auto", "repeats": 1},
        "search": {
            "engine": "local",
            "address": "auto",
            "trials_at_once": "auto",
            "resources": {"cpu": 1, "gpu": 0.5},
        },
        "train": {
            "cycles": [{"epochs": 10, "max_lr": None}],
            "max_lr": "auto",
            "momentum": "auto",
            "weight_decay": "auto",
            "shape": "smith",
            "shape_options": {},
            "layer_rates": {},
            "also": {},
            "end_percentage": 0.1,
            "scale_percentage": None,
            "retries": 2,
            "early_finish": None,
            "checkpoint_seconds": 60.0,
            "log_grad_norm": False,
            "log_to": [],
            "label_smoothing": 0.0,
            "ema": None,
            "flip_evaluation": False,
            "resize": None,
        },
        "report": True,
    }


def test_what_is_listed_can_be_chosen(tmp_path):
    for name, source in SOURCES.items():
        path = None if source.path == "none" else str(tmp_path)
        target = "price" if source.has_columns else None
        assert DatasetConfig(name=name, path=path, target=target).name == name
    for name in OPTIMIZERS:
        assert OptimizerConfig(name=name).name == name
    for name in set(schedules.SHAPES) - {"phases"}:  # which needs its phases
        assert TrainConfig(shape=name, cycles=[{"epochs": 1}]).shape == name


@pytest.mark.parametrize(
    ("given", "log_to"),
    [
        ("log_to: mlflow", ["mlflow"]),
        ("log_to: [wandb, mlflow, wandb]", ["wandb", "mlflow"]),
        ("tensorboard: true", ["tensorboard"]),
        ("tensorboard: false", []),
        ("tensorboard: true\n  log_to: mlflow", ["tensorboard", "mlflow"]),
        ("tensorboard: false\n  log_to: [tensorboard]", ["tensorboard"]),
    ],
)
def test_numbers_go_to_one_tracker_or_several(load, given, log_to):
    """`tensorboard` is what saved configurations of earlier versions have."""
    train = load(f"train:\n  {given}\n").train
    assert train.log_to == log_to
    assert "tensorboard" not in train.model_dump()


def test_editors_know_the_trackers():
    name, names = TrainConfig.model_json_schema()["properties"]["log_to"]["anyOf"]
    assert name["enum"] == names["items"]["enum"] == list(TRACKERS)


OPTIONS = {
    "pytorch": "{pct_start: 0.2, final_div_factor: 1e3, three_phase: true, anneal: linear}",
    "fastai": "{div: 10, final_momentum: null}",
    "sgdr": "{num_cycles: 2}",
    "phases": "{phases: [{until: 0.3, first: 0.1, last: 1}, {until: 1, first: 1, last: 0}]}",
}


@pytest.mark.parametrize("shape", OPTIONS)
def test_the_options_of_a_shape_are_read_and_come_back_from_a_saved_config(shape, load, tmp_path):
    train = load(f"train: {{shape: {shape}, shape_options: {OPTIONS[shape]}}}").train
    assert train.shape_options == yaml_source.parse_value(OPTIONS[shape])
    assert load_config(load().with_values(train=train.model_dump()).model_dump()).train == train


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            "shape_options: {pct_start: 0.3}",
            "line 4: train.shape_options: shape smith has no option 'pct_start'; it takes none.",
        ),
        (
            "shape: pytorch\n  shape_options: {pct_strat: 0.3}",
            "line 5: train.shape_options: shape pytorch has no option 'pct_strat'; "
            "did you mean 'pct_start'?",
        ),
        (
            "shape: pytorch\n  shape_options:\n    pct_start: 2",
            "line 5: train.shape_options: pct_start must be a number in [0, 1]; got 2.",
        ),
        (
            "shape: flat_cos\n  scale_percentage: 0.2",
            "line 5: train.scale_percentage: scale_percentage means nothing to shape flat_cos, "
            "which takes pct_start, div_final.",
        ),
        (
            "shape: sgdr\n  end_percentage: 0.2",
            "line 5: train.end_percentage: end_percentage means nothing to shape sgdr, "
            "which takes num_cycles, cycle_mult, final_share.",
        ),
        (
            "also: {weight_decay: 0.1}",
            "line 4: train.also: weight_decay has a key of its own, train.weight_decay.",
        ),
        (
            "also: {beta_1: 0.1}",
            "line 4: train.also: beta_1 has a key of its own, train.momentum.",
        ),
        (
            "also: {beta_2: [0.9, 1.5]}",
            "line 4: train.also: beta_2 must be in [0, 1) at every step; got [0.9, 1.5].",
        ),
        (
            "also: {beta_2: [0.9]}",
            "train.also.beta_2 must be a number or must have at least 2 entries; got [0.9].",
        ),
        (
            "shape: phases",
            "line 3: train: shape phases needs its option phases, a list such as "
            "[{until: 0.3, first: 0.1, last: 1}, {until: 1, first: 1, last: 0}]; got none.",
        ),
    ],
)
def test_what_does_not_belong_to_the_shape_is_refused_in_one_sentence(load, settings, sentence):
    with pytest.raises(ConfigError) as error:
        load(f"train:\n  {settings}\n")
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(sentence)


@pytest.mark.parametrize(
    ("name", "decay", "kind"),
    [
        ("sgd", "auto", "l2"),
        ("adam", "auto", "l2"),
        ("adamw", "auto", "decoupled"),
        ("lion", "auto", "decoupled"),
        ("sgd", "decoupled", "decoupled"),
        ("adamw", "l2", "l2"),
    ],
)
def test_which_decay_a_number_means(name, decay, kind):
    assert OptimizerConfig(name=name, decay=decay).decay_kind == kind


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_whose_steps_grow_with_momentum(name):
    assert OptimizerConfig(name=name).step_grows_with_momentum == (name in ("sgd", "rmsprop"))


def test_a_config_cannot_be_changed(minimal):
    with pytest.raises(ValidationError, match="frozen"):
        minimal.seed = 3
    with pytest.raises(ValidationError, match="frozen"):
        minimal.find_lr.max_lr = 3


def test_defaults_are_not_shared(minimal):
    minimal.find_momentum.values.append(0.7)
    minimal.train.cycles.clear()
    fresh = load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}})
    assert len(fresh.find_momentum.values) == 3
    assert len(fresh.train.cycles) == 1


@pytest.mark.parametrize(
    ("loss", "written"),
    [
        ("mse", "mse"),
        ({"name": "mse"}, "mse"),
        ({"from_logits": True}, {"name": "auto", "from_logits": True}),
    ],
)
def test_a_loss_may_be_a_name(minimal, loss, written):
    config = Config.model_validate(minimal.model_dump() | {"loss": loss})
    assert config.model_dump()["loss"] == written


def test_values_can_be_replaced_in_a_copy(minimal):
    changed = minimal.with_values(
        train={"max_lr": 0.5, "momentum": {"max": 0.9, "min": 0.8}}, find_lr={"steps": 100}
    )
    assert (changed.train.max_lr, changed.find_lr.steps) == (0.5, 100)
    assert changed.train.momentum.min == 0.8
    assert changed.find_lr.max_lr == minimal.find_lr.max_lr
    assert minimal.train.max_lr == "auto"
    assert changed.origin("model.name") == "file"


def test_replaced_values_are_validated(minimal):
    with pytest.raises(ValidationError):
        minimal.with_values(train={"max_lr": -1})


class TestOrigin:
    def test_of_a_default(self, minimal):
        assert minimal.origin("find_lr.max_lr") == "default"
        assert minimal.origin("no.such.key") == "default"
        assert Config.model_validate(minimal.model_dump()).origin("model.name") == "default"

    def test_of_what_is_inside_a_value(self, minimal):
        config = load_config(minimal, ["model.options={width: {deep: 1}}"])
        assert config.origin("model.options.width.deep") == "--set"
        assert config.origin("model.options.width.deep.deeper") == "--set"


class TestError:
    def test_has_the_place_of_the_key(self, load, write):
        config = load("optimizer:\n  momentum: 0.5\n", "find_lr.max_lr=3")
        assert str(config.error("optimizer.momentum", "no.")) == f"{write()}, line 4: no."
        assert str(config.error("optimizer.name", "no.")) == f"{write()}, line 3: no."
        assert str(config.error("find_lr.max_lr", "no.")) == "--set find_lr.max_lr=3: no."

    def test_has_the_line_of_an_entry(self, load, write):
        config = load("train:\n  cycles:\n  - epochs: 1\n  - epochs: 2\n")
        assert str(config.error("train.cycles.1", "no.")) == f"{write()}, line 6: no."

    def test_without_a_place(self, minimal):
        error = minimal.error("find_lr.max_lr", "no.")
        assert (str(error), error.exit_code) == ("no.", 2)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("train", "label_smoothing", 1.0),
        ("train", "label_smoothing", -0.1),
        ("train", "ema", 0.0),
        ("train", "ema", 1.0),
        ("train", "flip_evaluation", "yes"),
        ("train", "resize", []),
        ("train", "resize", [{"until": 1.5, "size": 24}]),
        ("train", "resize", [{"until": 0.5, "size": 16}, {"until": 0.5, "size": 24}]),
    ],
)
def test_training_options_out_of_range(minimal, section, key, value):
    with pytest.raises(ValidationError, match=key):
        Config.model_validate({**minimal.model_dump(), section: {key: value}})


@pytest.mark.parametrize(
    ("target", "targets"), [("a", ("a",)), (["a"], ("a",)), (["b", "a"], ("b", "a"))]
)
def test_the_columns_to_predict(tmp_path, target, targets):
    config = DatasetConfig(name="table", path=str(tmp_path), target=target)
    assert config.targets == targets
    assert DatasetConfig(name="digits").targets == ()


@pytest.mark.parametrize("flip", [True, False, "alternate"])
def test_flips(flip):
    assert DatasetConfig(name="cifar10", augment={"flip": flip}).augment.flip == flip


def test_flips_of_no_known_kind():
    with pytest.raises(ValidationError, match="flip"):
        DatasetConfig(name="cifar10", augment={"flip": "sometimes"})
