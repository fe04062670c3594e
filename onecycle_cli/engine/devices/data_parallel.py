"""Training on several devices at once, each with a copy of the model and its share of a batch."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras.src.backend.common import global_state

from onecycle_cli.engine.backends.choice import name_of_backend
from onecycle_cli.engine.devices.distributed import placing_without_asking
from onecycle_cli.engine.devices.processes import processes

_GLOBAL_SEED_GENERATOR = "global_seed_generator"


@contextlib.contextmanager
def data_parallel(devices: Sequence[str]) -> Iterator[None]:
    """Have models that are made within be trained by all of some devices; one changes nothing.

    Models, their optimizers and whatever variables go with them have to be made, trained and
    evaluated within. Where several devices are at work already, they stay the same ones.

    Args:
        devices: their names, as `names_of_devices` gives them; all of one kind.
    """
    if len(devices) < 2 or in_use() > 1:
        yield
        return
    seeds = global_state.get_global_attribute(_GLOBAL_SEED_GENERATOR)
    scope = _on_jax if name_of_backend() == "jax" else _on_tensorflow
    try:
        with scope(list(devices)):
            yield
    finally:
        global_state.set_global_attribute(_GLOBAL_SEED_GENERATOR, seeds)


def in_use() -> int:
    """Return how many devices train models here and now, by `data_parallel`."""
    if name_of_backend() == "jax":
        distribution = keras.distribution.distribution()
        return distribution.count if isinstance(distribution, _WholeOrShared) else 1
    if name_of_backend() == "tensorflow":
        strategy = importlib.import_module("tensorflow").distribute.get_strategy()
        return int(strategy.num_replicas_in_sync)
    return 1


class _WholeOrShared(keras.distribution.DataParallel):
    """Data parallelism in which a batch that can't be shared evenly goes to every device whole.

    The devices of JAX work on one program for the whole batch, so this changes no results.
    """

    @property
    def count(self) -> int:
        """How many devices there are."""
        return int(self.device_mesh.devices.size)

    def get_data_layout(self, data_shape: Sequence[int]) -> Any:
        if data_shape and data_shape[0] % self.count == 0:
            return super().get_data_layout(data_shape)
        return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)


def laid_out(batch: Any, distribution: Any) -> Any:
    """Return a batch that lies on the devices of JAX, each of which has its share of it.

    Args:
        batch: arrays with the same number of rows, in any structure.
        distribution: that of Keras, which is in use.
    """

    def array_laid_out(array: Any) -> Any:
        if array is None:
            return None
        layout = distribution.get_data_layout(array.shape)
        return keras.distribution.distribute_tensor(array, layout)

    return keras.tree.map_structure(array_laid_out, batch)


@contextlib.contextmanager
def _on_jax(devices: list[str]) -> Iterator[None]:
    distribution = _WholeOrShared(devices=devices)
    distribution.auto_shard_dataset = False  # each process has whole batches, and lays out its own
    placing = placing_without_asking() if processes().are_several else contextlib.nullcontext()
    with placing, distribution.scope(), _each_batch_laid_out():
        yield


@contextlib.contextmanager
def _each_batch_laid_out() -> Iterator[None]:
    """Have Keras look at each batch of a `fit`, and not share all as it shared the first one."""
    trainer = importlib.import_module("keras.src.backend.jax.trainer")
    stock = trainer.JAXEpochIterator._get_distributed_iterator

    def distributed(self: Any, distribution: Any) -> Iterator[Any]:
        return (laid_out(batch, distribution) for batch in self.data_adapter.get_jax_iterator())

    trainer.JAXEpochIterator._get_distributed_iterator = distributed
    try:
        yield
    finally:
        trainer.JAXEpochIterator._get_distributed_iterator = stock


@contextlib.contextmanager
def _on_tensorflow(devices: list[str]) -> Iterator[None]:
    tf = importlib.import_module("tensorflow")
    on_processor = tf.distribute.ReductionToOneDevice() if "CPU" in devices[0] else None
    strategy = tf.distribute.MirroredStrategy(devices, cross_device_ops=on_processor)
    with strategy.scope(), tf.variable_creator_scope(_with_one_value):
        yield


def _with_one_value(make: Callable[..., Any], **arguments: Any) -> Any:
    """Make a variable that has the same value on each device, also where layers set it in a step.

    The moving statistics of BatchNormalization are such ones. Left alone, each device would keep
    those of its own shares, and those of the first one would be saved.
    """
    tf = importlib.import_module("tensorflow")
    kinds = tf.VariableAggregation
    is_state = not arguments.get("trainable") and tf.as_dtype(arguments["dtype"]).is_floating
    if is_state and arguments.get("aggregation") in (None, kinds.NONE):
        arguments["aggregation"] = kinds.MEAN
    return make(**arguments)
