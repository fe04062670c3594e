"""Trainings that PyTorch compiles; its compiler generates no code here, which would take longer."""

import functools

import keras
import numpy as np
import pytest

from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.engine.steering.op_by_op import op_by_op

pytestmark = [
    pytest.mark.every_backend,
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="others compile by XLA"),
]

STEPS = 10
MAX_LR, HIGH, LOW = 0.2, 0.9, 0.6


@pytest.fixture
def compiler(monkeypatch):
    """Count what PyTorch's compiler does."""
    torch = pytest.importorskip("torch")
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    return torch._dynamo.utils.counters


def test_a_compiled_step_has_its_values_and_none_is_compiled_for_them(
    regression, smith, compiler, each_batch
):
    """Five batches an epoch: each step has another learning rate, and most another momentum."""
    regression.batch_size, regression.steps = 10, STEPS // 2
    cycle = RecordedCycle(
        constants={"l2": 0.01}, max_lr=MAX_LR, maximum_momentum=HIGH, minimum_momentum=LOW
    )
    graphs = []
    count = each_batch(end=lambda *_: graphs.append(compiler["stats"]["unique_graphs"]))
    sgd = keras.optimizers.SGD(0.05, momentum=0.5, nesterov=True)
    model = regression.model(sgd, jit_compile=True)
    regression.fit(model, [cycle, count], epochs=2)

    reference = regression.reference("nesterov")
    reference.train(*smith(STEPS, MAX_LR, HIGH, LOW), l2=np.full(STEPS, 0.01))
    assert reference.error(model) < 1e-6
    np.testing.assert_allclose(cycle.log.losses, reference.losses, rtol=1e-5)
    assert graphs[0] > 0
    assert set(graphs[1:]) == {graphs[1]}  # the first step has no gradients to clear, others have
    ours = [text for text in compiler["graph_break"] if "backward()" not in text]
    assert len(ours) == 1
    assert "torch.compiler.disable" in ours[0]
    assert compiler["graph_break"][ours[0]] == 1


def test_what_is_not_compiled_is_not_wrapped(regression):
    model = regression.model("sgd", jit_compile=False)
    update = model.optimizer.apply
    assert op_by_op(model, update) is update
