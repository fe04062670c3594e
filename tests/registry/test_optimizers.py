import keras
import pytest

from onecycle_cli import registry
from onecycle_cli.config import OPTIMIZERS, load_config
from onecycle_cli.config.optimizer import UNSUITABLE
from onecycle_cli.errors import ConfigError, OptimizerError
from onecycle_cli.registry import optimizers

OF_KERAS = {n.lower() for n, c in vars(keras.optimizers).items() if isinstance(c, type)}

MODULE = "import keras\ndef build():\n    return keras.optimizers."


def config_with(name):
    source = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}, "optimizer": {"name": name}}
    return load_config(source)


def test_every_optimizer_of_keras_is_known():
    """One that this Keras has and no row speaks of is an omission."""
    bases = {"optimizer", "optimizermap"}
    assert OF_KERAS - bases <= OPTIMIZERS.keys() | UNSUITABLE.keys()
    assert OPTIMIZERS.keys().isdisjoint(UNSUITABLE)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name in OF_KERAS])
def test_an_optimizer_by_name_is_a_new_stock_one(name):
    optimizer = optimizers.load(name)
    assert type(optimizer) is getattr(keras.optimizers, type(optimizer).__name__)
    assert type(optimizer).__name__.lower() == name
    assert optimizer is not optimizers.load(name)


@pytest.mark.parametrize("name", UNSUITABLE)
def test_an_unsuitable_one_is_refused_with_the_reason(name):
    with pytest.raises(ConfigError) as error:
        config_with(name)
    assert str(error.value).endswith(f"optimizer.name: {name} {UNSUITABLE[name]}.")


def test_one_that_this_keras_lacks_is_said(monkeypatch):
    monkeypatch.delattr(keras.optimizers, "Muon", raising=False)
    with pytest.raises(OptimizerError, match=rf"Keras {keras.__version__} has no optimizer 'muon'"):
        optimizers.load("muon")


def test_a_function_of_ones_own(write):
    path = write(MODULE + "Adam(epsilon=0.5)", "mine.py")
    optimizer = optimizers.load(f"{path}:build")
    assert type(optimizer) is keras.optimizers.Adam
    assert optimizer.epsilon == 0.5


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "def build(): ...",
            "must be a keras.optimizers.Optimizer; its function returned nothing.",
        ),
        ("def build():\n    return 'sgd'", "its function returned an object of type str."),
        (
            "import keras\ndef build():\n    o = keras.optimizers\n"
            "    return o.LossScaleOptimizer(o.SGD())",
            "must not be a LossScaleOptimizer; return the one inside it, and set precision to",
        ),
        ("def build():\n    raise SystemExit", "failed to build: SystemExit (mine.py, line 2)"),
        (
            "import keras\nkeras.config.set_floatx('float16')\ndef build():\n    pass",
            "the optimizer's code changes Keras' global floatx from float32 to float16",
        ),
    ],
)
def test_what_is_no_optimizer_is_one_sentence(write, tmp_path, monkeypatch, source, message):
    write(source, "mine.py")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptimizerError) as error:
        optimizers.load("mine.py:build")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_function_that_needs_something_is_refused_before_it_is_run(write):
    path = write("def build(rate): ...", "mine.py")
    with pytest.raises(ConfigError) as error:
        registry.check(config_with(f"{path}:build"))
    assert str(error.value) == (
        f"optimizer.name: build() in {path} must take no arguments; it takes (rate)."
    )
