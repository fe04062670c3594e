"""`onecycle evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from onecycle_cli.commands.console.as_json import answer, print_json
from onecycle_cli.commands.console.ending import columns, number, presented, table
from onecycle_cli.commands.console.new_file import check_is_new
from onecycle_cli.commands.console.options import NoProgress, Quiet, Set, Verbose, path_here
from onecycle_cli.commands.console.progress.watching import watching
from onecycle_cli.commands.console.rows import score_rows
from onecycle_cli.commands.console.usage import completion
from onecycle_cli.engine.devices.processes import refuse_several

if TYPE_CHECKING:
    from onecycle_cli.experiments.evaluation.evaluate import Evaluation
    from onecycle_cli.workbench.scoring.scored import Part

_PARTS = ("test", "validation")
_MOST_CLASSES, _WORST = 100, 20


def evaluate_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Folder or URL of a training, or one above it.",
            autocompletion=completion.runs,
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="CONFIG",
            help="Evaluate on the data of this config.",
            autocompletion=completion.configs,
        ),
    ] = None,
    part: Annotated[
        str, typer.Option("--part", metavar="PART", help="Part of the data: test or validation.")
    ] = _PARTS[0],
    best: Annotated[
        bool, typer.Option("--best", help="Evaluate the best model, best.keras, not the last one.")
    ] = False,
    overrides: Set = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON to stdout.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Also write the JSON to this new file.", parser=path_here
        ),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
) -> None:
    """Evaluate the model of a training again: on its test set, or on other data.

    RUN is the folder of a training, or one above it, for the newest training inside. Shows the
    accuracy, the loss, and the accuracy of each class. Writes nothing, except with --out. Other
    data are prepared in the same way as those of the training. --set overrides values of the
    config that --data names, or else of the run's config.
    """
    with presented(verbose):
        refuse_several("onecycle evaluate")
        _check(part, out)
        from onecycle_cli.config import load_config
        from onecycle_cli.engine.backends.choice import with_backend
        from onecycle_cli.experiments.evaluation.saved_training import find_training
        from onecycle_cli.runs import records

        saved = find_training(run, best=best)
        changes = overrides or []
        source = saved.config(changes) if data is None else load_config(data, changes)
        with watching(quiet=quiet, progress=not no_progress) as observer:
            with_backend(source if data is None else saved.settings, observer)
            from onecycle_cli.experiments.evaluation.evaluate import evaluate

            asked = cast("Part", part)
            evaluation = evaluate(saved, config=source, part=asked, observer=observer)
        found = evaluation.as_dict()
        if out is not None:
            records.write_result(out, answer("evaluate", found), matrix=_matrix_of(out).name)
        if as_json:
            print_json("evaluate", records.without_large_confusion(found)[0])
        else:
            _show(evaluation, found, out)


def _check(part: str, out: Path | None) -> None:
    from onecycle_cli.errors import ConfigError, did_you_mean
    from onecycle_cli.runs.folders.writable import check_writable

    if part not in _PARTS:
        raise ConfigError(
            f"--part: must be test or validation; got '{part}'{did_you_mean(part, list(_PARTS))}"
        )
    if out is not None:
        check_is_new(out, _matrix_of(out))
        check_writable(out.parent)


def _matrix_of(out: Path) -> Path:
    """Return where the confusion matrix goes, if it is too large for the JSON file."""
    return out.with_name(f"{out.stem}-confusion.npz")


def _show(evaluation: Evaluation, found: dict[str, Any], out: Path | None) -> None:
    rows = [
        ("model", found["model"]),
        ("data", f"{found['part']} part of {found['dataset']}, {found['examples']} examples"),
    ]
    if found["accuracy"] is not None:
        rows.append(("accuracy", f"{found['accuracy']:.2%}"))
    rows += score_rows(found["scores"])
    rows.append(("loss", number(found["loss"])))
    table([*rows, *([("saved in", str(out))] if out else [])])
    if "per_class" in found:
        typer.echo()
        if len(found["per_class"]) > _MOST_CLASSES:
            typer.echo(f"the {_WORST} classes with the lowest accuracy; --json has them all")
        columns(_class_rows(evaluation, found))


def _class_rows(evaluation: Evaluation, found: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return for each class how many are right, and what it is most often taken for.

    Of many classes, those of the lowest accuracy.
    """
    names = evaluation.dataset.classes or ()
    shown = list(enumerate(found["per_class"]))
    if len(shown) > _MOST_CLASSES:
        judged = [(i, entry) for i, entry in shown if entry["accuracy"] is not None]
        shown = sorted(judged, key=lambda pair: pair[1]["accuracy"])[:_WORST]
    rows: list[tuple[str, ...]] = [("class", "examples", "accuracy", "most often taken for")]
    for i, entry in shown:
        wrong = [0 if j == i else count for j, count in enumerate(found["confusion"][i])]
        most = max(wrong)
        mistaken = f"{names[wrong.index(most)]} ({most})" if most else ""
        share = "none" if entry["accuracy"] is None else f"{entry['accuracy']:.2%}"
        rows.append((entry["class"], str(entry["examples"]), share, mistaken))
    return rows
