"""The options of a function: every parameter that a config can give it by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onecycle_cli.errors import did_you_mean
from onecycle_cli.registry.code.functions import Function, listed

__all__ = ["Option", "options_of", "problem"]

_SIMPLE_TYPES = {"bool": bool, "int": int, "float": float, "str": str, "None": type(None)}


@dataclass(frozen=True)
class Option:
    """One option of a function, as its signature states it.

    Attributes:
        name: what a config writes under `options`.
        annotation: the type as written in the source, or None if there is none.
        default: the default value; if that is no literal, its source text.
        required: whether the option has no default.
    """

    name: str
    annotation: str | None = None
    default: object = None
    required: bool = False


def options_of(function: Function, given: int) -> dict[str, Option]:
    """Return every parameter after the first ones that can be passed by name.

    Args:
        function: the function.
        given: how many parameters the program fills in itself.
    """
    parameters = function.parameters
    positional = [*parameters.posonlyargs, *parameters.args]
    undefaulted = len(positional) - len(parameters.defaults)
    defaults: list[ast.expr | None] = [None] * undefaulted + list(parameters.defaults)
    by_place = list(zip(positional, defaults, strict=True))
    first = max(given, len(parameters.posonlyargs))
    by_name = zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
    read = (_read_option(*pair) for pair in [*by_place[first:], *by_name])
    return {option.name: option for option in read}


def problem(
    function: Function, known: Mapping[str, Option], given: Mapping[str, object]
) -> tuple[str, str] | None:
    """Return what is wrong with the options that a config gives, or None if nothing is.

    Returns:
        (key, message): the option, or "" where one is missing, and one sentence.
    """
    messages = _messages(function, known, given)
    return next(messages, None)


def _messages(
    function: Function, known: Mapping[str, Option], given: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    owner = f"{function.what} {function.name!r}"
    takes_any = function.parameters.kwarg is not None
    for name, value in ((str(name), value) for name, value in given.items()):
        if name in known:
            if not _is_allowed(known[name], value):
                yield (
                    name,
                    (
                        f"option {name!r} of {owner} must be of type {known[name].annotation}; "
                        f"got {value!r} ({type(value).__name__})"
                    ),
                )
        elif not takes_any:
            near = did_you_mean(name, list(known)) if known else "; it has no options"
            yield name, f"{owner} has no option {name!r}{near}"
    missing = [o.name for o in known.values() if o.required and o.name not in given]
    if missing:
        yield "", f"{owner} needs a value for {listed(missing)}"


def _read_option(parameter: ast.arg, default: ast.expr | None) -> Option:
    annotation = ast.unparse(parameter.annotation).strip("'\"") if parameter.annotation else None
    if default is None:
        return Option(parameter.arg, annotation, required=True)
    try:
        return Option(parameter.arg, annotation, ast.literal_eval(default))
    except (TypeError, ValueError):
        return Option(parameter.arg, annotation, ast.unparse(default))


def _is_allowed(option: Option, value: object) -> bool:
    """Compare types as YAML means them: an int may stand for a float, a bool for nothing else."""
    types = _accepted_types(option)
    if types is None:
        return True
    if isinstance(value, bool):
        return bool in types
    return isinstance(value, types) or (isinstance(value, int) and float in types)


def _accepted_types(option: Option) -> tuple[type, ...] | None:
    """Return what an annotation such as `int | None` allows, or None where it cannot be told."""
    if option.annotation is None:
        return None
    names = [part.strip() for part in option.annotation.split("|")]
    if not set(names) <= set(_SIMPLE_TYPES):
        return None
    types = [_SIMPLE_TYPES[name] for name in names]
    if option.default is None and not option.required:
        types.append(type(None))
    return tuple(types)
