import keras
import numpy as np
import pytest

from onecycle_cli import throttle
from onecycle_cli.errors import TrainingError
from onecycle_cli.experiments.train import train

BEST_IS_THIRD = {"cycles": [{"epochs": 3}, {"epochs": 2, "max_lr": 4.0}]}
"""Three epochs of learning, and two that ruin it, though not for good."""


@pytest.fixture
def share(monkeypatch):
    """Set which share of the time may be spent on files."""
    return lambda value: monkeypatch.setattr(throttle, "LARGEST_SHARE", value)


def contents(path):
    model = keras.models.load_model(path)
    return [np.array(v) for v in [*model.weights, *model.optimizer.variables]]


@pytest.mark.parametrize(
    "more", [{}, pytest.param({"ema": 0.5}, marks=pytest.mark.harness)], ids=["plain", "ema"]
)
def test_the_best_model_is_the_same_whether_it_is_written_at_once_or_later(
    small, tmp_path, share, more
):
    found = {}
    for name, value in (("at once", 1e9), ("later", 1e-9)):
        share(value)
        result = train(small(train=BEST_IS_THIRD | more), out=tmp_path / name)
        assert result.best_epoch == 3
        found[name] = result.folder
    for file in ("best.keras", "model.keras"):
        pairs = zip(*(contents(folder / file) for folder in found.values()), strict=True)
        assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)
    for file in ("history.csv", "steps.csv"):
        first, second = ((folder / file).read_bytes() for folder in found.values())
        assert first == second
    best, last = (contents(found["later"] / file) for file in ("best.keras", "model.keras"))
    assert not np.array_equal(best[0], last[0])


@pytest.mark.parametrize(("value", "files"), [(1e9, 3), (1e-9, 1)])
def test_files_are_written_as_often_as_the_time_allows(small, tmp_path, share, listener, value, files):  # fmt: skip # noqa: E501
    """Of three epochs the first is written in any case: nothing is known then of what it takes."""
    share(value)
    seen = []

    def look(now):
        for path in (tmp_path / "small/train").glob("*/history.csv"):
            seen.append(len(path.read_text().splitlines()) - 1)

    listener.each_step, listener.steps = look, 0
    train(small(train={"cycles": [{"epochs": 4}]}), out=tmp_path, observer=listener)
    assert len(set(seen)) == files


@pytest.mark.harness
def test_what_was_put_off_is_written_when_the_training_fails(small, tmp_path, share):
    share(1e-9)
    with pytest.raises(TrainingError):
        train(
            small(train={"cycles": [{"epochs": 3}, {"epochs": 2, "max_lr": 1e9}], "retries": 0}),
            out=tmp_path,
        )
    (folder,) = (tmp_path / "small/train").iterdir()
    epochs = (folder / "history.csv").read_text().splitlines()[1:]
    assert len(epochs) >= 3
    assert not np.array_equal(*(contents(folder / f)[0] for f in ("best.keras", "model.keras")))
