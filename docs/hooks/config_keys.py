"""The page of all keys of a config, from what checks them."""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from onecycle_cli.config import Config

_HEAD = """\
# All keys of a config

This page is made from the code that checks configs. [Config](../config.md) explains the keys in
context, with examples. `--set KEY=VALUE` overrides any of them on the command line.
"""
_BOUNDS = {
    "exclusiveMinimum": "above {}",
    "minimum": "at least {}",
    "exclusiveMaximum": "below {}",
    "maximum": "at most {}",
}
_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true` or `false`",
    "null": "`null`",
    "object": "mapping",
}
_LARGEST = 2**31
"""A bound that only keeps numbers within 32 bits says nothing to a reader."""


def page() -> str:
    """Return the page, as Markdown."""
    sections = {name: _section_of(field) for name, field in Config.model_fields.items()}
    top = [name for name, section in sections.items() if section is None]
    lines = [_HEAD, "## The experiment", "", *_table(Config, top)]
    for name, section in sections.items():
        if section is not None:
            about = inspect.cleandoc(section.__doc__ or "").partition("\n\nAttributes:")[0]
            lines += [f"## {name}", "", about, ""]
            lines += _table(section, section.model_fields, f"{name}.")
    return "\n".join(lines)


def documented(section: type[BaseModel]) -> dict[str, str]:
    """Return what a section says of its keys, under `Attributes:` of its docstring."""
    _, _, listed = inspect.cleandoc(section.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^    (\w+): (.*(?:\n     +.*)*)", listed, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def _table(section: type[BaseModel], names: Iterable[str], prefix: str = "") -> Iterator[str]:
    yield from ("| key | value | default | meaning |", "|---|---|---|---|")
    yield from _rows(section, names, prefix)
    yield ""


def _rows(section: type[BaseModel], names: Iterable[str], prefix: str) -> Iterator[str]:
    """Yield a row for each key, and below it one for each key within it."""
    schema, meanings = section.model_json_schema(), documented(section)
    for name in names:
        field = section.model_fields[name]
        value = in_words(schema["properties"][name], schema.get("$defs", {}))
        meaning = field.description or meanings.get(name, "")
        cells = [f"`{prefix}{name}`", value, _default(field), meaning[:1].upper() + meaning[1:]]
        yield "".join(f"| {_cell(text)} " for text in cells) + "|"
        inner = _section_of(field)
        if inner is not None:
            yield from _rows(inner, inner.model_fields, f"{prefix}{name}.")


def in_words(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return what may stand under a key, in words."""
    if "$ref" in schema:
        return in_words(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(in_words(each, definitions) for each in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(f"`{value}`" for value in values)
    if schema.get("type") == "array":
        return f"list of: {in_words(schema['items'], definitions)}"
    if "properties" in schema:
        return f"mapping with {', '.join(f'`{key}`' for key in schema['properties'])}"
    words = [_TYPES.get(schema.get("type", ""), "anything"), " and ".join(_bounds(schema))]
    return " ".join(filter(None, words))


def _bounds(schema: dict[str, Any]) -> Iterator[str]:
    for key, words in _BOUNDS.items():
        if key in schema and abs(schema[key]) < _LARGEST:
            yield words.format(f"{schema[key]:g}")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    annotation = field.annotation
    is_one = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_one else None


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return ""
    if isinstance(value, list):
        value = [v.model_dump(exclude_none=True) if isinstance(v, BaseModel) else v for v in value]
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"
