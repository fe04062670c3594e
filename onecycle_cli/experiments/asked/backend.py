"""The backend on which a run goes on: the one on which it began, known without Keras."""

from __future__ import annotations

from pathlib import Path

from onecycle_cli.config import Config
from onecycle_cli.engine.backends.choice import BACKENDS, VARIABLE, backend_for
from onecycle_cli.errors import ConfigError
from onecycle_cli.runs import files, run_folder


def on_its_backend(folder: Path, config: Config) -> Config:
    """Return the configuration of a run with the backend that the run was started on.

    Args:
        folder: of the run.
        config: that it was started with.

    Raises:
        ConfigError: when it would go on another backend, and so not to the same bits.
        ResultError: when its manifest can't be read.
    """
    manifest = files.read_json(folder / run_folder.MANIFEST)
    began = manifest.get("backend") if isinstance(manifest, dict) else None
    if began not in BACKENDS:
        return config
    config = config.model_copy(update={"backend": began})
    now = backend_for(config)
    if now != began:
        raise ConfigError(
            f"{folder}: was started on the backend {began}, and Keras is set to {now}, which does "
            f"not come to the same bits; set the environment variable {VARIABLE}={began}, or start "
            f"a new run without --resume."
        )
    return config
