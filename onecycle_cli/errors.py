"""What can go wrong, as a tree; the command line catches the root once and prints one sentence.

OnecycleError           exit code 1
├── ConfigError         exit code 2: a configuration (or an option) that breaks a rule
├── DataError           a data set that is missing, damaged or does not fit
├── ModelError          a model that cannot be built or does not fit the data
├── OptimizerError      a hyper-parameter that cannot be scheduled on this optimizer
├── ArgumentError       an argument in Python that breaks a rule; a ValueError, too
├── PluginError         code of one's own, such as a shape, that fails or answers what won't do
├── TrainingError       a training run that cannot go on
├── ProcessError        exit code 4: one of several processes is lost, and the run can be resumed
└── ResultError         a result that cannot be read or written
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

_LISTED = 20
_FEW = 3
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def cause_of(error: BaseException) -> str:
    """Return the kind and the message of an exception in one line, as part of a sentence."""
    try:
        message = str(error)
    except Exception:  # of somebody else's making
        message = ""
    text = " ".join(_COLOURS.sub("", _gist(message)).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _gist(message: str) -> str:
    """Leave out of a message of Keras where it arose and what it was called with.

    TensorFlow begins with the stack of its graph, and says what happened in the last line.
    """
    message = message.partition("Arguments received by")[0]
    first, *lines = message.splitlines() or [""]
    if not first.startswith("Graph execution error"):
        return message
    said = [line for line in lines if re.match(r"(?!File |Detected at|\[\[|<)\S", line)]
    return said[-1].partition("[[{{")[0] if said else message


class OnecycleError(Exception):
    """A failure that a user can act on; its text is one clear sentence."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows: the sentence alone; where it arose would bury it."""
        notes = getattr(self, "__notes__", [])
        return [f"{type(self).__name__}: {self}", *notes]


class ConfigError(OnecycleError):
    """A configuration that breaks a rule: where, which rule, what was given, what to do."""

    exit_code = 2


class DataError(OnecycleError):
    """A data set that is missing, damaged, or does not fit the configuration."""


class ModelError(OnecycleError):
    """A model that cannot be found or built, or whose output does not fit the data."""


class OptimizerError(OnecycleError):
    """A hyper-parameter that cannot be changed on this optimizer, and the way out."""


class ArgumentError(OnecycleError, ValueError):
    """An argument of a callback or a function in Python that breaks a rule."""


class PluginError(OnecycleError, ValueError):
    """A function of one's own that fails, or whose answer cannot be used."""


class TrainingError(OnecycleError):
    """A training run that cannot start or cannot go on."""


class ProcessError(OnecycleError):
    """One of several processes that train together is not there, or not any more."""

    exit_code = 4


class ResultError(OnecycleError):
    """A saved result that cannot be read, or a folder that cannot be written."""


class Terminated(KeyboardInterrupt):
    """SIGTERM; like Ctrl-C it passes through whatever catches an `Exception`."""


def nearest(given: object, known: Sequence[str], likeness: float = 0.6) -> list[str]:
    """Return the names that are probably meant, or none.

    The same name in another form (`BatchSize`); else those that begin with it, or have all its
    words (`float16` for `mixed_float16`), unless they are many; else the one that is spelt most
    like it.

    Args:
        given: what was written.
        known: the names there are.
        likeness: how much alike the spelling must be, from 0 to 1.
    """
    words, beginning = _words(given), str(given).casefold()
    same = [name for name in known if "".join(_words(name)) == "".join(words)]
    if words and same:
        return same[:1]
    longer = [
        name
        for name in known
        if words and (set(words) <= set(_words(name)) or name.casefold().startswith(beginning))
    ]
    if 0 < len(longer) <= _FEW:
        return longer
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(str(given).casefold(), folded, n=1, cutoff=likeness)
    return [folded[name] for name in close]


def meant(names: Sequence[str]) -> str:
    """Return `; did you mean 'a' or 'b'?`."""
    return f"; did you mean {' or '.join(repr(name) for name in names)}?"


def did_you_mean(given: object, known: Sequence[str]) -> str:
    """Return `; did you mean '...'?` for a near miss, else what is known, or some of much."""
    if near := nearest(given, known):
        return meant(near)
    if len(known) > _LISTED:
        known = [*known[:10], "...", *known[-3:], f"{len(known)} in all"]
    return f"; the known ones are {', '.join(known)}."


def _words(name: object) -> list[str]:
    return re.findall(r"[^\W_]+", str(name).casefold())
