"""A model of this package on random images of 32x32, for what does not depend on what they show."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def workbench_on_random_images(examples: int, settings: Mapping[str, Any]) -> Iterator[Any]:
    """Give a model and so many images of ten classes, as a config with these settings has them."""
    from onecycle_cli.config import load_config
    from onecycle_cli.engine.start import start_keras

    start_keras()
    import numpy as np

    from onecycle_cli.experiments.session import workbench
    from onecycle_cli.observer import Observer

    x = np.random.default_rng(0).integers(0, 256, (examples, 32, 32, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "arrays.npz"
        np.savez(arrays, x_train=x, y_train=np.arange(examples) % 10)
        config = {**settings, "dataset": {"name": "arrays", "path": str(arrays)}}
        with workbench(load_config(config), Observer()) as bench:
            yield bench
