"""How Keras reads the batches of a data set."""

from __future__ import annotations

from typing import Any

from keras.src.trainers import data_adapters


def batch_reader(data: Any) -> Any:
    """Return Keras' own reader of a data set that gives batches; `None` for a single array.

    Raises:
        TypeError, ValueError: when Keras can't read batches from it.
    """
    reader = data_adapters.get_data_adapter(data)
    return None if isinstance(reader, data_adapters.ArrayDataAdapter) else reader
