"""What was measured of a model on this machine, kept for the next time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

from onecycle_cli.config import Config
from onecycle_cli.data.files.locate import download_folder
from onecycle_cli.engine.backends.choice import name_of_backend
from onecycle_cli.engine.start import versions
from onecycle_cli.errors import DataError, ResultError
from onecycle_cli.experiments.asked.resume import model_files
from onecycle_cli.experiments.hyper_parameters.conditions import conditions_of
from onecycle_cli.runs import files

_FAILS = "fails"
_OF_NO_MATTER = ("precision", "data", "label_smoothing", "layer_rates")


@dataclass(frozen=True)
class Speeds:
    """How fast a model is trained in the ways that were timed.

    Attributes:
        seconds: of a step, by the way's name; infinite where that fails.
        epoch: steps in an epoch.
        took: seconds that it took to find all that out.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    epoch: int = 0
    took: float = 0.0

    def adding(self, way: str, seconds: float, *, epoch: int = 0, took: float = 0.0) -> Speeds:
        """Return these with one more."""
        return Speeds({**self.seconds, way: seconds}, epoch or self.epoch, self.took + took)

    @property
    def are_whole(self) -> bool:
        """Whether these are numbers above zero."""
        known = [*self.seconds.values(), self.epoch, self.took]
        return all(isinstance(n, int | float) and n > 0 for n in known)


def place_of(config: Config) -> Path | None:
    """Return the file for a configuration on this machine; `None` where there is no place for it.

    Its name holds a key of all that decides the speed but the ways that are compared: the model
    with its code, batch size, optimizer, data set, the configured settings, the machine and the
    versions.
    """
    about = {
        "conditions": {k: v for k, v in conditions_of(config).items() if k not in _OF_NO_MATTER},
        "code": model_files(config),
        "settings": [config.jit_compile, config.fused_batch_norm, config.steps_per_execution],
        "devices": config.devices,
        "resized": [stretch.size for stretch in config.train.resize or ()],
        "machine": machine(),
        "backend": name_of_backend(),
        "versions": versions(),
    }
    key = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:24]
    try:
        return download_folder() / "speeds" / f"{key}.json"
    except DataError:
        return None


def read(place: Path | None) -> Speeds | None:
    """Return what is kept there; `None` for nothing, or for what can't be read."""
    if place is None or not place.is_file():
        return None
    try:
        found = files.read_json(place)
        seconds = {k: math.inf if v == _FAILS else v for k, v in found["seconds"].items()}
        speeds = Speeds(**(found | {"seconds": seconds}))
    except (ResultError, LookupError, TypeError, AttributeError):
        return None
    return speeds if speeds.are_whole else None


def write(place: Path | None, speeds: Speeds) -> None:
    """Keep it; that there is no room for it is no error."""
    if place is None:
        return
    seconds = {k: _FAILS if v == math.inf else v for k, v in speeds.seconds.items()}
    data = asdict(speeds) | {"seconds": seconds}
    with contextlib.suppress(OSError, ResultError):
        place.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(place, data)


def machine() -> dict[str, object]:
    """Return what is known of the processor: its name, its instructions, and how many there are."""
    about: dict[str, object] = {"kind": platform.machine(), "processors": os.cpu_count()}
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = (part.strip() for part in line.partition(":"))
            if name in ("model name", "flags", "Features"):
                about.setdefault(name, value)
    return about
