"""Batches, cut into a share for each device.

A batch that can't be cut evenly goes to every device whole. Each then finds the mean over all of
it, and the mean of these, by which the weights are changed, is exact.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from onecycle_cli.engine.backends.choice import name_of_backend
from onecycle_cli.engine.devices.data_parallel import in_use, laid_out
from onecycle_cli.engine.devices.distributed import on_this_process
from onecycle_cli.engine.devices.processes import processes


def shares_of(batch: Any, devices: int) -> list[Any]:
    """Return the share of each device in a batch, in the order of the devices.

    Args:
        batch: arrays with the same number of rows, in any structure.
        devices: how many there are.
    """
    rows = len(keras.tree.flatten(batch)[0])
    if rows % devices:
        return [batch] * devices
    size = rows // devices
    return [_rows(batch, slice(i * size, (i + 1) * size)) for i in range(devices)]


def answers_of(model: Any, inputs: Any) -> NDArray[Any]:
    """Return a model's outputs for a batch as `predict_on_batch` does; each device has its share.

    Args:
        model: with one output.
        inputs: arrays with the same number of rows, in any structure.
    """
    if in_use() == 1:
        return np.asarray(model.predict_on_batch(inputs))
    rows = len(keras.tree.flatten(inputs)[0])
    if name_of_backend() == "jax":
        shared = laid_out(inputs, keras.distribution.distribution())
    else:
        shared = _on_tensorflow(inputs)
    with _answers_to_every_process(model):
        answers = model.predict_on_batch(shared)
    return np.asarray(answers)[:rows]  # once, where all answered to all


def dealt(batches: Iterable[Any], signature: Any, options: Any, *, whole: bool = False) -> Any:
    """Return batches as a data set of TensorFlow that gives each device its share.

    Args:
        batches: can be gone through again and again.
        signature: of a batch, any number of rows.
        options: of the data set.
        whole: whether each device is given all of every batch.
    """
    tf = importlib.import_module("tensorflow")
    strategy, devices = tf.distribute.get_strategy(), in_use()  # which another thread can't see

    def shares() -> Iterator[Any]:
        for batch in batches:
            yield from [batch] * devices if whole else shares_of(batch, devices)

    pieces = tf.data.Dataset.from_generator(shares, output_signature=signature)
    pieces = pieces.prefetch(2 * devices).with_options(options)
    return strategy.distribute_datasets_from_function(lambda _: pieces)


@contextlib.contextmanager
def _answers_to_every_process(model: Any) -> Iterator[None]:
    """Give each process the answers of all devices, and not only those of its own."""
    if not processes().are_several:
        yield
        return
    model.make_predict_function()
    stock = model.predict_function

    def predict(state: Any, batches: Any) -> Any:
        answers, state = stock(state, batches)
        return keras.tree.map_structure(on_this_process, answers), state

    model.predict_function = predict
    try:
        yield
    finally:
        model.predict_function = stock


def _rows(batch: Any, rows: slice) -> Any:
    return keras.tree.map_structure(lambda array: array[rows], batch)


def _on_tensorflow(inputs: Any) -> Any:
    tf = importlib.import_module("tensorflow")
    give = tf.distribute.get_strategy().experimental_distribute_values_from_function
    shares = [keras.tree.flatten(share) for share in shares_of(inputs, in_use())]

    def spread(place: int) -> Any:
        return give(lambda to: tf.convert_to_tensor(shares[to.replica_id_in_sync_group][place]))

    return keras.tree.pack_sequence_as(inputs, [spread(i) for i in range(len(shares[0]))])
