import keras
import pytest

from onecycle_cli.errors import ConfigError, ModelError
from onecycle_cli.experiments.recipe.run import run
from onecycle_cli.experiments.speed import comparison, measured, precision
from onecycle_cli.experiments.train import train
from onecycle_cli.observer import Observer


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache/onecycle/speeds"


@pytest.fixture
def machine(timing):
    """A machine whose steps take as long as it is told, and where any comparison is worth it."""

    def make(float32, bfloat16):
        def told(bench):
            precision = bench.config.precision
            assert precision in {layer.dtype_policy.name for layer in bench.model.layers}
            return precision, {"float32": float32, "mixed_bfloat16": bfloat16}[precision]

        return timing(told)

    return make


@pytest.mark.harness
@pytest.mark.parametrize(
    ("float32", "bfloat16", "taken"),
    [
        (0.3, 0.2, "mixed_bfloat16"),
        (0.3, 0.271, "mixed_bfloat16"),
        (0.3, 0.274, "float32"),
        (0.3, 0.3, "float32"),
        (0.3, 3.6, "float32"),
    ],
)
def test_auto_takes_bfloat16_where_it_is_a_tenth_faster(small, machine, listener, float32, bfloat16, taken):  # fmt: skip # noqa: E501
    machine(float32, bfloat16)
    trained = train(small(precision="auto"), out=None, observer=listener)
    assert trained.record.config["precision"] == taken
    assert any(note.startswith(f"precision {taken}: bfloat16 is ") for note in listener.notes)
    assert not any("float32" in text for text in listener.warnings)


@pytest.mark.harness
def test_it_is_timed_once_for_a_model_on_a_machine(small, machine, cache, monkeypatch):
    timed = machine(0.3, 0.2)
    for _ in range(2):
        settled = precision.with_precision(_config(small(precision="auto")), Observer())
        assert settled.precision == "mixed_bfloat16"
    assert timed == ["float32", "mixed_bfloat16"]

    others = [
        small(precision="auto", batch_size=32),
        small(precision="auto", model={"options": {"hidden": 32, "layers": 1}}),
        small(precision="auto", optimizer={"name": "adam"}),
        small(precision="auto", jit_compile=True),
    ]
    for other in others:
        precision.with_precision(_config(other), Observer())
    monkeypatch.setattr(measured, "machine", lambda: {"kind": "abacus"})
    precision.with_precision(_config(small(precision="auto")), Observer())
    assert len(timed) == 2 * (2 + len(others))
    assert len(list(cache.iterdir())) == 2 + len(others)


def test_it_is_timed_anew_where_what_was_kept_is_damaged(small, machine, cache):
    timed = machine(0.3, 0.2)
    for _ in range(2):
        settled = precision.with_precision(_config(small(precision="auto")), Observer())
        assert settled.precision == "mixed_bfloat16"
        (kept,) = cache.iterdir()
        kept.write_text("{")
    assert len(timed) == 4


