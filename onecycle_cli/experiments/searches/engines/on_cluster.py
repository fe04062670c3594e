"""Trials side by side, on workers of a cluster that each keep a compiled model of their own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.cluster.dispatch import Dispatch
from onecycle_cli.cluster.environment import environment_of_a_worker
from onecycle_cli.cluster.ray_pool import Duty, RayPool, check_installed
from onecycle_cli.config import Config
from onecycle_cli.data import Dataset
from onecycle_cli.data.inputs import arrays_of
from onecycle_cli.data.mapping import is_mapped
from onecycle_cli.engine.backends.choice import name_of_backend
from onecycle_cli.engine.start import versions
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.searches.jobs import Job, Outcome, carry_out
from onecycle_cli.observer import Observer
from onecycle_cli.suggest import STAGE_IN_WORDS
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.loading import hand_over
from onecycle_cli.workbench.subjects.adoption import COMPILED


class OnCluster:
    """Has workers carry trials out; files, plans and the journal stay with this process.

    The cluster is looked for when the first trial is to be run, and its workers stay.

    Args:
        config: what the model was set up with, before it was asked anything.
        bench: the model, whose data the workers get, and which they build anew.
        observer: hears which trials begin and end.
    """

    def __init__(self, config: Config, bench: Workbench, observer: Observer) -> None:
        self._config, self._bench, self._observer = config, bench, observer
        self._pool: RayPool | None = None
        self._dispatch: Dispatch | None = None

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
        """Carry trials out; see `Engine`."""
        if not jobs:
            return
        dispatch = self._dispatch or self._started()
        observer = self._observer
        observer.begin(_in_words(jobs), sum(job.steps for job in jobs))
        for place, outcome in dispatch.run(jobs):
            gave = outcome.gave
            for loss, lr in zip(gave["losses"], gave["lrs"], strict=True):
                observer.advance(loss=loss, lr=lr)
            steps = len(gave["losses"])
            observer.note(f"{jobs[place].title}: {outcome.in_words} after {steps} steps")
            yield place, outcome
        observer.end()

    def close(self) -> None:
        """Let the workers go."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _started(self) -> Dispatch:
        check_installed(self._config)
        search = self._config.search
        environment = environment_of_a_worker(
            os.environ, cpu=search.resources.cpu, backend=name_of_backend()
        )
        config = config_for_workers(self._config, self._bench)
        given = config, data_for_workers(self._bench), versions_that_count()
        duty = Duty(make_bench, given, carry_out_quietly)
        pool = self._pool = RayPool(search, environment, duty)
        self._observer.note(f"trials run on {pool.on}, {pool.size} at once")
        self._dispatch = Dispatch(pool, self._observer)
        return self._dispatch


def config_for_workers(config: Config, bench: Workbench) -> Config:
    """Return a configuration by which a worker trains as the model of this process does.

    It says what was found out here, where the configuration leaves that to the machine.
    """
    found = {"fused_batch_norm": bench.fusion.is_on, "jit_compile": bench.jit_compile}
    if bench.loss_name == COMPILED:  # which brings its own
        del found["jit_compile"]
    return config.model_copy(update=found)


def data_for_workers(bench: Workbench) -> Dataset | None:
    """Return the data as workers get them, without the test set.

    `None` where a worker has to load them by itself: of a pipeline, which no other process can go
    on with, and of arrays in files, which may be larger than the memory of a machine.
    """
    dataset = bench.loaded
    if dataset.stream is not None or any(map(is_mapped, arrays_of(dataset.x))):
        return None
    return replace(dataset, read_test=None)


def versions_that_count() -> dict[str, str]:
    """Return the versions of the packages that train here, of which some are installed only."""
    trains = ("onecycle", "keras", "numpy", name_of_backend())
    return {name: version for name, version in versions().items() if name in trains}


def make_bench(config: Config, dataset: Dataset | None, wanted: Mapping[str, str]) -> Workbench:
    """Build, in a worker, the model that it keeps.

    Args:
        config: of the model.
        dataset: the data; `None`: they are loaded as the configuration says.
        wanted: versions of packages.

    Raises:
        ConfigError: when it has others, since its trials would be compared with those of others.
    """
    here = versions_that_count()
    other = [f"{k} {here.get(k)} and not {wanted[k]}" for k in wanted if here.get(k) != wanted[k]]
    if other:
        raise ConfigError(
            f"a worker has {', '.join(other)}; install the same versions on all machines."
        )
    if dataset is not None:
        hand_over(config, dataset)
    return Workbench(config, Observer())


def carry_out_quietly(bench: Workbench, job: Job) -> Outcome:
    """Carry out a trial in a worker; nobody watches its steps."""
    return carry_out(job, bench, Observer())


def _in_words(jobs: Sequence[Job]) -> str:
    stages = Counter(STAGE_IN_WORDS[job.candidate.stage] for job in jobs)
    tries = " and ".join(f"{count} {stage}" for stage, count in stages.items())
    return f"{tries} tr{'ies' if len(jobs) > 1 else 'y'}"
