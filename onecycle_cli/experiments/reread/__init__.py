"""Suggestions computed again from saved runs, without Keras."""

from onecycle_cli.experiments.reread.again import suggest_again
from onecycle_cli.experiments.reread.suggested import SuggestedAgain
from onecycle_cli.experiments.reread.writing import write_suggestion

__all__ = ["SuggestedAgain", "suggest_again", "write_suggestion"]
