"""Whether a model can be written to a file and read again, found out before it is trained."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.engine.layers import every_layer
from onecycle_cli.errors import ModelError, cause_of
from onecycle_cli.observer import Observer
from onecycle_cli.registry.code.containment import contained
from onecycle_cli.workbench.bench import Workbench

_LONGEST = 200


def check_can_be_saved(bench: Workbench, observer: Observer) -> None:
    """Write the model to a file that is thrown away, and say what it takes to load such a file.

    Raises:
        ModelError: when Keras can't write it.
    """
    name = bench.config.model.name
    foreign = _foreign(bench.model)
    if not foreign:
        return
    try:
        with contained(), tempfile.TemporaryDirectory() as folder:
            bench.model.save(Path(folder) / "model.keras")
    except (OSError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise ModelError(
            f"model {name} can't be saved, so it would be trained in vain: "
            f"{_cut(cause_of(error))}; give {', '.join(foreign)} a get_config() that returns the "
            f"arguments of its constructor, or build the model from keras.Input(input_shape)."
        ) from error
    observer.warn(
        f"model.keras is going to hold code that is not Keras' own ({', '.join(foreign)}): "
        f"load_model needs that code, and 'onecycle evaluate' can't load it. A model built by "
        f"{name} takes the weights by its load_weights('model.keras')."
    )


def _foreign(model: Any) -> list[str]:
    """Return the classes in a model that Keras alone can't make again from a file."""
    return sorted({type(x).__name__ for x in every_layer(model) if _is_foreign(x)})


def _is_foreign(layer: Any) -> bool:
    is_keras = type(layer).__module__.partition(".")[0] == "keras"
    return not is_keras or isinstance(layer, keras.layers.Lambda)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} ..."
