"""The JSON schema of a configuration, by which editors complete keys and check values.

It says what can be said without looking elsewhere: keys, types, ranges and names. What depends on
several keys, or on files, is checked when the configuration is loaded.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator
from typing import Any

from onecycle_cli.config.schema import Config, LossConfig, ModelConfig
from onecycle_cli.config.section import PATTERN_OF_A_FILE, Section

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest one that the language server for YAML understands."""

SCHEMA_FILE = ".onecycle-schema.json"
"""What the schema is called that lies beside a configuration."""

_ATTRIBUTE = re.compile(r"^    (\w+): (.*)$")

Schema = dict[str, Any]


def json_schema(models: Collection[str] = ()) -> Schema:
    """Return the schema of a configuration, as a file has it.

    Args:
        models: the names that `model.name` may have besides `path/to/file.py:function`; without
            any, every name will do.
    """
    schema = Config.model_json_schema()
    parts = {Config.__name__: schema, **schema["$defs"]}
    for section in _sections():
        if section.__name__ in parts:
            _describe(parts[section.__name__], section)
    schema["required"].remove("name")  # the file's name
    if models:
        name = parts[ModelConfig.__name__]["properties"]["name"]
        own = {"type": "string", "pattern": PATTERN_OF_A_FILE}
        name |= {"anyOf": [{"enum": list(models)}, own]}
    _let_words_do(schema, parts)
    return {"$schema": DIALECT, "title": "onecycle", **_with_lone_references(schema)}


def modeline(path: str = SCHEMA_FILE) -> str:
    """Return the comment by which an editor finds the schema.

    The language server for YAML, in VS Code, Neovim, Emacs and others, takes a path from the
    folder of the configuration, and needs no network for it.

    Args:
        path: of the schema.
    """
    return f"# yaml-language-server: $schema={path}\n"


def _with_lone_references(schema: Any) -> Any:
    """Return a schema in which what stands beside a reference counts; in draft 7 nothing does."""
    if isinstance(schema, list):
        return [_with_lone_references(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _with_lone_references(value) for key, value in schema.items()}
    if len(inner) > 1 and isinstance(inner.get("$ref"), str):
        inner["allOf"] = [{"$ref": inner.pop("$ref")}]
    return inner


def _sections() -> Iterator[type[Section]]:
    yield from Section.__subclasses__()


def _describe(schema: Schema, section: type[Section]) -> None:
    """Put what the docstring says of a section, and of each key, where editors show it."""
    about, _, attributes = inspect.cleandoc(section.__doc__ or "").partition("\n\n")
    schema["description"] = " ".join(about.split())
    schema.pop("title", None)
    said = dict(_attributes(attributes))
    for name, key in schema["properties"].items():
        key.pop("title", None)
        if name in said:
            key["description"] = said[name]


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names that a docstring lists under "Attributes:", with what it says of them."""
    _, _, listed = text.partition("Attributes:\n")
    name, words = "", list[str]()
    for line in [*listed.splitlines(), "    end: "]:
        if found := _ATTRIBUTE.match(line):
            if name:
                yield name, " ".join(words)
            name, words = found[1], [found[2]]
        else:
            words.append(line.strip())


def _let_words_do(schema: Schema, parts: dict[str, Schema]) -> None:
    """Allow a single word in place of a section, where it stands for one of its keys."""
    for name, field in Config.model_fields.items():
        section = field.annotation
        if not (isinstance(section, type) and issubclass(section, Section)):
            continue
        key = "name" if section is LossConfig else section.main_key
        if not key:
            continue
        said = parts[section.__name__]["properties"][key]
        word = {rule: said[rule] for rule in said if rule not in ("default", "description")}
        whole = schema["properties"][name]
        whole["anyOf"] = [word, *(whole.pop("allOf", None) or [{"$ref": whole.pop("$ref")}])]
