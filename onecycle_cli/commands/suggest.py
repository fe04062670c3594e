"""`onecycle suggest`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.candidates import candidate_texts
from onecycle_cli.commands.console.ending import REFUSED, number, presented, table
from onecycle_cli.commands.console.options import Verbose
from onecycle_cli.commands.console.rows import value_rows, verdict_rows
from onecycle_cli.commands.console.usage import completion

if TYPE_CHECKING:
    from onecycle_cli.experiments.reread import SuggestedAgain
    from onecycle_cli.suggest import Landmarks, Suggestion


def suggest_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Folders or URLs of runs, or of an experiment, for its newest range test.",
            autocompletion=completion.runs,
        ),
    ],
    rule: Annotated[
        str | None,
        typer.Option(
            "--rule",
            metavar="NAME",
            help="Use this rule: middle (the default), rebound/2, steep, valley, slide, "
            "minimum/10, minimum, or your own as file.py:function.",
        ),
    ] = None,
    smooth: Annotated[
        float | None,
        typer.Option(
            "--smooth",
            metavar="WIDTH",
            help="Width of the smoothing kernel in ln(lr); default 0.35, or less if the curve "
            "spans less than three decades.",
        ),
    ] = None,
    skip_begin: Annotated[
        int | None,
        typer.Option(
            "--skip-begin",
            metavar="POINTS",
            min=0,
            help="Leave out this many points at the beginning of each curve; default: as the run.",
        ),
    ] = None,
    skip_end: Annotated[
        int | None,
        typer.Option(
            "--skip-end",
            metavar="POINTS",
            min=0,
            help="Leave out this many points at the end of each curve; default: as the run.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON for each run.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Put the value into the experiment's suggestions.yaml.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Compute the suggestion of saved runs again, from their raw losses.

    RUN is the folder of a run of find-lr, find-momentum or find-wd; or the folder of an experiment,
    for its newest range test; or a folder of keras-one-cycle with lrs.npy and losses.npy. For range
    tests, shows the answer of every rule, and the points of each curve that the rules use. Writes
    nothing, except with --write. Needs no Keras.
    """
    with presented(verbose):
        _check(runs, rule, smooth, write=write)
        from onecycle_cli.experiments.reread import suggest_again, write_suggestion
        from onecycle_cli.runs.finding import each_once

        found = [
            suggest_again(
                run, rule=rule, bandwidth=smooth, skip_begin=skip_begin, skip_end=skip_end
            )
            for run in each_once(runs)
        ]
        for index, again in enumerate(found):
            written = write_suggestion(again) if write else None
            if as_json:
                print_json("suggest", again.as_dict())
                continue
            if index:
                typer.echo()
            rows = _rows(again)
            if written is not None and again.suggestion.accepted:
                rows.append(("written to", str(written)))
            table(rows)
    if not all(again.suggestion.accepted for again in found):
        raise typer.Exit(REFUSED)


def _check(runs: Sequence[str], rule: str | None, smooth: float | None, *, write: bool) -> None:
    from onecycle_cli.errors import ConfigError, did_you_mean
    from onecycle_cli.plugin_names import OWN, names_a_file
    from onecycle_cli.runs.stores.urls import is_url
    from onecycle_cli.suggest import RULES, present_name

    if rule is not None and present_name(rule) not in RULES and not names_a_file(rule):
        near = did_you_mean(rule, [*RULES, OWN])
        raise ConfigError(f"--rule: there is no rule '{rule}'{near}")
    if smooth is not None and not (smooth > 0 and math.isfinite(smooth)):
        raise ConfigError(
            f"--smooth: must be a number above 0, the kernel's width in ln(lr); got {smooth:g}."
        )
    if write and any(map(is_url, runs)):
        raise ConfigError(
            "--write is for runs in a folder; a suggestion in an object store is written by its "
            "finder, or by you, in suggestions.yaml there."
        )
    if write and len(runs) > 1:
        raise ConfigError("--write takes one run: one value goes into suggestions.yaml.")


def _rows(again: SuggestedAgain) -> list[tuple[str, str]]:
    from onecycle_cli.runs.stores.urls import address

    found = again.suggestion
    rows = [("run", address(again.folder))]
    if found.accepted:
        rows.append((again.key, _valued(found)))
    if again.min_lr is not None:
        rows.append(("min_lr", number(again.min_lr)))
    rows += verdict_rows(found)
    if again.not_recomputed:
        rows.append(("as saved", f"it can't be computed again: {again.not_recomputed}"))
    rows += [*_range_test_rows(again), *_comparison_rows(again)]
    if again.saved is not None and not again.not_recomputed:
        rows.append(("saved", f"{_valued(again.saved)}, {again.saved.verdict}"))
    return rows


def _range_test_rows(again: SuggestedAgain) -> list[tuple[str, str]]:
    from onecycle_cli.suggest import RULES

    findings = again.findings
    if findings is None:
        return []
    rows = [
        ("smoothing", f"{again.bandwidth:.3g} in ln(lr)"),
        *_skipped_row(again),
        ("each rule", f"median of {len(findings.landmarks)} range tests"),
    ]
    rows += [
        (f"  {name}", f"{_short(value):<10}{RULES[name].about}")
        for name, value in findings.rules.items()
    ]
    rows.append(("landmarks", _landmark_names()))
    return rows + [
        (f"  repeat {i}", _landmark_values(marks)) for i, marks in enumerate(findings.landmarks)
    ]


def _skipped_row(again: SuggestedAgain) -> list[tuple[str, str]]:
    if not (again.skip_begin or again.skip_end):
        return []
    return [("left out", f"the first {again.skip_begin} and the last {again.skip_end} points")]


def _comparison_rows(again: SuggestedAgain) -> list[tuple[str, str]]:
    from onecycle_cli.suggest import rank

    try:
        return value_rows(candidate_texts(*rank(*(again.rounds or [{}]))))
    except ValueError:  # all diverged, as the reason says
        return []


def _landmark_names() -> str:
    from onecycle_cli.suggest import Landmarks

    return "".join(f"{mark.name:<10}" for mark in fields(Landmarks)).rstrip()


def _landmark_values(marks: Landmarks) -> str:
    return "".join(f"{_short(value):<10}" for value in asdict(marks).values()).rstrip()


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _valued(found: Suggestion) -> str:
    if found.value is None:
        return "none"
    from onecycle_cli.experiments.hyper_parameters.values import in_words

    text = in_words(found.value) if isinstance(found.value, dict) else number(found.value)
    if found.interval is None:
        return text
    low, high = found.interval
    return f"{text} ({low:.3g} to {high:.3g})"
