"""What `auto` stands for, where it depends on the machine."""

from __future__ import annotations

from typing import Any

import keras

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.engine.devices.data_parallel import in_use
from onecycle_cli.engine.devices.distributed import devices_of_this_process
from onecycle_cli.engine.devices.present import XLA_FLAG, names_of_devices, split_processor
from onecycle_cli.engine.devices.processes import COUNT, processes
from onecycle_cli.engine.start import has_accelerator, on_cpu_of_tensorflow
from onecycle_cli.engine.steering.names import CLIPS
from onecycle_cli.engine.steering.optimizers import core


def decide_jit(config: Config) -> bool:
    """Return what `auto` stands for: with TensorFlow, repeatable bits go before any speed of XLA.

    TensorFlow promises them for its own operations only.
    """
    if config.jit_compile != "auto":
        return config.jit_compile
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "torch" and has_accelerator())


def decide_fusion(config: Config) -> bool:
    """Return what `auto` stands for until both ways are timed: on for TensorFlow on a CPU."""
    if config.fused_batch_norm == "auto":
        return on_cpu_of_tensorflow()
    if config.fused_batch_norm and keras.backend.backend() != "tensorflow":
        raise config.error(
            "fused_batch_norm",
            f"the fused kernel is TensorFlow's, and Keras runs on {keras.backend.backend()}; use "
            f"auto.",
        )
    return config.fused_batch_norm


def decide_devices(config: Config, *, is_in_hand: bool = False) -> list[str]:
    """Return the names of the devices that are to train together; none where it is only one.

    `auto` takes all GPUs or TPUs, if there are several. Without any, the processor passes for as
    many devices as are asked for, unless its backend has started already. Where several processes
    train together, all devices of all of them are taken, processors too.

    Args:
        config: the configuration.
        is_in_hand: whether the model has been made already; it stays on the device that it is on.

    Raises:
        ConfigError: when there are not so many, a batch can't be shared among them, or the backend
            or another setting does not go with several.
    """
    if processes().are_several:
        return _devices_of_all_processes(config, is_in_hand=is_in_hand)
    asked, backend = config.devices, keras.backend.backend()
    if asked == 1 or (asked == "auto" and (is_in_hand or backend == "torch")):
        return []
    if is_in_hand or backend == "torch":
        raise config.error("devices", f"devices must be 1 {_WHY_ONE[is_in_hand]}; got {asked}.")
    if asked != "auto":
        split_processor(asked)
    elif not has_accelerator():
        return []
    found = names_of_devices()
    if asked != "auto" and asked > len(found):
        raise config.error("devices", _too_many(asked, len(found), backend))
    devices = found if asked == "auto" else found[:asked]
    if len(devices) < 2:
        return []
    _check_several(config, len(devices))
    return devices


def _devices_of_all_processes(config: Config, *, is_in_hand: bool) -> list[str]:
    count, asked = processes().count, config.devices
    if is_in_hand:
        raise config.error(
            "devices",
            f"a model in hand is trained by the process that made it, and there are {count}; "
            f"train one that a config names, or remove {COUNT} from the environment.",
        )
    if asked != "auto" and asked % count == 0:
        split_processor(asked // count)
    found, own = names_of_devices(), devices_of_this_process()
    if own * count != len(found):
        raise config.error(
            "devices",
            f"each of the {count} processes must have as many devices as the others; this one has "
            f"{own} of {len(found)}; let each see as many, by CUDA_VISIBLE_DEVICES.",
        )
    if asked not in ("auto", len(found)):
        raise config.error(
            "devices",
            f"devices must be auto or {len(found)}, which is what the {count} processes have in "
            f"all; got {asked}.",
        )
    _check_several(config, len(found))
    return found


def check_clipping(config: Config, model: Any) -> None:
    """Refuse an optimizer that clips, where each device would clip the gradient of its share only.

    Raises:
        ConfigError: when there are several devices of TensorFlow, and it does.
    """
    if in_use() < 2 or keras.backend.backend() != "tensorflow":
        return
    optimizer = core(model.optimizer)
    for name in CLIPS:
        if getattr(optimizer, name, None) is not None:
            raise config.error(
                "devices",
                f"devices must be 1 with {name}: TensorFlow would clip the gradient of each "
                f"device's share of a batch, not that of the whole; leave {name} out, or set "
                f"KERAS_BACKEND=jax.",
            )


_WHY_ONE = {
    True: "for a model in hand, which stays on the device that it was made on",
    False: "on the backend torch; set KERAS_BACKEND=jax or KERAS_BACKEND=tensorflow to train on "
    "several",
}


def _too_many(asked: int, count: int, backend: str) -> str:
    kind = "accelerators" if has_accelerator() else "devices"
    ways = {
        "jax": f"set XLA_FLAGS={XLA_FLAG}={asked} before Python starts",
        "tensorflow": "ask for them before anything else starts TensorFlow",
    }
    way = "" if has_accelerator() else f", or {ways[backend]}"
    return f"devices must be at most {count}, the {kind} that {backend} has; got {asked}{way}."


def _check_several(config: Config, count: int) -> None:
    if config.batch_size % count:
        below = config.batch_size // count * count
        fitting = [str(size) for size in (below, below + count) if size]
        raise config.error(
            "batch_size",
            f"batch_size must be divisible by the {count} devices, each of which takes its share "
            f"of a batch; got {config.batch_size}; set it to {' or '.join(fitting)}, or devices "
            f"to 1.",
        )
    if keras.backend.backend() != "tensorflow":
        return
    if config.jit_compile is True:
        raise config.error(
            "jit_compile",
            "jit_compile must be auto or false with several devices of TensorFlow; got true.",
        )
    if config.precision == "mixed_float16":
        raise config.error(
            "precision",
            "precision must not be mixed_float16 with several devices of TensorFlow, which can't "
            "scale the loss there; use mixed_bfloat16, or set KERAS_BACKEND=jax.",
        )
