"""Validation errors in words: where, which rule, what was given, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from onecycle_cli.config.schema import Config
from onecycle_cli.config.section import Key, Section, dotted
from onecycle_cli.errors import did_you_mean, meant, nearest
from onecycle_cli.schedules import ShapeOptions

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
    "greater_than": "must be greater than {gt:.12g}",
    "greater_than_equal": "must be at least {ge:.12g}",
    "less_than": "must be less than {lt:.12g}",
    "less_than_equal": "must be at most {le:.12g}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must be the name of a folder, without slashes or a leading dot",
}
_LONGEST_VALUE = 60
_MOST_MEANT = 2
_LIKENESS_ELSEWHERE = 0.75

_ALSO_CALLED = {
    **dict.fromkeys(("learning_rate", "lr", "rate", "peak_lr"), "train.max_lr"),
    **dict.fromkeys(("num_epochs", "num_epoch", "max_epochs"), "train.cycles[].epochs"),
    **dict.fromkeys(("wd", "decay_rate"), "train.weight_decay"),
    **dict.fromkeys(("beta_1", "beta1"), "optimizer.momentum"),
    **dict.fromkeys(("validation_split", "val_split"), "dataset.validation_fraction"),
    **{
        name: f"train.also.{name}"
        for name in ("beta_2", "rho", "epsilon", "clipnorm", "clipvalue", "global_clipnorm")
    },
    **dict.fromkeys(("gpus", "num_gpus"), "devices"),
    **dict.fromkeys(("mixed_precision", "dtype", "amp"), "precision"),
    **dict.fromkeys(("xla", "compile"), "jit_compile"),
    **dict.fromkeys(("workers", "num_workers", "n_jobs"), "search.trials_at_once"),
    "random_seed": "seed",
    "patience": "train.early_finish.patience",
    "scheduler": "train.shape",
    "schedule": "train.shape",
    "data": "dataset",
}
"""Keys of a config by what other programs call them."""

_VALUES_ALSO_CALLED = {
    **dict.fromkeys(("mean_squared_error", "l2"), "mse"),
    **dict.fromkeys(("mean_absolute_error", "l1"), "mae"),
    **dict.fromkeys(("fp16", "half", "16"), "mixed_float16"),
    **dict.fromkeys(("bf16",), "mixed_bfloat16"),
    **dict.fromkeys(("fp32", "single", "32"), "float32"),
    **dict.fromkeys(("1cycle", "onecycle", "one_cycle"), "smith"),
    **dict.fromkeys(("classification", "categorical"), "multiclass"),
    "bce": "binary_crossentropy",
    "tf": "tensorflow",
}
"""Values of a config by what other programs call them."""


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
    is_meant = any(other[: len(key)] == key and other != key for other in by_key)
    return is_meant and all(p["type"] == "literal_error" for p in by_key[key])


def _sentence(key: Key, problems: Sequence[Any]) -> str:
    name, first = dotted(key), problems[0]
    if first["type"] == "extra_forbidden":
        return _unknown(key, first["input"])
    if first["type"] == "missing":
        return f"{name} is required; add it."
    if first["type"] == "value_error":
        rule = _rule(first)
        end = "" if rule.endswith((".", "?")) else "."
        return f"{name + ': ' if name else ''}{rule}{end}"
    choices = [c for p in problems if p["type"] == "literal_error" for c in _choices(p)]
    text = f"{name} {_rules(key, problems, choices)}; got {_shown(first['input'])}"
    close = _value_meant(_text(first["input"]), choices)
    return f"{text}{meant(close)}" if close else f"{text}."


def _rules(key: Key, problems: Sequence[Any], choices: Sequence[str]) -> str:
    """Return all the forms that a value may have, and an example of those that have parts."""
    kinds = [p["type"] for p in problems]
    rules = list(dict.fromkeys(_rule(p) for p in problems if p["type"] != "literal_error"))
    if "model_type" in kinds and _may_be_a_word(key):
        rules[0] = "must be a name, or have keys and values of its own"
    example = _example(key)
    if example and not {"model_type", "dict_type", "list_type"}.isdisjoint(kinds):
        rules[0] += f", such as {example},"
    if choices:
        *others, last = map(repr, choices)
        named = f"must be {', '.join(others)} or {last}" if others else f"must be {last}"
        rules.insert(0 if kinds[0] == "literal_error" else len(rules), named)
    first, *more = rules
    return " or ".join([first, *(rule.removeprefix("must be ") for rule in more)]).removesuffix(",")


def _value_meant(given: str, choices: Sequence[str]) -> list[str]:
    """Return the choices that are probably meant, by other programs' names for them too."""
    also = _VALUES_ALSO_CALLED.get(given.casefold())
    if also in choices:
        return [str(also)]
    shorter = [choice for choice in choices if given.casefold().startswith(f"{choice}_")]
    return nearest(given, choices) or shorter


