"""The command line: one app, one module a command, nothing heavy until a command runs."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import time
from typing import Annotated

import typer

from onecycle_cli.commands.console.answering import Answering
from onecycle_cli.commands.console.usage.app import App
from onecycle_cli.commands.evaluate import evaluate_command
from onecycle_cli.commands.find_lr import find_lr_command
from onecycle_cli.commands.find_momentum import find_momentum_command
from onecycle_cli.commands.find_wd import find_wd_command
from onecycle_cli.commands.helping.check import check_command
from onecycle_cli.commands.helping.doctor import doctor_command
from onecycle_cli.commands.helping.export import export_command
from onecycle_cli.commands.helping.schema import schema_command
from onecycle_cli.commands.init import init_command
from onecycle_cli.commands.list import list_command
from onecycle_cli.commands.plot import plot_command
from onecycle_cli.commands.reading.ls import ls_command
from onecycle_cli.commands.reading.report import report_command
from onecycle_cli.commands.reading.show import show_command
from onecycle_cli.commands.run import run_command
from onecycle_cli.commands.suggest import suggest_command
from onecycle_cli.commands.train import train_command
from onecycle_cli.engine.devices.processes import have_met, processes

_SECONDS_FOR_THE_OTHERS = 3

app = App(
    name="onecycle",
    cls=Answering,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("find-lr")(find_lr_command)
app.command("find-wd")(find_wd_command)
app.command("find-momentum")(find_momentum_command)
app.command("train")(train_command)
app.command("run")(run_command)
app.command("evaluate")(evaluate_command)
app.command("ls")(ls_command)
app.command("show")(show_command)
app.command("suggest")(suggest_command)
app.command("plot")(plot_command)
app.command("report")(report_command)
app.command("export")(export_command)
app.command("check")(check_command)
app.command("doctor")(doctor_command)
app.command("init")(init_command)
app.command("schema")(schema_command)
app.command("list")(list_command)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    from onecycle_cli.engine.backends.choice import name_of_backend
    from onecycle_cli.engine.start import versions

    found = versions()
    backend = name_of_backend()
    typer.echo(
        f"onecycle {found['onecycle']}, Keras {found.get('keras', 'missing')} on {backend} "
        f"{found.get(backend, 'missing')}, Python {found['python']}"
    )
    raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show the versions of onecycle, Keras, its backend and Python.",
        ),
    ] = False,
) -> None:
    """Find the learning rate, momentum and weight decay to train with, then train with them.

    The usual order is find-lr, find-wd, find-momentum, train. Each command uses what the ones
    before it found. 'run' does all four.

    Exit codes: 0 done; 1 failed; 2 bad usage or bad config; 3 a search refuses to suggest a value;
    4 another process is lost; 130 after Ctrl-C; 143 after SIGTERM.
    """


def run() -> None:
    """Run the command line."""
    _spell_out_what_cannot_be_written()
    try:
        app()
    except SystemExit as ending:
        gc.freeze()  # looking for garbage at exit, in all of Keras, would take seconds
        _leave_the_last_word_to_the_command()
        if ending.code and have_met():
            _leave_the_others(ending.code)
        raise


def _leave_the_others(code: str | int) -> None:
    """End at once: JAX would first wait for processes that are gone, and wait for this one.

    The chief goes last, as JAX ends the others when it is gone.
    """
    if processes().is_chief:
        time.sleep(_SECONDS_FOR_THE_OTHERS)
    os._exit(code if isinstance(code, int) else 1)


def _spell_out_what_cannot_be_written() -> None:
    """Let no character that the output's encoding lacks cost the result and the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _leave_the_last_word_to_the_command() -> None:
    """Let native code write nothing to stderr while its threads are ended at exit."""
    with contextlib.suppress(AttributeError, ValueError, OSError):  # there is no stderr
        sys.stderr.flush()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)
