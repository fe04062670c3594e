import keras
import pytest

from onecycle_cli.experiments.searches.rates import family_of


@pytest.mark.parametrize(
    ("optimizer", "first", "shift"),
    [
        (keras.optimizers.SGD, 0.1, 0.1),
        (keras.optimizers.Adam, 0.018, -0.1),
        (keras.optimizers.AdamW, 0.018, -0.1),
        (keras.optimizers.Nadam, 0.018, -0.1),
        (keras.optimizers.Adamax, 0.018, -0.1),
        (keras.optimizers.RMSprop, 0.018, -0.1),
        (keras.optimizers.Lion, 0.0018, -0.1),
        (keras.optimizers.Adagrad, 0.1, 0.1),
        (keras.optimizers.Adadelta, 1.0, 0.1),
        (keras.optimizers.Ftrl, 0.1, 0.1),
    ],
)
def test_each_optimizer_belongs_to_a_family(optimizer, first, shift):
    for made in (optimizer(), keras.optimizers.LossScaleOptimizer(optimizer())):
        family = family_of(made)
        assert (family.first, family.shift) == (first, shift)


def test_an_own_optimizer_is_like_the_one_that_it_inherits_from():
    class Mine(keras.optimizers.Lion):
        pass

    class Other(keras.optimizers.Optimizer):
        pass

    assert family_of(Mine()).first == 0.0018
    assert family_of(Other(learning_rate=1.0)).first == 0.1
