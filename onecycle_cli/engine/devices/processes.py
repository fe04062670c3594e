"""The processes that train one model together, each on a machine or a GPU of its own.

They are named by the variables of the environment that `keras.distribution.initialize` reads, so
they are known without Keras.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from onecycle_cli.errors import ConfigError

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
COUNT = "KERAS_DISTRIBUTION_NUM_PROCESSES"
PLACE = "KERAS_DISTRIBUTION_PROCESS_ID"

VARIABLES = (ADDRESSES, COUNT, PLACE)


@dataclass(frozen=True)
class Processes:
    """How many processes there are, and which of them this one is.

    Attributes:
        count: of all.
        place: of this one, from 0.
    """

    count: int = 1
    place: int = 0

    @property
    def are_several(self) -> bool:
        """Whether the model is trained by others too."""
        return self.count > 1

    @property
    def is_chief(self) -> bool:
        """Whether this one writes, and shows what happens."""
        return self.place == 0


def processes() -> Processes:
    """Return what the environment says; where it says nothing, this process is alone.

    Raises:
        ConfigError: when it says only a part of it, or something impossible.
    """
    said = {name: os.environ.get(name, "").strip() for name in VARIABLES}
    if not any(said.values()):
        return Processes()
    for name, text in said.items():
        if not text:
            raise ConfigError(
                f"{name} is not set, and several processes train together by {ADDRESSES}, {COUNT} "
                f"and {PLACE}; set it, or remove the others."
            )
    count = _number(COUNT, said[COUNT], least=1)
    place = _number(PLACE, said[PLACE], least=0)
    if place >= count:
        raise ConfigError(
            f"{PLACE} must be below {COUNT}, which is {count}; got {place}; the processes are "
            f"counted from 0."
        )
    _check_addresses(said[ADDRESSES].split(","), count)
    return Processes(count, place)


def have_met() -> bool:
    """Tell whether JAX knows of the other processes, and would wait for them at the end."""
    jax = sys.modules.get("jax")
    return jax is not None and bool(jax.distributed.is_initialized())


def refuse_several(what: str) -> None:
    """Refuse what one process does by itself.

    Args:
        what: it is, such as `onecycle run`.

    Raises:
        ConfigError: when there are several.
    """
    if processes().are_several:
        raise ConfigError(
            f"{what} does not work with several processes; start it once, without {COUNT}. "
            f"find-lr, find-wd, find-momentum and train work with several."
        )


def _number(name: str, text: str, *, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise ConfigError(f"{name} must be a whole number from {least}; got '{text}'.")
    return int(text)


def _check_addresses(addresses: list[str], count: int) -> None:
    if len(addresses) not in (1, count):
        raise ConfigError(
            f"{ADDRESSES} must name the first process, or all {count}, separated by commas; got "
            f"{len(addresses)} addresses."
        )
    for address in addresses:
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise ConfigError(f"{ADDRESSES} must have the form HOST:PORT; got '{address}'.")
