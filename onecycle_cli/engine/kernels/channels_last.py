"""Images that PyTorch's convolutions and poolings read as they lie in memory: channels last.

PyTorch names the axes of images in another order than Keras, and takes them from memory in either.
Keras copies them into the other order for each operation, and for a convolution copies them back,
as that is faster with channels last. Here neither copy is made. `benchmarks/channels_last.py`
measures what they cost.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

import keras


@contextlib.contextmanager
def channels_last(model: Any) -> Iterator[None]:
    """Spare the copies while a model is trained, if that is on PyTorch.

    A convolution's bits are the same. What a pooling gives lies in memory as it is read next, so
    that sums over it may be taken in another order, and differ by rounding. Where `torch.compile`
    compiles the step, it decides itself what is copied, and fails at images that are not.

    Args:
        model: a compiled model; others that are used meanwhile are spared them too.
    """
    if keras.backend.backend() != "torch" or model.jit_compile:
        yield
        return
    operations = importlib.import_module("keras.src.backend.torch.nn")
    stock = operations._transpose_spatial_inputs

    def transposed(inputs: Any) -> Any:
        return inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else stock(inputs)

    vars(operations)["_transpose_spatial_inputs"] = transposed
    try:
        yield
    finally:
        vars(operations)["_transpose_spatial_inputs"] = stock
