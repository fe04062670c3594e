"""The folder of an experiment, with what it takes to do it again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onecycle_cli.config import Config
from onecycle_cli.engine.backends.choice import name_of_backend
from onecycle_cli.engine.devices.data_parallel import in_use
from onecycle_cli.engine.memory import is_memory_kept
from onecycle_cli.engine.start import versions
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.kinds import FINDERS
from onecycle_cli.runs import files
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.suggest import USUAL_DECAYS, usual_budget
from onecycle_cli.workbench.cost import resolved_steps, training_steps
from onecycle_cli.workbench.steps_together import steps_together

if TYPE_CHECKING:
    from onecycle_cli.workbench.bench import Workbench


def write_config(run: RunFolder, bench: Workbench, values: Values, **found: Any) -> dict[str, Any]:
    """Write the configuration into the folder, and return it.

    It has a number for every `auto` that is known, and gives the same run again, whatever
    suggestions and accelerators there are by then.

    Args:
        run: the folder.
        bench: what was set up.
        values: those in use.
        **found: values that the experiment has found for what is `auto` in the section `train`.
    """
    config = bench.config
    found = {key: value for key, value in found.items() if getattr(config.train, key) == "auto"}
    train: dict[str, Any] = {"momentum": values.momentum, "weight_decay": values.weight_decay}
    if values.max_lr is not None:
        train["max_lr"] = values.max_lr
    finders: dict[str, dict[str, Any]] = {
        kind.section: {"steps": resolved_steps(bench, kind.section)} for kind in FINDERS.values()
    }
    if config.find_lr.budget == "auto":
        training = training_steps(bench)
        finders["find_lr"]["budget"] = usual_budget(training) / training
    if config.find_wd.values == "auto":
        finders["find_wd"]["values"] = list(USUAL_DECAYS[config.optimizer.decay_kind])
    optimizer = {"decay": config.optimizer.decay_kind, "momentum": values.reference_momentum}
    data = config.with_values(train=train | found, optimizer=optimizer, **finders).model_dump()
    data["jit_compile"] = bench.jit_compile
    data["devices"] = in_use()
    if config.steps_per_execution == "auto":
        data["steps_per_execution"] = steps_together(bench)
    data["fused_batch_norm"] = bench.fusion.is_on
    data["dataset"]["normalise"] = config.dataset.is_normalised
    if bench.objective.task != "other":
        data["task"] = bench.objective.task
    data["loss"] = config.loss.model_dump() | {"name": bench.loss_name}
    header = "# Every value that this run used; onecycle reads it as a config.\n"
    files.write_yaml(run.path / "config.yaml", data, header)
    return data


def manifest_of(config: Config, sources: Mapping[str, str]) -> dict[str, Any]:
    """Return what `manifest.json` says of a run, but for its times and its status.

    Args:
        config: the configuration.
        sources: where the values in use came from, in words; the keys of `train`.
    """
    return {
        "command": sys.argv,
        "versions": versions(),
        "git_commit": _git_commit(),
        "seed": config.seed,
        "threads": os.cpu_count(),
        "backend": name_of_backend(),
        "devices": in_use(),
        "precision": config.precision,
        "memory_kept": is_memory_kept(),
        "origins": {key: config.origin(key) for key in config.leaves()}
        | {f"train.{k}": v for k, v in sources.items()},
    }


def _git_commit() -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    try:
        found = subprocess.run(
            [git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
