"""On one device; `engine/devices/proofs.py` goes on with several, in processes of its own."""

import keras
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.engine.devices import present
from onecycle_cli.engine.devices.processes import ADDRESSES, COUNT, PLACE
from onecycle_cli.errors import ConfigError
from onecycle_cli.workbench import settings
from onecycle_cli.workbench.settings import decide_devices


@pytest.fixture
def config():
    def made(**more):
        return load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}} | more)

    return made


@pytest.fixture
def gpus(monkeypatch):
    """Let there be so many GPUs."""

    def there_are(count):
        names = [f"gpu:{i}" for i in range(count)]
        monkeypatch.setattr(settings, "has_accelerator", lambda: bool(count))
        monkeypatch.setattr(settings, "names_of_devices", lambda: names or ["cpu:0"])
        monkeypatch.setattr(settings, "split_processor", lambda count: None)

    return there_are


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 0), (2, 2), (4, 4)])
def test_auto_takes_all_accelerators_where_there_are_several(config, gpus, count, expected):
    gpus(count)
    assert decide_devices(config()) == [f"gpu:{i}" for i in range(expected)]


@pytest.mark.parametrize(("asked", "expected"), [(1, 0), (2, 2), (3, 3)])
def test_a_number_takes_the_first_ones(config, gpus, asked, expected):
    gpus(4)
    made = config(devices=asked, batch_size=12)
    assert decide_devices(made) == [f"gpu:{i}" for i in range(expected)]


@pytest.fixture
def second_of_two(monkeypatch):
    """Let this process take itself for one of two, with this many of all devices."""
    for name, value in {ADDRESSES: "first:1", COUNT: "2", PLACE: "1"}.items():
        monkeypatch.setenv(name, value)
    return lambda own: monkeypatch.setattr(settings, "devices_of_this_process", lambda: own)


@pytest.mark.parametrize("asked", ["auto", 2])
def test_several_processes_take_all_devices_of_all_of_them(config, second_of_two, asked):
    second_of_two(1)
    names = ["cpu:0", "cpu:2048"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "names_of_devices", lambda: names)
        patch.setattr(settings, "split_processor", lambda count: None)
        assert decide_devices(config(devices=asked, batch_size=12)) == names
        with pytest.raises(ConfigError, match="batch_size must be divisible by the 2 devices"):
            decide_devices(config(devices=asked, batch_size=13))


def test_several_processes_refuse_to_leave_a_device_out(config, gpus, second_of_two):
    gpus(4)
    second_of_two(2)
    with pytest.raises(ConfigError, match="must be auto or 4, which is what the 2 processes have "):
        decide_devices(config(devices=2))
    with pytest.raises(ConfigError, match="a model in hand is trained by the process that made it"):
        decide_devices(config(), is_in_hand=True)


def test_processes_with_unequal_numbers_of_devices_are_refused(config, gpus, second_of_two):
    gpus(4)
    second_of_two(1)
    with pytest.raises(ConfigError, match="as many devices as the others; this one has 1 of 4; "):
        decide_devices(config())


def test_more_than_there_are_is_refused(config, gpus):
    gpus(3)
    with pytest.raises(ConfigError) as error:
        decide_devices(config(devices=4))
    backend = keras.backend.backend()
    assert str(error.value) == (
        f"devices must be at most 3, the accelerators that {backend} has; got 4."
    )


def test_a_processor_that_is_taken_for_one_device_already_says_how_to_have_more(config, gpus):
    gpus(0)
    with pytest.raises(ConfigError, match=r"at most 1, the devices that .*; got 2, or "):
        decide_devices(config(devices=2))


@pytest.mark.parametrize("devices", ["auto", 3])
def test_a_batch_that_cannot_be_shared_is_refused(config, gpus, devices):
    gpus(3)
    with pytest.raises(ConfigError) as error:
        decide_devices(config(devices=devices, batch_size=2))
    assert "divisible by the 3 devices" in str(error.value)
    assert "got 2; set it to 3, or devices to 1." in str(error.value)


def test_pytorch_has_one_device_and_says_which_backends_have_several(config, gpus, monkeypatch):
    gpus(2)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert decide_devices(config()) == []
    with pytest.raises(ConfigError, match="set KERAS_BACKEND=jax or KERAS_BACKEND=tensorflow"):
        decide_devices(config(devices=2))


def test_a_model_in_hand_stays_where_it_is(config, gpus):
    gpus(2)
    assert decide_devices(config(), is_in_hand=True) == []
    with pytest.raises(ConfigError, match="for a model in hand, which stays on the device"):
        decide_devices(config(devices=2), is_in_hand=True)


def test_the_devices_of_this_process_have_names():
    assert len(present.names_of_devices()) >= 1
