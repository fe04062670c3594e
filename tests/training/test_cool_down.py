"""Trainings that are ended before their time, by Ctrl-C or by themselves."""

import json
import signal

import keras
import numpy as np
import pytest

from onecycle_cli import schedules
from onecycle_cli.experiments.train import train


def test_ctrl_c_ends_with_a_cool_down_and_can_be_undone(
    whole, config, tmp_path, after, table, assert_same_bits
):
    listener = after(14, signal.SIGINT)
    result = train(config(), out=tmp_path, observer=listener)

    assert result.ended == "interrupted"
    assert [e["what"] for e in result.events] == ["interrupted"]
    steps = table(result.folder / "steps.csv")
    count = result.events[0]["cool_down_steps"]
    assert len(steps["lr"]) == 14 + count
    before = table(whole.folder / "steps.csv")
    np.testing.assert_array_equal(steps["loss"][:15], before["loss"][:15])
    way = np.linspace(steps["lr"][13], 0.1 / 1000, count + 1)[1:]
    np.testing.assert_allclose(steps["lr"][14:], way, rtol=1e-9)
    assert steps["momentum"][-1] == 0.95
    assert f"within {count} steps" in " ".join(listener.warnings)
    assert result.test_accuracy is not None
    keras.models.load_model(result.folder / "model.keras")

    assert_same_bits(train(resume=result.folder).folder, whole.folder)


@pytest.mark.harness
def test_a_training_by_another_shape_goes_on_to_the_same_bits(
    config, tmp_path, after, table, assert_same_bits
):
    """And a cool-down near its end never raises the rate above where the shape itself leads."""
    settings = {
        "shape": "pytorch",
        "shape_options": {"pct_start": 0.5},
        "layer_rates": {"batch_normalization*": 0},
        "also": {"clipnorm": [1.0, 0.1]},
    }
    plain = train(config(**settings), out=tmp_path / "whole")
    steps = table(plain.folder / "steps.csv")
    lrs, clips = steps["lr"], steps["clipnorm"]
    np.testing.assert_allclose(clips, [*np.linspace(1, 0.1, 18), *np.linspace(1, 0.1, 12)])
    expected = schedules.learning_rates(18, 0.1, shape="pytorch", pct_start=0.5)
    np.testing.assert_allclose(lrs[:18], expected, rtol=1e-12)

    cooled = train(config(**settings), out=tmp_path, observer=after(27, signal.SIGINT))
    rates = table(cooled.folder / "steps.csv")["lr"]
    assert (np.diff(rates[26:]) < 0).all()
    assert rates[-1] == pytest.approx(0.02 / 25e4)
    assert_same_bits(train(resume=cooled.folder).folder, plain.folder)
    frozen = keras.models.load_model(plain.folder / "model.keras")
    norm = next(layer for layer in frozen.layers if "normalization" in layer.name)
    np.testing.assert_array_equal(norm.gamma, np.ones(8))


def test_ctrl_c_twice_saves_and_quits(whole, config, tmp_path, after, assert_same_bits):
    with pytest.raises(KeyboardInterrupt):
        train(config(), out=tmp_path, observer=after(8, signal.SIGINT, signal.SIGINT))
    folder = tmp_path / "small/train/001"
    assert len((folder / "steps.csv").read_text().splitlines()) == 1 + 8
    keras.models.load_model(folder / "model.keras")
    assert_same_bits(train(resume=folder).folder, whole.folder)


@pytest.mark.harness
def test_an_early_finish_waits_for_the_peak_and_cools_down(small, tmp_path, table):
    settings = {
        "cycles": [{"epochs": 30}], "max_lr": 1e-9, "early_finish": {"patience": 2},
    }  # fmt: skip
    result = train(small(train=settings), out=tmp_path)
    steps = table(result.folder / "steps.csv")
    (event,) = result.events

    assert result.ended == event["what"] == "early"
    peak = int(steps["lr"].argmax())
    assert peak == 81  # floor(180 * .45)
    assert peak < event["step"] <= peak + 6
    assert len(steps["lr"]) == event["step"] + event["cool_down_steps"]
    assert steps["lr"][-1] == pytest.approx(1e-12)
    assert json.loads((result.folder / "manifest.json").read_text())["status"] == "done"
