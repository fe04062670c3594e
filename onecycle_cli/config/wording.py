"""Validation errors in words: where, which rule, what was given, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from onecycle_cli.config.schema import Config
from onecycle_cli.config.section import Key, dotted
from onecycle_cli.errors import did_you_mean

__all__ = ["describe"]

_RULES = {
    "missing": "is required",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "model_type": "must have keys and values of its own",
    "dict_type": "must have keys and values of its own",
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must be the name of a folder, without slashes or a leading dot",
}
_LONGEST_VALUE = 60


def describe(
    error: ValidationError, data: Mapping[str, Any], places: Mapping[str, str], fallback: str
) -> str:
    """Return one line for each key that breaks a rule.

    Args:
        error: what pydantic found.
        data: the raw values.
        places: where each key was set, such as `file.yaml, line 3`, by dotted key.
        fallback: what to call the place of a key that is nowhere.
    """
    by_key: dict[Key, list[Any]] = {}
    for problem in error.errors():
        by_key.setdefault(_real_key(problem, data), []).append(problem)
    by_key = {key: found for key, found in by_key.items() if not _explained_within(key, by_key)}
    return "\n".join(
        f"{_place(key, places, fallback)}: {_sentence(key, problems)}"
        for key, problems in by_key.items()
    )


def _real_key(problem: Any, data: Any) -> Key:
    """Cut off the names of union members that pydantic appends to the location."""
    key: list[str | int] = []
    whole = problem["type"] in ("missing", "extra_forbidden")
    location = problem["loc"]
    for i, part in enumerate(location):
        try:
            if isinstance(data, str):  # one name where a list may be
                raise TypeError
            data = data[part]
        except (KeyError, IndexError, TypeError):
            if whole and i == len(location) - 1:
                key.append(part)
            continue
        key.append(part)
    return tuple(key)


def _explained_within(key: Key, by_key: Mapping[Key, Sequence[Any]]) -> bool:
    """Tell whether only "must be 'auto'" is wrong here, because the mapping itself is meant."""
    meant = any(other[: len(key)] == key and other != key for other in by_key)
    return meant and all(p["type"] == "literal_error" for p in by_key[key])


def _sentence(key: Key, problems: Sequence[Any]) -> str:
    name, first = dotted(key), problems[0]
    if first["type"] == "extra_forbidden":
        return f"unknown key {name}{did_you_mean(key[-1], _known_keys(key[:-1]))}"
    if first["type"] == "missing":
        return f"{name} is required; add it."
    rules = list(dict.fromkeys(_rule(p) for p in problems))
    if first["type"] == "value_error":
        end = "" if rules[0].endswith((".", "?")) else "."
        return f"{name + ': ' if name else ''}{rules[0]}{end}"
    alternatives = [r.removeprefix("must be ") if i else r for i, r in enumerate(rules)]
    text = f"{name} {' or '.join(alternatives)}; got {_shown(first['input'])}"
    choices = [c for p in problems if p["type"] == "literal_error" for c in _choices(p)]
    close = difflib.get_close_matches(_text(first["input"]), choices, n=1)
    return f"{text}; did you mean '{close[0]}'?" if close else f"{text}."


def _rule(problem: Any) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    template = _RULES.get(problem["type"])
    if template is None:
        return str(problem["msg"]).lower().replace("input should", "must")
    return template.format(**problem.get("ctx", {}))


def _choices(problem: Any) -> list[str]:
    return [part for part in problem["ctx"]["expected"].split("'") if part.strip(" ,or")]


def _known_keys(section: Key) -> list[str]:
    model: Any = Config
    for part in section:
        if isinstance(part, int):
            continue
        model = _section_type(model.model_fields[part].annotation)
    return list(model.model_fields)


def _section_type(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _section_type(inner)
        if found is not None:
            return found
    return None


def _place(key: Key, places: Mapping[str, str], fallback: str) -> str:
    """Return where a key was set; for a section, rather where something in it was overridden."""
    inner = [place for k, place in places.items() if k.startswith(f"{dotted(key)}.")]
    if overridden := [place for place in inner if place.startswith("--")]:
        return overridden[-1]
    for end in range(len(key), -1, -1):
        if (place := places.get(dotted(key[:end]))) is not None:
            return place
    return fallback


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else _text(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _text(value: object) -> str:
    try:
        return str(value)
    except ValueError:  # Python's limit
        return "a number of thousands of digits"
