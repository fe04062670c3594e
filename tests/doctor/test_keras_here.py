import os

import pytest

from onecycle_cli.doctor import State, keras_here


@pytest.mark.harness
def test_keras_starts_and_sees_a_device():
    started, devices = keras_here.started()
    assert started.text.startswith("starts on ")
    assert "CPU" in devices.text or "GPU" in devices.text or "cpu" in devices.text


def test_why_keras_does_not_start_is_said(monkeypatch):
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "abacus")
    (finding,) = keras_here.started()
    assert finding.state is State.PROBLEM
    assert "Keras is set to the backend 'abacus'" in finding.text


def test_a_start_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(keras_here, "LONGEST", 1e-9)
    (finding,) = keras_here.started()
    assert finding.text.startswith("did not start within")
