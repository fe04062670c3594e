"""`python -m onecycle_cli` is `onecycle`."""

from onecycle_cli.main import run

run()