def _example(key: Key) -> str:
    """Return an example of a key's value, as its field has it; empty where there is none."""
    names = [part for part in key if isinstance(part, str)]
    if not names:
        return ""
    section = _section_at(tuple(names[:-1]))
    field = None if section is None else section.model_fields.get(names[-1])
    if field is None or not field.examples:
        return ""
    example = field.examples[0]
    is_entry = isinstance(key[-1], int) and isinstance(example, list)
    return _flow(example[0] if is_entry else example)


def _rule(problem: Any) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    template = _RULES.get(problem["type"])
    if template is None:
        return str(problem["msg"]).lower().replace("input should", "must")
    return template.format(**problem.get("ctx", {})).replace(" 1 entries", " 1 entry")


def _choices(problem: Any) -> list[str]:
    return [part for part in problem["ctx"]["expected"].split("'") if part.strip(" ,or")]


def _unknown(key: Key, value: object) -> str:
    """Say that there is no such key, and which is meant: one beside it, or of another section."""
    name, last = dotted(key), str(key[-1])
    section_of_key = _section_at(key[:-1])
    known = [] if section_of_key is None else list(section_of_key.model_fields)
    if "." in last and last in _keys(Config):
        section, _, inner = last.rpartition(".")
        return f"unknown key {name}; write it as {section}: {{{inner}: {_text(value)}}}."
    is_known_elsewhere = any(known_key.endswith(f".{last}") for known_key in _keys(Config))
    if is_known_elsewhere or (len(key) == 1 and last.casefold() in _ALSO_CALLED):
        return f"unknown key {name}{meant([_in_yaml(k, value) for k in _elsewhere(last)])}"
    if not nearest(last, known):
        if elsewhere := _elsewhere(last):
            return f"unknown key {name}{meant([_in_yaml(k, value) for k in elsewhere])}"
        if "options" in known:
            return (
                f"unknown key {name}; the known ones are {', '.join(known)}; arguments of the "
                f"function go into {dotted(key[:-1])}.options."
            )
    return f"unknown key {name}{did_you_mean(last, known)}"


def _elsewhere(name: str) -> list[str]:
    """Return the keys of the whole configuration that are called so, or nearly so."""
    if name.casefold() in _ALSO_CALLED:
        return [_ALSO_CALLED[name.casefold()]]
    keys = sorted(_keys(Config), key=lambda key: (key.count("."), not key.startswith("train")))
    ends = {key: key.rpartition(".")[2] for key in keys}
    called = nearest(name, list(dict.fromkeys(ends.values())), _LIKENESS_ELSEWHERE)
    return [key for key, end in ends.items() if end in called][:_MOST_MEANT]


def _keys(section: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield every key of a section and of those within, such as `train.cycles[].epochs`."""
    for name, field in section.model_fields.items():
        yield f"{before}{name}"
        if name == "shape_options":
            yield from (f"{before}{name}.{option}" for option in ShapeOptions.__annotations__)
        if (inner := _section_type(field.annotation)) is not None:
            yield from _keys(inner, f"{before}{name}{'[]' * _is_list(field.annotation)}.")


def _in_yaml(key: str, value: object) -> str:
    """Return how a key is written: `train.max_lr`, or `train.cycles: [{epochs: 10}]` of a list."""
    section, is_list, inner = key.partition("[].")
    if is_list:
        return f"{section}: [{{{inner}: {_text(value)}}}]"
    return section


def _section_at(key: Key) -> type[BaseModel] | None:
    """Return the section that a key is of; `None` for an entry of a free mapping."""
    model: type[BaseModel] | None = Config
    for part in key:
        if model is not None and not isinstance(part, int):
            model = _section_type(model.model_fields[part].annotation)
    return model


def _may_be_a_word(key: Key) -> bool:
    section = _section_at(key)
    if section is None or not issubclass(section, Section):
        return False
    return bool(section.main_key) or "name" in section.model_fields


def _section_type(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _section_type(inner)
        if found is not None:
            return found
    return None


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))


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
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _flow(value: object) -> str:
    """Return a value as YAML has it in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: object) -> str:
    try:
        return _flow(value)
    except ValueError:  # Python's limit
        return "a number of thousands of digits"
