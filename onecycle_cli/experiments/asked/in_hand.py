"""A model and data that are in hand in Python, as an experiment takes them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

from onecycle_cli.config import IN_MEMORY, Config
from onecycle_cli.errors import ConfigError, DataError, ModelError
from onecycle_cli.experiments.asked.fit_arguments import FitArguments, config_for

if TYPE_CHECKING:
    import keras

    from onecycle_cli.data import Dataset
    from onecycle_cli.workbench.subjects.in_hand import InHand

WHERE_USUAL: Final = "runs for a configuration, nowhere for a model"
"""Where a run is written if nobody says: in the folder `runs`, or not at all."""


@dataclass(frozen=True)
class Given:
    """What a function of an experiment was called with.

    Attributes:
        config: what it is to do; None on resuming without one.
        out: where runs are written; None: nowhere.
        model: the model in hand; None where the configuration names one.
        x: its inputs.
        y: its targets.
        fit: what goes with them.
    """

    config: Any
    out: str | Path | None
    model: Any = None
    x: Any = None
    y: Any = None
    fit: FitArguments | None = None

    @property
    def found_rate(self) -> dict[str, Any] | None:
        """The learning rate of a finder's result, with its conditions; None of anything else."""
        record = getattr((self.fit or {}).get("max_lr"), "record", None)
        return (
            None
            if record is None
            else record.result["suggestion"] | {"conditions": record.result.get("conditions")}
        )

    def in_hand(self, *, to_be_trained: bool) -> InHand | None:
        """Return model and data; None where the configuration names them.

        Raises:
            DataError: when the data do not fit each other.
        """
        if self.model is None or self.fit is None:
            return None
        from onecycle_cli.data.sources.memory import dataset_in_hand
        from onecycle_cli.workbench.subjects.in_hand import InHand, ModelInHand

        fit = self.fit
        if _is_stream(self.x):
            return InHand(ModelInHand(self.model), self._stream(self.fit), to_be_trained)
        dataset = dataset_in_hand(
            self.x,
            self.y,
            name=IN_MEMORY,
            sample_weight=fit.get("sample_weight"),
            class_weight=fit.get("class_weight"),
            validation_data=fit.get("validation_data"),
            validation_fraction=fit.get("validation_split", 0.1),
            groups=fit.get("groups"),
            seed=fit.get("seed", 0),
        )
        return InHand(ModelInHand(self.model), dataset, to_be_trained)

    def _stream(self, fit: FitArguments) -> Dataset:
        from onecycle_cli.data.sources.memory import stream_in_hand

        not_for_it = ("sample_weight", "class_weight", "validation_split", "groups")
        useless: list[str] = [key for key in not_for_it if key in fit]
        useless += ["y"] * (self.y is not None)
        if useless:
            raise DataError(
                f"{useless[0]} can't be given where x is a pipeline; let x give (x, y) or "
                f"(x, y, sample_weight), and give validation_data as another one."
            )
        dataset = stream_in_hand(
            self.x,
            name=IN_MEMORY,
            validation_data=fit.get("validation_data"),
            steps=fit.get("steps_per_epoch"),
            validation_steps=fit.get("validation_steps"),
        )
        asked, size = fit.get("batch_size", len(dataset)), len(dataset)
        if asked != size:
            raise DataError(
                f"batch_size {asked} would change nothing where x is a pipeline, which gives "
                f"batches of {size}; leave it out, and let x give batches of the size you want."
            )
        return dataset


def given(
    config: Any, x: Any, y: Any, out: str | Path | None, **fit: Unpack[FitArguments]
) -> Given:
    """Sort out what a function was called with: a configuration, or a model with its data.

    Raises:
        ConfigError: when arguments of the one go with the other.
        ModelError: when the model is not built or not compiled.
    """
    if _is_model(config):
        if x is None:
            raise ConfigError(
                "a model needs the data to train it with: call this with the model, the inputs and "
                "the targets, as in find_lr(model, x, y)."
            )
        _check_model(config)
        if y is None and not _is_stream(x) and _needs_targets(config):
            raise DataError(
                "y is missing: the model is compiled with a loss, which compares what the model "
                "answers with targets; call this with the model, the inputs and the targets."
            )
        out = None if out == WHERE_USUAL else out
        asked = config_for(config, fit)
        if asked.train.log_to and out is None:
            raise ConfigError(
                "settings: train.log_to is for a run that is kept; say where, such as out='runs'."
            )
        return Given(asked, out, config, x, y, fit)
    if x is not None or y is not None or fit:
        more = ", ".join(["x"] * (x is not None) + ["y"] * (y is not None) + list(fit))
        got = "" if config is None else f"; the first argument is {_kind(config)}"
        raise ConfigError(
            f"{more} can be given with a compiled keras.Model only, as in find_lr(model, x, y)"
            f"{got}."
        )
    return Given(config, "runs" if out == WHERE_USUAL else out)


def _is_stream(x: Any) -> bool:
    from onecycle_cli.data.batches.stream import is_stream

    return is_stream(x)


def _is_model(candidate: Any) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(candidate, keras.Model)


def _needs_targets(model: keras.Model) -> bool:
    """Tell whether Keras itself compares outputs with targets in this model's training."""
    from onecycle_cli.workbench.scoring.compiled import has_own_loss, has_own_step

    return not (model.loss is None or has_own_loss(model) or has_own_step(model))


def _kind(given: Any) -> str:
    is_config = isinstance(given, str | Path | Mapping | Config)
    return "a config" if is_config else f"of type {type(given).__name__}"


def _check_model(model: keras.Model) -> None:
    if not model.compiled:
        raise ModelError("the model is not compiled; call model.compile(optimizer, loss) first.")
    if not model.built:
        raise ModelError(
            "the model is not built, so it has no weights yet; start it with keras.Input(shape), "
            "or call it once with a batch."
        )
