"""Workers as actors of Ray; the only module that imports it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import itertools
import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from onecycle_cli.cluster.places import places
from onecycle_cli.cluster.pool import Done, Lost, Ready
from onecycle_cli.cluster.pool import Worker as Number
from onecycle_cli.cluster.worker import Worker
from onecycle_cli.errors import ConfigError, TrainingError, cause_of

if TYPE_CHECKING:
    from onecycle_cli.config import Config, SearchConfig

_QUIET = {"log_to_driver": False, "logging_level": logging.CRITICAL, "include_dashboard": False}
_NOT_PHONING = "RAY_USAGE_STATS_ENABLED"
_LONGEST = 200
_PATIENCE = 10.0


def check_installed(config: Config) -> None:
    """Refuse a search on Ray where there is none; Ray is not imported for it.

    Raises:
        ConfigError: saying how to install it.
    """
    if config.search.engine == "ray" and not _is_installed():
        raise config.error(
            "search.engine",
            "search.engine ray needs Ray, which is not installed; run pip install "
            "'onecycle-cli[ray]', or use local.",
        )


def _is_installed() -> bool:
    spec = importlib.util.find_spec("ray")
    return spec is not None and spec.origin is not None  # a folder of that name is no package


@dataclass(frozen=True)
class Duty:
    """What workers are for.

    Attributes:
        make: makes, once a worker, what its tasks are carried out with.
        arguments: of `make`; they go to the cluster's object store once.
        act: carries out a task, given what `make` made.
    """

    make: Callable[..., Any]
    arguments: tuple[Any, ...]
    act: Callable[[Any, Any], Any]


class RayPool:
    """Workers on a Ray cluster: one that runs, or else one of this machine alone.

    Args:
        search: which cluster, how many workers, and what each takes.
        environment: variables of each worker's process.
        duty: what workers are for.

    Attributes:
        size: how many workers there may be at a time.
        on: what they run on, in words.

    Raises:
        ConfigError: when there is no such cluster, or none of its machines has room for a worker.
    """

    def __init__(self, search: SearchConfig, environment: Mapping[str, str], duty: Duty) -> None:
        self._ray: Any = importlib.import_module("ray")
        self._environment, self._duty = dict(environment), duty
        self._numbers = itertools.count()
        self._actors: dict[Number, Any] = {}
        self._awaited: dict[Any, Number] = {}
        self._set_up: set[Any] = set()
        self._was_connected = self._ray.is_initialized()
        self.on = "the Ray cluster that is connected"
        if not self._was_connected:
            self.on = _connect(self._ray, search.address)
        try:
            wanted = self._wanted(search)
            self.size = self._room(search, wanted)
            options = {"num_cpus": wanted["CPU"], "num_gpus": wanted.get("GPU", 0)}
            self._actor = self._ray.remote(**options)(Worker)
            self._arguments = [self._ray.put(value) for value in duty.arguments]
        except BaseException:
            self.close()
            raise

    def hire(self) -> Number:
        """Ask for one more worker; see `Pool`."""
        number = next(self._numbers)
        actor = self._actors[number] = self._actor.remote(self._environment)
        heard = actor.set_up.remote(self._duty.make, *self._arguments)
        self._awaited[heard] = number
        self._set_up.add(heard)
        return number

    def assign(self, worker: Number, task: Any) -> None:
        """Give a task to a worker; see `Pool`."""
        heard = self._actors[worker].carry_out.remote(self._duty.act, task)
        self._awaited[heard] = worker

    def wait(self) -> Ready | Done | Lost:
        """Wait for a worker; see `Pool`."""
        (heard,), _ = self._ray.wait(list(self._awaited), num_returns=1)
        worker = self._awaited.pop(heard)
        errors = self._ray.exceptions
        try:
            gave = self._ray.get(heard)
        except errors.RayTaskError as error:
            raise _raised(error) from None
        except errors.RayError as error:
            self._actors.pop(worker)
            return Lost(worker, _why(error))
        if heard in self._set_up:
            self._set_up.remove(heard)
            return Ready(worker)
        return Done(worker, gave)

    def close(self) -> None:
        """End the workers, and the cluster if it was started here."""
        if self._was_connected:
            for actor in self._actors.values():
                with contextlib.suppress(Exception):
                    self._ray.kill(actor)
        else:
            self._ray.shutdown()  # of another's cluster, it only lets go
        self._actors, self._awaited = {}, {}

    def _wanted(self, search: SearchConfig) -> dict[str, float]:
        """Return what a worker takes; a part of a GPU where there are any."""
        has_gpus = self._ray.cluster_resources().get("GPU", 0) > 0
        gpu = search.resources.gpu if has_gpus else 0.0
        return {"CPU": search.resources.cpu, "GPU": gpu}

    def _room(self, search: SearchConfig, wanted: Mapping[str, float]) -> int:
        """Return how many workers there may be, which is asked for or found out."""
        if search.trials_at_once != "auto":
            return search.trials_at_once
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        room = places(machines, wanted)
        if not room:
            raise ConfigError(
                f"search.resources: no machine of {self.on} has {wanted['CPU']:g} CPUs and "
                f"{wanted['GPU']:g} GPUs for a worker; ask for less, or set search.trials_at_once "
                f"where machines are started on demand."
            )
        return room


def _connect(ray: Any, address: str) -> str:
    """Connect to a cluster, or start one on this machine; return which it is, in words."""
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS") or "auto"
    if address == "auto":
        _check_the_last_one(Path(os.environ.get("RAY_TMPDIR") or "/tmp"))
        with contextlib.suppress(ConnectionError):
            _start(ray, "auto")
            return "the Ray cluster that was found"
    if address in ("auto", "local"):
        os.environ.setdefault(_NOT_PHONING, "0")
        _start(ray, "local")
        return "a Ray cluster of this machine"
    if (silence := _silence_of(address)) is not None:
        raise ConfigError(
            f"search.address: there is no Ray cluster at {address} ({silence}); start one by "
            f"'ray start --head', which says its HOST:PORT, or use auto."
        )
    try:
        _start(ray, address)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"search.address: the Ray cluster at {address} can't be connected to "
            f"({cause_of(error)}); this machine needs the same versions of Ray and Python."
        ) from error
    return f"the Ray cluster at {address}"


def _check_the_last_one(folder: Path) -> None:
    """Refuse to look for a cluster where Ray remembers one that is gone.

    Args:
        folder: that Ray's own folder is in.
    """
    with contextlib.suppress(OSError):
        address = (folder / "ray/ray_current_cluster").read_text().strip()
        if (silence := _silence_of(address)) is not None:
            raise ConfigError(
                f"search.address: the Ray cluster that was started here last, at {address}, does "
                f"not answer ({silence}); run 'ray stop', which forgets it, or use local."
            )


def _silence_of(address: str) -> str | None:
    """Return why nobody answers at an address, where Ray would wait many minutes; None: they do."""
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        socket.create_connection((place.hostname or "", place.port or 0), _PATIENCE).close()
    except (OSError, ValueError) as error:
        return cause_of(error)
    return None


def _start(ray: Any, address: str) -> None:
    """Start Ray, which takes SIGTERM for itself then; it is given back.

    It forks to start its own programs, of which JAX warns; they are others at once.
    """
    with _signals_kept(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
        ray.init(address=address, **_QUIET)


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raised(error: Any) -> BaseException:
    """Return what a worker raised, with a note of it."""
    cause = error.cause if isinstance(error.cause, Exception) else TrainingError(cause_of(error))
    cause.add_note("This was on a worker of the cluster.")
    return cause


def _why(error: BaseException) -> str:
    """Return why a worker is gone, in one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip()[:_LONGEST]