def test_without_a_place_to_keep_it_it_is_timed_all_the_same(small, machine, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    machine(0.3, 0.2)
    settled = precision.with_precision(_config(small(precision="auto")), Observer())
    assert settled.precision == "mixed_bfloat16"


def test_a_short_training_is_not_worth_the_comparison(small, machine, listener, monkeypatch):
    timed = machine(1e-3, 1e-4)
    monkeypatch.setattr(comparison, "LARGEST_SHARE", 0.02)
    assert (
        precision.with_precision(_config(small(precision="auto")), listener).precision == "float32"
    )
    assert (
        precision.with_precision(_config(small(precision="auto")), listener).precision == "float32"
    )
    assert timed == ["float32"]
    assert "too short" in listener.notes[-1]
    longer = small(precision="auto", train={"cycles": [{"epochs": 10**9}]})
    assert precision.with_precision(_config(longer), listener).precision == "mixed_bfloat16"
    assert timed == ["float32", "mixed_bfloat16"]


@pytest.mark.parametrize("error", [ModelError("no such kernel."), RuntimeError("of the backend")])
def test_where_bfloat16_fails_it_is_float32(small, machine, listener, monkeypatch, error):
    timed, seconds = machine(0.3, 0.2), comparison.seconds_of_a_step

    def fails(bench, *, give_up=float("inf")):
        took = seconds(bench, give_up=give_up)
        if bench.config.precision == "mixed_bfloat16":
            raise error
        return took

    monkeypatch.setattr(comparison, "seconds_of_a_step", fails)
    for _ in range(2):
        settled = precision.with_precision(_config(small(precision="auto")), listener)
        assert settled.precision == "float32"
        assert listener.notes[-1].endswith("the model can't be trained in bfloat16 here")
    assert timed == ["float32", "mixed_bfloat16"]


@pytest.mark.samples(1)
@pytest.mark.parametrize(("bfloat16", "warned"), [(3.6, True), (0.31, True), (0.29, False)])
def test_a_fixed_bfloat16_that_is_slower_is_warned_of(small, machine, listener, bfloat16, warned):
    machine(0.3, bfloat16)
    trained = train(small(precision="mixed_bfloat16"), out=None, observer=listener)
    assert trained.record.config["precision"] == "mixed_bfloat16"
    told = [text for text in listener.warnings if "slower than float32" in text]
    assert bool(told) == warned
    if bfloat16 == 3.6:
        assert told[0].startswith("bfloat16 is 12 times slower than float32 here (3.6 against 0.3")


@pytest.mark.parametrize("fixed", ["float32", "mixed_float16"])
def test_other_precisions_are_not_timed(small, machine, fixed):
    timed = machine(0.3, 0.2)
    config = _config(small(precision=fixed))
    assert precision.with_precision(config, Observer()) is config
    assert not timed


@pytest.mark.harness
def test_measuring_leaves_no_trace_in_the_training(small, machine):
    timed = machine(0.2, 0.3)
    timed_first, plain = (train(small(precision=p), out=None) for p in ("auto", "float32"))
    assert timed_first.history == plain.history
    assert timed == ["float32", "mixed_bfloat16"]
    assert timed_first.test_loss == plain.test_loss


def test_a_run_is_resumed_in_the_precision_that_it_began_with(small, machine, tmp_path, listener):
    machine(0.3, 0.2)
    config = small(precision="auto")

    def stop(now):
        if now == 8:
            raise KeyboardInterrupt

    listener.each_step, listener.steps = stop, 0
    with pytest.raises(KeyboardInterrupt):
        train(config, out=tmp_path / "broken", observer=listener)
    machine(0.2, 0.3)
    (folder,) = (tmp_path / "broken/small/train").iterdir()
    with pytest.raises(ConfigError, match="precision mixed_bfloat16, now float32"):
        train(small(precision="float32"), resume=folder)
    assert train(config, resume=folder).record.config["precision"] == "mixed_bfloat16"


def test_layers_without_names_are_called_as_without_measuring(small, machine, tmp_path):
    machine(0.2, 0.3)
    (tmp_path / "net.py").write_text(
        "import keras\n"
        "def build(input_shape, num_classes):\n"
        "    inputs = keras.Input(input_shape)\n"
        "    hidden = keras.layers.Dense(8)(keras.layers.Flatten()(inputs))\n"
        "    return keras.Model(inputs, keras.layers.Dense(num_classes, 'softmax')(hidden))\n"
    )
    keras.utils.clear_session()
    config = small(precision="auto", train={"layer_rates": {"dense_1": 0.5}})
    config["model"] = {"name": f"{tmp_path / 'net.py'}:build"}
    assert train(config, out=None).history


@pytest.mark.harness
def test_a_recipe_settles_it_for_all_its_stages(small, machine, tmp_path):
    timed = machine(0.3, 0.2)
    found = run(small(precision="auto"), out=tmp_path)
    assert not found.refused
    written = sorted(tmp_path.glob("small/*/001/config.yaml"))
    assert len(written) == len(found.recipe.stages)
    assert all("precision: mixed_bfloat16\n" in path.read_text() for path in written)
    assert timed == ["float32", "mixed_bfloat16"]


def _config(raw):
    from onecycle_cli.config import load_config

    return load_config(raw)
