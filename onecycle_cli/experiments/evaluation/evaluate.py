"""A saved model on data of one's choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import plotting
from onecycle_cli.config import Config, DatasetConfig, load_config, source_of
from onecycle_cli.data import Dataset, EvaluationBatches
from onecycle_cli.data.statistics import measured
from onecycle_cli.data.target_scale import TargetScale
from onecycle_cli.engine.devices.processes import refuse_several
from onecycle_cli.engine.repeatable import make_repeatable
from onecycle_cli.engine.start import start_keras
from onecycle_cli.errors import DataError, ModelError, cause_of
from onecycle_cli.experiments.asked.watching import Progress, watching
from onecycle_cli.experiments.evaluation.inputs import inputs_of, prepared_as, targets_of
from onecycle_cli.experiments.evaluation.saved_training import SavedTraining, find_training
from onecycle_cli.observer import Observer
from onecycle_cli.registry.model_shapes import input_shape_of, takes
from onecycle_cli.runs.records import Record
from onecycle_cli.runs.stores.urls import address
from onecycle_cli.shown import Facts, Shown
from onecycle_cli.workbench.fitness import first_outputs
from onecycle_cli.workbench.loading import load_data
from onecycle_cli.workbench.scoring.compiled import objective_of_compiled
from onecycle_cli.workbench.scoring.examination import Examination, by_class, examine
from onecycle_cli.workbench.scoring.objective import Objective, objective_of
from onecycle_cli.workbench.scoring.scored import Part, Scored, chosen
from onecycle_cli.workbench.split_file import Split
from onecycle_cli.workbench.subjects.adoption import COMPILED


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """How a saved model does.

    Attributes:
        model: the file it was loaded from.
        dataset: the data; their inputs are prepared as those of the training were.
        part: `test` or `validation`.
        examined: losses and confusion.
        seen: how many of the examples have inputs that the model was trained on too; `None` where
            that is not on record.
    """

    model: Path
    dataset: Dataset
    part: Part
    examined: Examination
    seen: int | None = None

    def _sentence(self) -> str:
        accuracy = self.examined.accuracy
        right = "" if accuracy is None else f"accuracy {accuracy:.2%}, "
        count = len(self.examined.losses)
        return f"On {count} examples ({self.part}): {right}loss {self.examined.loss:.4g}."

    def _facts(self) -> Facts:
        accuracy = self.examined.accuracy
        yield "model", self.model
        yield "data", f"{self.dataset.name}, {self.part}, {len(self.examined.losses)} examples"
        yield "accuracy", None if accuracy is None else f"{accuracy:.2%}"
        yield "loss", f"{self.examined.loss:.4g}"
        yield "seen in training", self.seen

    def _picture(self) -> bytes | None:
        if self.examined.confusion is None or self.part != "test":
            return None
        record = Record("train", f"{self.dataset.name}, {self.part}", self.as_dict())
        return plotting.png(plotting.draw_confusion(record))

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "kind": "evaluate",
            "model": address(self.model),
            "dataset": self.dataset.name,
            "origin": self.dataset.origin,
            "part": self.part,
            "examples": len(self.examined.losses),
            "seen_in_training": self.seen,
            "accuracy": self.examined.accuracy,
            "loss": self.examined.loss,
            "scores": self.examined.scores,
            **by_class(self.examined, self.dataset.classes),
        }


def evaluate(
    run: str | Path | SavedTraining,
    *,
    config: str | Path | Mapping[str, Any] | Config | None = None,
    part: Part = "test",
    best: bool = False,
    observer: Observer | None = None,
    progress: Progress = "auto",
) -> Evaluation:
    """Evaluate the model of a training, with the batch size and the loss of that training.

    Args:
        run: the folder of a training, or one above it for the newest inside.
        config: whose data to take; the training's own if not given.
        part: which part of the data.
        best: take the model of the best validation score, instead of the last one.
        observer: hears of downloads and warnings, in place of what shows them.
        progress: show them; `"auto"`: in a notebook and on a terminal.

    Raises:
        ConfigError: when a configuration is not valid, or several processes are to do it.
        ResultError: when there is no such training.
        DataError: when the data are missing, damaged, or unlike those of the training; when
            examples that the model was trained on would be scored.
        ModelError: when the model can't be loaded, or does not fit the data.
    """
    refuse_several("onecycle evaluate")
    observer = watching(observer, progress)
    saved = run if isinstance(run, SavedTraining) else find_training(run, best=best)
    source = saved.config() if config is None else load_config(config)
    make_repeatable(saved.settings.seed)
    model = _load(saved.model, compiled=saved.settings.loss.name == COMPILED)
    split = Split.read(saved.folder)
    dataset = _dataset(saved, split, source, observer)
    if dataset.stream is not None:
        raise DataError(
            f"{dataset.origin}: gives a pipeline, and evaluate needs examples; use load_model and "
            f"model.evaluate in Python."
        )
    _check_fits(saved, model, dataset)
    _warn_of_names(saved, dataset, observer)
    scored = chosen(split, dataset, part)
    batches = EvaluationBatches(
        dataset, scored.rows, batch_size=saved.settings.batch_size, examples=scored.examples
    )
    flip = saved.settings.train.flip_evaluation and dataset.is_image
    examined = examine(model, batches, _objective(saved, model, dataset), flip=flip)
    for warning in scored.warnings:
        observer.warn(warning)
    _warn_of_use(saved, source, part, scored, observer)
    return Evaluation(saved.model, dataset, part, examined, scored.seen)


def _objective(saved: SavedTraining, model: Any, dataset: Dataset) -> Objective:
    """Return what the model has learned."""
    if saved.settings.loss.name != COMPILED:
        return objective_of(saved.settings, dataset)
    outputs = first_outputs(model, saved.settings, dataset)
    objective = objective_of_compiled(model, outputs, dataset.y[dataset.train[:1]])
    if objective.task == "other":
        raise ModelError(
            f"{saved.model}: was compiled with a loss that is none of Keras' own for one output; "
            f"evaluate it in Python, by load_model and model.evaluate."
        )
    return objective


def _load(path: Path, *, compiled: bool = False) -> Any:
    try:
        return start_keras().models.load_model(path, compile=compiled, safe_mode=True)
    except Exception as error:  # what a damaged file, or one of foreign layers, raises is manifold
        raise ModelError(
            f"{path}: cannot be loaded by Keras, which takes no code from a file: "
            f"{cause_of(error)[:300]}"
        ) from error


def _dataset(
    saved: SavedTraining, split: Split | None, source: Config, observer: Observer
) -> Dataset:
    """Load the data, and have inputs and targets prepared as those of the training were."""
    if saved.data.get("size") and saved.data.get("name") == source.dataset.name:
        resized = {key: value for key, value in saved.data.items() if key in ("size", "fit")}
        source = source.with_values(dataset=resized)
    dataset = load_data(source, observer, saved.settings.meant_task)
    if saved.inputs:
        return prepared_as(dataset, saved.inputs, saved.targets)
    own = saved.config()
    trained_on = dataset if own == source else load_data(own, observer)
    if split is not None and (own.dataset.is_normalised or own.dataset.standardise_targets):
        trained_on = _measured_anew(trained_on, split, saved.folder, own.dataset)
    return prepared_as(dataset, inputs_of(trained_on), targets_of(trained_on))


def _measured_anew(dataset: Dataset, split: Split, folder: Path, asked: DatasetConfig) -> Dataset:
    """Return the data of a run that broke off, with mean and deviation of what it trained on."""
    rows = split.rows(split.train, dataset)
    missing = len(split.train) - len(rows)
    if missing:
        raise DataError(
            f"{dataset.origin}: {missing} of the {len(split.train)} examples that {folder} was "
            f"trained on are not there any more, or have changed, and a run that broke off has "
            f"not kept their mean and deviation; put the old data back."
        )
    mean, std = measured(dataset.x, rows, normalise=asked.is_normalised)
    scale = TargetScale.of(dataset.y, rows) if asked.standardise_targets else None
    return replace(dataset, mean=mean, std=std, target_scale=scale)


def _check_fits(saved: SavedTraining, model: Any, dataset: Dataset) -> None:
    """Refuse data of another kind, shape or number of classes than the model was made for."""
    taken = input_shape_of(model, dataset.input_shape)
    if not takes(taken, dataset.input_shape):
        raise DataError(
            f"{dataset.origin}: has inputs of the shape {_by(dataset.input_shape)}, and "
            f"{saved.model} takes {_by(taken, batched=1)}; give data like those it was trained on."
        )
    outputs = model.output_shape[-1]
    if outputs != dataset.num_outputs:
        raise DataError(
            f"{dataset.origin}: has {dataset.num_outputs} "
            f"{'targets' if dataset.classes is None else 'classes'}, and {saved.model} knows "
            f"{outputs}; give data like those it was trained on."
        )


def _by(shapes: Any, batched: int = 0) -> str:
    """Return the shape of one input, or of several, in words; without so many leading axes."""
    inner = shapes.values() if isinstance(shapes, Mapping) else shapes
    if any(isinstance(part, tuple | list | Mapping) for part in inner):
        return ", ".join(_by(part, batched) for part in inner)
    return "x".join("?" if length is None else str(length) for length in shapes[batched:])


def _warn_of_names(saved: SavedTraining, dataset: Dataset, observer: Observer) -> None:
    if saved.classes and dataset.classes and saved.classes != dataset.classes:
        observer.warn(
            f"the classes of {dataset.name} have other names than those that the model was trained "
            f"on; they are matched by their order."
        )


def _warn_of_use(
    saved: SavedTraining, source: Config, part: Part, scored: Scored, observer: Observer
) -> None:
    """Say what the score is not, where the examples may have been seen before."""
    same_data = saved.data.get("name") == source.dataset.name
    same_place = same_data and all(
        saved.data.get(key) == getattr(source.dataset, key) for key in ("path", part)
    )
    given = same_data and source_of(source.dataset.name).has_test_set and part == "test"
    draw = ("limit", "validation_fraction", "validation_rows")
    draws = (source.seed, *(getattr(source.dataset, key) for key in draw))
    drawn = (saved.settings.seed, *(saved.data.get(key) for key in draw))
    if scored.seen is None and same_place and draws != drawn and not given:
        observer.warn(
            "these data are split in another way than for the training, which may have used some "
            "of these examples: the score is too good."
        )
    elif part == "test" and (scored.is_own or same_place or given):
        observer.note(
            "the test set has now been looked at again: whatever is chosen by this score is not "
            "tested by it any more."
        )
