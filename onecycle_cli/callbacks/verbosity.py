"""Whether a callback prints, which is for it and for `fit` to say."""

from __future__ import annotations

from typing import Any, Literal

from onecycle_cli.errors import ArgumentError

Verbosity = bool | Literal[0, 1, 2, "auto"]
"""`True`, or Keras' `"auto"`: as `fit` does. 1 or 2: always. `False` or 0: never."""


def check_verbosity(verbose: Any) -> None:
    """Refuse what is no verbosity.

    Raises:
        ValueError: naming what there is.
    """
    if not isinstance(verbose, bool) and verbose not in (0, 1, 2, "auto"):
        raise ArgumentError(
            f"verbose must be 'auto' or True (print unless fit(verbose=0)), 1 (always print) or 0 "
            f"(never); got {verbose!r}."
        )


def prints(verbose: Verbosity, of_fit: Any) -> bool:
    """Tell whether to print.

    Args:
        verbose: of the callback.
        of_fit: the `verbose` that `fit` was given: 0 for silence.
    """
    follows_fit = verbose is True or verbose == "auto"
    return bool(of_fit) if follows_fit else bool(verbose)
