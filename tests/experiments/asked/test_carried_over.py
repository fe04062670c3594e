"""A learning rate that was found for one training, asked for in another."""

import keras
import numpy as np
import pytest

import onecycle_cli
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.asked.carried_over import check_rate
from onecycle_cli.experiments.hyper_parameters.conditions import conditions_of

OTHERS = [
    ({"optimizer": {"name": "adam"}}, "found with the optimizer adam, not sgd; run 'onecycle"),
    ({"model": {"name": "mini_vgg"}}, "found with the model mini_vgg, not mlp; run 'onecycle"),
    ({"dataset": {"name": "mnist"}}, "found with the data set mnist, not digits; run 'onecycle"),
]


@pytest.mark.parametrize("kind", ["train", "find-wd", "find-momentum"])
@pytest.mark.parametrize(("other", "said"), OTHERS)
def test_a_rate_of_another_optimizer_model_or_data_set_is_refused(small, kind, other, said):
    now = load_config(small(train={"max_lr": "auto"}))
    conditions = conditions_of(now) | {
        name: conditions_of(load_config(small(**other)))[name] for name in other
    }
    suggested = {"max_lr": {"value": 0.4, "conditions": conditions}}

    with pytest.raises(ConfigError, match=said):
        check_rate(kind, now, suggested)
    check_rate(kind, now, suggested, force=True)
    check_rate(kind, load_config(small(train={"max_lr": 0.1})), suggested)
    check_rate("find-lr", now, suggested)


def test_a_rate_that_no_cycle_uses_is_no_matter(small):
    conditions = conditions_of(load_config(small(optimizer={"name": "adam"})), "abc")
    suggested = {"max_lr": {"value": 0.4, "conditions": conditions}}
    cycles = [{"epochs": 1, "max_lr": 0.1}]
    own = load_config(small(train={"max_lr": "auto", "cycles": cycles}))
    check_rate("train", own, suggested)
    with pytest.raises(ConfigError, match="found with the optimizer"):
        check_rate("find-wd", own, suggested)


@pytest.mark.parametrize(
    "other",
    [{"batch_size": 32}, {"precision": "mixed_bfloat16"}, {"optimizer": {"decay": "decoupled"}}],
)
def test_lesser_differences_are_left_to_a_warning(small, other):
    now = load_config(small(train={"max_lr": "auto"}))
    conditions = conditions_of(load_config(small(**other)), "abc")
    check_rate("train", now, {"max_lr": {"value": 0.4, "conditions": conditions}})


@pytest.mark.parametrize(("is_adopted", "refused"), [(False, False), (True, True)])
def test_the_optimizer_of_a_model_that_may_come_compiled_is_compared_once_it_is_known(
    small, is_adopted, refused
):
    now = load_config(small(train={"max_lr": "auto"}, model={"name": "net.py:build"}))
    suggested = {"max_lr": {"value": 0.4, "conditions": conditions_of(now) | {"optimizer": "adam"}}}
    if refused:
        with pytest.raises(ConfigError, match="found with the optimizer adam, not sgd"):
            check_rate("train", now, suggested, is_adopted=is_adopted)
    else:
        check_rate("train", now, suggested, is_adopted=is_adopted)


RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(480, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
QUICK = {"batch_size": 16, "epochs": 1, "settings": {"find_lr": {"repeats": 1, "steps": 60}}}


def compiled(optimizer, units=8):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer(), "binary_crossentropy")
    return model


def sgd():
    return keras.optimizers.SGD(0.01, momentum=0.9)


@pytest.fixture(scope="module")
def by_adam(tmp_path_factory):
    """Return what was found with Adam, and where it is on file."""
    out = tmp_path_factory.mktemp("runs")
    found = onecycle_cli.find_lr(
        compiled(keras.optimizers.Adam), X, Y, out=out, name="mine", **QUICK
    )
    assert found.suggestion.value is not None
    return found, out


def trained(model, found, out, by, **more):
    given = {"max_lr": found} if by == "result" else {"out": out, "name": "mine"}
    return onecycle_cli.train(model, X, Y, **given, **QUICK | more)


@pytest.mark.parametrize("by", ["result", "file"])
class TestInHand:
    @pytest.mark.samples(1)
    def test_is_used_for_the_same_model(self, by_adam, by):
        result = trained(compiled(keras.optimizers.Adam), *by_adam, by)
        assert result.max_lrs == [by_adam[0].suggestion.value]

    @pytest.mark.samples(2)
    @pytest.mark.parametrize(
        ("model", "said"),
        [
            (lambda: compiled(sgd), "optimizer adam, not sgd; run find_lr with this model, give"),
            (lambda: compiled(keras.optimizers.Adam, 9), "found with another model, whose weights"),
        ],
    )
    def test_is_refused_for_another_unless_forced(self, by_adam, by, model, said):
        made = model()
        before = made.get_weights()
        with pytest.raises(ConfigError, match=said):
            trained(made, *by_adam, by)
        for a, b in zip(made.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        result = trained(made, *by_adam, by, force=True)
        assert result.max_lrs == [by_adam[0].suggestion.value]


def test_what_another_finder_found_is_no_learning_rate():
    settings = {"find_wd": {"repeats": 1, "steps": 24, "values": [1e-3, 1e-4], "refine": False}}
    decay = onecycle_cli.find_wd(compiled(sgd), X, Y, max_lr=0.1, **QUICK | {"settings": settings})
    with pytest.raises(ConfigError, match="max_lr can't be taken from what find-wd has found"):
        onecycle_cli.train(compiled(sgd), X, Y, max_lr=decay, **QUICK)
