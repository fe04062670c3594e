"""YAML as people mean it: numbers are numbers, keys are unique, and every key knows its line."""

from __future__ import annotations

import re
from typing import Any

import yaml

Path = tuple[str | int, ...]


_MOST_ENTRIES = 10_000
_LONGEST_NUMBER = 1_000
"""Digits; Python refuses to write out integers of more than 4,300."""

_WORDS = ("int", "float", "bool", "timestamp", "value")


class Loader(yaml.SafeLoader):
    """The safe loader with the numbers and booleans of YAML 1.2, and dates as text.

    YAML 1.1 reads `1e-4` as text, `no` as false, `010` as 8 and `1:30` as 90. As there, digits
    may be grouped: `1_000`.
    """


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in _WORDS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|[0-9][0-9_]*)$"),
    list("-+0123456789"),
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9]+)[eE][-+]?[0-9]+"
        r"|[0-9][0-9_]*\.[0-9_]*|\.[0-9]+|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _integer(loader: Loader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    if len(text) > _LONGEST_NUMBER:
        raise yaml.constructor.ConstructorError(
            None, None, f"a number of more than {_LONGEST_NUMBER:,} digits", node.start_mark
        )
    return int(text, 0 if text.lstrip("-+")[:2] in ("0o", "0x") else 10)


Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def parse(text: str) -> tuple[Any, dict[Path, int]]:
    """Return the data of a YAML text and the line, from 1, of each key and list entry.

    Raises:
        yaml.YAMLError: when the text is not YAML, says a key twice, or unfolds without end.
        RecursionError: when it is nested too deeply.
    """
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines: dict[Path, int] = {}
        _note_lines(node, (), lines)
        return loader.construct_document(node), lines
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise yaml.YAMLError(f"a value does not fit its tag: {error}") from error
    finally:
        loader.dispose()


def parse_value(text: str) -> Any:
    """Return the value of a piece of YAML, flow style included."""
    return parse(text)[0]


def _note_lines(node: yaml.Node, path: Path, lines: dict[Path, int]) -> None:
    if len(lines) > _MOST_ENTRIES:
        raise yaml.YAMLError(f"more than {_MOST_ENTRIES:,} entries")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a single word", key.start_mark
                )
            inner = (*path, key.value)
            if inner in lines:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' is given twice", key.start_mark
                )
            lines[inner] = key.start_mark.line + 1
            _note_lines(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            lines[(*path, i)] = value.start_mark.line + 1
            _note_lines(value, (*path, i), lines)
