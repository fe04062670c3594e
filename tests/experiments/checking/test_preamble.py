from types import SimpleNamespace

import numpy as np
import pytest

from onecycle_cli.experiments.checking.preamble import preamble

CROSS_ENTROPY = "sparse_categorical_crossentropy"


def zeros(*shape, dtype="float32"):
    return np.broadcast_to(np.zeros((), dtype), (1000, *shape))


@pytest.mark.parametrize(
    ("x", "task", "outputs", "loss", "said"),
    [
        (zeros(20), "multiclass", 3, CROSS_ENTROPY, "1,000 x 20 floats, 3 classes, cross-entropy"),
        (
            zeros(8, 8, 3, dtype="uint8"),
            "binary", 1, "binary_crossentropy",
            "1,000 colour images of 8x8 pixels, 2 classes, binary cross-entropy",
        ),
        (zeros(5, 4), "regression", 1, "mse", "1,000 x 5x4 floats, 1 number, mean squared error"),
        (zeros(7, dtype="int64"), "multilabel", 4, "huber",
         "1,000 x 7 integers, 4 labels, Huber's loss"),
        ({"a": zeros(2), "b": zeros(3)}, "regression", 2, "mae",
         "1,000 examples of 2 inputs, 2 numbers, mean absolute error"),
        (zeros(3), "other", 0, "compiled",
         "1,000 x 3 floats, the loss that the model was compiled with"),
    ],
)  # fmt: skip
def test_data_task_and_loss_in_a_line(x, task, outputs, loss, said):
    image = getattr(x, "ndim", 0) == 4
    rows = {"train": range(800), "validation": range(100), "test_rows": range(100)}
    data = SimpleNamespace(x=x, stream=None, is_image=image, num_outputs=outputs, **rows)
    assert preamble(data, SimpleNamespace(task=task), loss) == said


def test_a_pipeline():
    stream = SimpleNamespace(steps=30)
    data = SimpleNamespace(x=zeros(4), stream=stream, is_image=False, num_outputs=2)
    assert preamble(data, SimpleNamespace(task="other"), "mse").startswith(
        "a pipeline of 30 batches of 4 floats"
    )
