"""What is asked for: an experiment to start, or one to resume; checked without Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.config import Config, load_config
from onecycle_cli.engine.devices.processes import processes, refuse_several
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.asked.backend import on_its_backend
from onecycle_cli.experiments.asked.carried_over import check_found, check_rate
from onecycle_cli.experiments.asked.in_hand import Given
from onecycle_cli.experiments.asked.installed import check_installed
from onecycle_cli.experiments.asked.resume import Resume, epochs_asked_for, where_asked
from onecycle_cli.experiments.hyper_parameters.gathering import gather, suggestions_on_file
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.kinds import TRAIN, Kind
from onecycle_cli.observer import Observer
from onecycle_cli.runs import finding
from onecycle_cli.runs.folders.writable import check_writable
from onecycle_cli.runs.stores.unfinished import here
from onecycle_cli.runs.stores.urls import local, url_of

if TYPE_CHECKING:
    from onecycle_cli.workbench.subjects.in_hand import InHand

Source = str | Path | Mapping[str, Any] | Config
"""What a configuration is made of: a path, a mapping, or a `Config`."""


@dataclass(frozen=True)
class Request:
    """An experiment that is asked for.

    Attributes:
        kind: of the experiment.
        config: its configuration; that of the run, if one is resumed.
        out: the folder of runs; `None` keeps nothing.
        folder: of the run to resume; `None` starts a new one.
        then: what that run was started with.
        epochs: those asked for, of each cycle, where they are others than the run's.
        in_hand: the model and its data; `None` where the configuration names them.
        found: the learning rate that a finder's result gave, with its conditions.
        force: whether a learning rate is used that was found for another matter.
    """

    kind: Kind
    config: Config
    out: Path | None = None
    folder: Path | None = None
    then: Resume | None = None
    epochs: list[int] | None = None
    in_hand: InHand | None = None
    found: Mapping[str, Any] | None = None
    force: bool = False

    @classmethod
    def of_call(
        cls,
        kind: Kind,
        given: Given,
        *,
        resume: str | Path | None = None,
        force: bool = False,
    ) -> Request:
        """Return the request that a call from Python makes, if it can be met; see `of`."""
        request = cls.of(kind, given.config, out=given.out, resume=resume, force=force)
        in_hand = given.in_hand(to_be_trained=kind is TRAIN)
        return replace(request, in_hand=in_hand, found=given.found_rate)

    @classmethod
    def of(
        cls,
        kind: Kind,
        config: Source | None,
        *,
        out: str | Path | None,
        resume: str | Path | None = None,
        force: bool = False,
    ) -> Request:
        """Return the request that these arguments of an experiment make, if it can be met.

        Args:
            kind: of the experiment.
            config: may be `None` with `resume`, and must otherwise agree with what the run was
                started with.
            out: the folder for runs; `None` keeps nothing. With `resume` it is where the run is.
            resume: a run that broke off, as `finding.find_unfinished` takes it.
            force: use a learning rate that was suggested for another optimizer, model or data set.

        Raises:
            OnecycleError: when the configuration is wrong, lacks a learning rate, or is not that
                of the run; when its learning rate is of another kind; or when there is no such run.
        """
        asked = None if config is None else load_config(config)
        if resume is not None:
            request = cls.to_resume(
                kind, finding.find_unfinished(here(resume, kind.name), kind.name)
            )
            request = request if asked is None else request.asking(asked)
            check_installed(request.config, searches=kind is not TRAIN)
            return request
        if asked is None:
            raise ConfigError("a config is needed, unless a run is resumed.")
        check_installed(asked, searches=kind is not TRAIN)
        place = None if out is None else local(out).absolute()
        _refuse_store_to_several(place)
        if place is not None and processes().is_chief:
            check_writable(place / asked.name / kind.name)
        request = cls(kind, asked, place, force=force)
        suggestions = suggestions_on_file(asked, request.out)
        values = gather(asked, None, Observer(), conditions={}, suggestions=suggestions)
        check_rates(kind, values, asked)
        check_rate(kind.name, asked, suggestions, force=force)
        return request

    @classmethod
    def to_resume(cls, kind: Kind, folder: Path) -> Request:
        """Return the request to resume the run in a folder.

        Raises:
            ResultError: when what it was started with is damaged.
            ConfigError: when it was started on another backend.
        """
        _refuse_store_to_several(folder)
        then = Resume.read(folder)
        return cls(kind, on_its_backend(folder, then.config), folder.parents[2], folder, then)

    def check_adopted(self, config: Config) -> None:
        """Refuse a learning rate of another matter, once the optimizer of the model is known.

        Args:
            config: with the optimizer of a model that comes compiled.

        Raises:
            ConfigError: when it is of another kind, naming the difference.
        """
        if self.found is not None and not self.force:
            check_found(self.found, config, is_adopted=True)
        suggestions = suggestions_on_file(config, self.out)
        check_rate(self.kind.name, config, suggestions, force=self.force, is_adopted=True)

    def asking(self, config: Config) -> Request:
        """Return this request to resume, with what may be asked for anew.

        These are the epochs, the devices, the engine of searches, and trackers.

        Raises:
            ConfigError: when it differs in anything else from what the run was started with.
        """
        if self.folder is None:
            raise ValueError("there is no run to resume.")
        epochs = epochs_asked_for(self.folder, self.config, config)
        return replace(self.where(config), epochs=epochs)

    def where(self, config: Config) -> Request:
        """Return this request with the devices, the engine and the trackers of a configuration."""
        return replace(self, config=where_asked(self.config, config))


def check_rates(kind: Kind, values: Values, config: Config) -> None:
    """Refuse to start where a learning rate is needed and none is known.

    Raises:
        ConfigError: naming the command that finds one.
    """
    if kind is TRAIN:
        values.cycle_rates(config)
    elif kind.compares:
        values.known_max_lr(config)


def _refuse_store_to_several(folder: Path | None) -> None:
    """Refuse a folder that stands for an object store, where several processes train together."""
    if folder is not None and url_of(folder) is not None:
        refuse_several("writing runs to an object store")
