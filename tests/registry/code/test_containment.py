"""What a model's file can do to the process, and what is left of it."""

import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

from onecycle_cli.errors import ModelError
from onecycle_cli.registry.code.containment import contained


def state():
    """Return what the rest of the program relies on."""
    return {
        "folder": Path.cwd(),
        "streams": (sys.stdout, sys.stderr),
        "arguments": list(sys.argv),
        "signals": (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)),
        "warnings": list(warnings.filters),
        "numpy": np.geterr(),
        "safe mode": keras.src.backend.common.global_state.get_global_attribute("safe_mode_saving"),
        "limits": (keras.config.max_epochs(), keras.config.max_steps_per_epoch()),
        "numbers": (
            keras.config.dtype_policy().name,
            keras.config.floatx(),
            keras.config.image_data_format(),
            keras.config.epsilon(),
        ),
        "ways out": (os._exit, os.abort, os.execv, os.execve),
    }


@pytest.mark.parametrize(
    "act",
    [
        lambda: os.chdir("/"),
        lambda: setattr(sys, "stdout", None),
        lambda: setattr(sys, "stderr", None),
        lambda: sys.argv.append("more"),
        lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
        lambda: warnings.simplefilter("error"),
        lambda: np.seterr(all="raise"),
        keras.config.enable_unsafe_deserialization,
        lambda: keras.config.set_max_epochs(1),
        lambda: keras.config.set_max_steps_per_epoch(1),
    ],
    ids=[
        "folder",
        "stdout",
        "stderr",
        "arguments",
        "ctrl_c",
        "term",
        "warnings",
        "numpy",
        "safe_mode",
        "epochs",
        "steps",
    ],
)
def test_what_is_done_is_undone(act):
    before = state()
    with contained():
        act()
        assert state() != before
    assert state() == before


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (
            lambda: keras.mixed_precision.set_global_policy("mixed_float16"),
            "dtype_policy from float32 to mixed_float16, .* set precision in the config instead",
        ),
        (lambda: keras.backend.set_floatx("float64"), "floatx from float32 to float64"),
        (
            lambda: keras.backend.set_image_data_format("channels_first"),
            "image_data_format from channels_last to channels_first",
        ),
        (lambda: keras.config.set_epsilon(1e-2), "epsilon from 1e-07 to 0.01"),
    ],
)
def test_what_makes_the_numbers_untrue_is_refused_and_undone(act, said):
    before = state()
    with pytest.raises(ModelError, match=f"changes Keras' global {said}"), contained():
        act()
    assert state() == before


def test_a_cleared_session_that_loses_the_precision_is_refused():
    caller = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with pytest.raises(ModelError, match="from mixed_bfloat16 to float32"), contained():
            keras.utils.clear_session()
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy(caller)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: os._exit(0), r"os\._exit\(0\) would end the program"),
        (lambda: os.abort(), r"os\.abort\(\) would"),
        (lambda: os.execv(sys.executable, ["python"]), r"os\.execv\("),
        (lambda: os.execlp("true", "true"), r"os\.exec"),
    ],
)
def test_the_process_does_not_end(act, said):
    with pytest.raises(SystemExit, match=said), contained():
        act()
    assert "refuse" not in os._exit.__name__


def test_a_process_that_the_code_starts_may_end_itself():
    with contained():
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_it_works_in_a_thread():
    failed = []

    def work():
        try:
            with contained():
                pass
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failed == []


def test_an_error_of_the_code_goes_before_what_it_has_changed():
    with pytest.raises(ZeroDivisionError), contained():
        keras.backend.set_floatx("float64")
        1 / 0  # noqa: B018
    assert keras.backend.floatx() == "float32"


def test_a_current_folder_that_is_gone_does_no_harm(tmp_path):
    code = (
        "import os; from onecycle_cli.registry.code.containment import contained\n"
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        "with contained(): pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 0
