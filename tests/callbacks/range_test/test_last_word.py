import itertools

import keras
import numpy as np
import pytest

from onecycle_cli import LRFinder
from onecycle_cli.callbacks.range_test.last_word import LastWord, callback_list
from onecycle_cli.errors import TrainingError

every_backend = pytest.mark.every_backend


class Meddling(keras.callbacks.Callback):
    """Sets weights when it is told that training has ended."""

    def on_train_end(self, logs=None):
        self.model.set_weights([np.full_like(w, 7.0) for w in self.model.get_weights()])


OTHERS = {
    "early stopping": lambda: keras.callbacks.EarlyStopping(
        monitor="loss", patience=5, restore_best_weights=True
    ),
    "swapped averages": lambda: keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
    "a stranger": Meddling,
}


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("other", "first"),
    [
        pytest.param(make, first, id=f"{name}, {first}", marks=[every_backend] * (name[0] == "e"))
        for (name, make), first in itertools.product(OTHERS.items(), ("finder", "other"))
    ],
)
def test_the_model_is_as_before_whatever_the_order(regression, state_of, other, first):
    model = regression.model(keras.optimizers.Adam(0.01, use_ema=True))
    regression.fit(model, epochs=1)
    before = state_of(model)
    finder = LRFinder(num_steps=20, min_lr=0.01, max_lr=1.0, verbose=False)
    both = [finder, other()] if first == "finder" else [other(), finder]
    for _ in range(2):
        regression.fit(model, both, epochs=4)
        assert len(finder.losses) == 20
        for old, now in zip(before, state_of(model), strict=True):
            assert old.tobytes() == now.tobytes()


def test_callbacks_after_the_finder_see_the_model_restored(regression):
    class Look(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.weights = self.model.get_weights()

    model, look = regression.model("sgd"), Look()
    before = model.get_weights()
    regression.fit(model, [LRFinder(verbose=False), look])
    for old, seen in zip(before, look.weights, strict=True):
        np.testing.assert_array_equal(old, seen)


@pytest.mark.samples(2)
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("how_often", ["epoch", 2])
def test_a_checkpoint_is_not_overwritten_with_the_weights_of_a_test(
    regression, tmp_path, place, how_often
):
    path = tmp_path / "best.weights.h5"
    saver = keras.callbacks.ModelCheckpoint(str(path), save_weights_only=True, save_freq=how_often)
    model = regression.model("sgd")
    regression.fit(model, [saver], epochs=1)
    saved, finder = path.read_bytes(), LRFinder(verbose=False)
    callbacks = keras.callbacks.CallbackList(
        [finder, saver][:: 1 if place else -1], model=model, epochs=1, steps=7, verbose=0
    )
    before = list(callbacks.callbacks)
    arguments = {"batch_size": 8, "verbose": 0, "callbacks": callbacks}
    with pytest.warns(UserWarning, match="ModelCheckpoint is left out while the range test runs"):
        model.fit(regression.x, regression.y, **arguments)
    assert len(finder.losses) == 7
    assert path.read_bytes() == saved
    assert callbacks.callbacks == before


@pytest.mark.parametrize("place", [0, 1])
def test_a_backup_is_not_deleted_by_a_test(regression, state_of, tmp_path, place):
    callbacks = [LRFinder(verbose=False)]
    callbacks.insert(place, keras.callbacks.BackupAndRestore(str(tmp_path / "backup")))
    model = regression.model("sgd")
    before = state_of(model)
    with pytest.raises(TrainingError, match="BackupAndRestore would load a backup into the range"):
        regression.fit(model, callbacks)
    assert "compute_loss" not in vars(model)
    for old, now in zip(before, state_of(model), strict=False):  # the optimizer is built by now
        assert old.tobytes() == now.tobytes()


def test_the_weights_of_a_test_are_saved_when_they_are_kept(regression, tmp_path):
    path = tmp_path / "tested.weights.h5"
    saver = keras.callbacks.ModelCheckpoint(str(path), save_weights_only=True)
    regression.fit(regression.model("sgd"), [LRFinder(restore=False, verbose=False), saver])
    assert path.is_file()


def test_a_list_that_is_used_again_has_one_last_word():
    said, owner = [], object()
    callbacks = keras.callbacks.CallbackList([keras.callbacks.Callback()], model=None)
    for word in ("broke off", "ended"):
        LastWord(owner, lambda word=word: said.append(word)).have_in(callbacks)
        assert len(callbacks.callbacks) == 2
    callbacks.on_train_begin()
    callbacks.on_train_end()
    assert said == ["ended"]
    assert len(callbacks.callbacks) == 1


def test_there_is_no_list_outside_of_one():
    assert callback_list() is None
