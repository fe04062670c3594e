"""A configuration from a file or a mapping, with overrides, and where each value came from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any, TextIO

import yaml
from pydantic import ValidationError

from onecycle_cli.config import yaml_source
from onecycle_cli.config.schema import Config
from onecycle_cli.config.section import Key, Section, dotted, leaves
from onecycle_cli.config.wording import describe
from onecycle_cli.errors import ConfigError, meant, nearest
from onecycle_cli.plugin_names import names_a_file

Source = str | Path | TextIO | Mapping[str, Any] | Config
"""Where a configuration comes from."""

_LONGEST_TEXT = 1_000_000
_OF_DATA = (".csv", ".parquet", ".npz", ".npy")
_DATA = tuple(("dataset", key) for key in ("path", "validation", "test", "validation_rows"))
_MAY_BE_OWN = (
    *(("model", "name"), ("optimizer", "name"), ("train", "shape")),
    *(("dataset", "name"), ("dataset", "augment")),
)

_MAIN_KEYS = {
    (name,): field.annotation.main_key
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type)
    and issubclass(field.annotation, Section)
    and field.annotation.main_key
}
"""What a section means that is written as a single word."""


def load_config(
    source: Source,
    overrides: Iterable[str] = (),
    *,
    seed: int | None = None,
) -> Config:
    """Return the validated configuration.

    Args:
        source: a path to a YAML file, an open one, a mapping of the same keys, or a `Config`, taken
            as it is. Relative paths in an open file, such as standard input, count from the current
            folder.
        overrides: `dotted.key=VALUE` each, VALUE in YAML; they go before the file. Relative paths
            in them count from the current folder, those in the file from the file's.
        seed: goes before all else.

    Raises:
        ConfigError: in one line for each broken rule: where, which rule, what was given.
    """
    overrides = list(overrides)
    if isinstance(source, Config) and not overrides and seed is None:
        return source
    try:
        draft = _read(source)
        for text in overrides:
            draft.put(*_override(text), f"--set {text}")
        if seed is not None:
            draft.put(("seed",), seed, f"--seed {seed}")
        return draft.validated()
    except RecursionError:
        where = source if isinstance(source, str | Path) else _title(source)
        raise ConfigError(f"{where}: nested too deeply to be a config.") from None


@dataclass
class _Draft:
    """Values on their way to a configuration.

    Attributes:
        data: the raw values.
        name: the experiment's name, unless the data say one.
        origins: where each value came from, by dotted key.
        places: where each key was set, such as `file.yaml, line 3`, by dotted key.
    """

    data: dict[str, Any]
    name: str | None = None
    origins: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def put(self, key: Key, value: Any, place: str) -> None:
        """Let a value go before whatever was under its key, and within it."""
        if key[0] == "loss" and isinstance(self.data.get("loss"), str):
            self.data["loss"] = {"name": self.data["loss"]}
        value = _plain(value, Path.cwd(), key)
        _put(self.data, key, value, place)
        for known in (self.origins, self.places):
            for inner in [k for k in known if k.startswith(f"{dotted(key)}.")]:
                del known[inner]
        self.origins |= dict.fromkeys(_dotted_leaves(value, key), "--set")
        self.places[dotted(key)] = place

    def validated(self) -> Config:
        self.data.setdefault("name", self.name or _default_name(self.data))
        try:
            config = Config.model_validate(self.data)
        except ValidationError as error:
            fallback = self.name or "config"
            raise ConfigError(describe(error, self.data, self.places, fallback)) from None
        config._origins, config._places = self.origins, self.places
        return config


def _read(source: Source) -> _Draft:
    if isinstance(source, Config):
        origins, places = dict(source._origins), dict(source._places)
        return _Draft(source.model_dump(), source.name, origins, places)
    if isinstance(source, Mapping):
        data = _plain(source, Path.cwd())
        return _Draft(data, origins=dict.fromkeys(_dotted_leaves(data), "file"))
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return _drafted(_text_at(path), str(path), path.resolve().parent, path.stem)
    if not hasattr(source, "read"):
        raise ConfigError(
            f"a config must be the path of a YAML file, an open one, a mapping of its keys, or a "
            f"Config; got {type(source).__name__}."
        )
    place = _title(source)
    return _drafted(_text_of(source, place), place, Path.cwd(), None)


def _drafted(text: str, place: str, folder: Path, name: str | None) -> _Draft:
    """Return what a text says; its relative paths count from a folder."""
    parsed, lines = _parsed(text, place)
    data = _plain(parsed, folder)
    places = {dotted(key): f"{place}, line {line}" for key, line in lines.items()}
    return _Draft(data, name, dict.fromkeys(_dotted_leaves(data), "file"), {"": place} | places)


def _configs_called_alike(path: Path) -> list[str]:
    """Return the files beside a missing one that are probably meant, none of them or few."""
    found = [file for pattern in ("*.yaml", "*.yml") for file in sorted(path.parent.glob(pattern))]
    same = [file for file in found if file.stem in (path.stem, path.name)]
    names = {file.name: str(file) for file in found}
    return [str(file) for file in same] or [names[name] for name in nearest(path.name, [*names])]


def _title(source: object) -> str:
    """Return what messages call an open file."""
    return str(getattr(source, "name", "config")).strip("<>")


def _text_at(path: Path) -> str:
    if path.suffix.lower() in _OF_DATA and path.is_file():
        raise ConfigError(
            f"{path}: holds data, not a config; 'onecycle init --data {path}' writes one for them."
        )
    try:
        with path.open(encoding="utf-8") as file:
            return _text_of(file, str(path))
    except FileNotFoundError:
        near = _configs_called_alike(path)
        hint = meant(near) if near else "; 'onecycle init' writes one to start from."
        raise ConfigError(f"{path}: there is no such config file{hint}") from None
    except IsADirectoryError:
        raise ConfigError(
            f"{path}: is a folder; give the YAML file of a config. If it holds data, 'onecycle "
            f"init --data {path}' writes one for them."
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as a config: {_brief(error)}.") from None


def _text_of(file: TextIO, place: str) -> str:
    try:
        text = file.read(_LONGEST_TEXT + 1)
    except UnicodeDecodeError:
        raise ConfigError(
            f"{place}: is no text in UTF-8; a config is a YAML file, and 'onecycle init' writes "
            f"one to start from."
        ) from None
    if len(text) > _LONGEST_TEXT:
        raise ConfigError(f"{place}: is too long to be a config.")
    return text


def _parsed(text: str, place: str) -> tuple[dict[str, Any], dict[Key, int]]:
    try:
        data, lines = yaml_source.parse(text)
    except yaml.YAMLError as error:
        where = _yaml_place(place, error)
        raise ConfigError(f"{where}: not valid YAML: {_brief(error)}.") from None
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "a single value"
        what = "is empty" if data is None else f"holds {kind}, not keys and values"
        raise ConfigError(
            f"{place}: {what}; a config needs at least dataset.name and model.name, and "
            f"'onecycle init' writes one to start from."
        )
    return data, lines


def _override(text: str) -> tuple[Key, Any]:
    key, equals, value = text.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise ConfigError(f"--set {text}: must be dotted.key=VALUE, such as find_lr.max_lr=3.")
    try:
        return tuple(parts), yaml_source.parse_value(value)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"--set {text}: the value is not valid YAML: {_brief(error)}; put it in quotes, as in "
            f"--set 'train.cycles=[{{epochs: 5}}]'."
        ) from None


def _put(data: dict[str, Any], key: Key, value: Any, place: str) -> None:
    node: Any = data
    for depth, part in enumerate(key):
        slot = _slot(node, part, f"{place}: {dotted(key[:depth])}")
        if depth == len(key) - 1:
            node[slot] = value
            return
        inner = node.get(slot) if isinstance(node, dict) else node[slot]
        if not isinstance(inner, dict | list):
            inner = node[slot] = {}
        node = inner


def _slot(node: dict[str, Any] | list[Any], part: str | int, name: str) -> str | int:
    if isinstance(node, dict):
        return part
    entries = [str(i) for i in range(len(node))]
    if part not in entries:
        raise ConfigError(f"{name} is a list of {len(node)}, counted from 0; got '{part}'.")
    return entries.index(str(part))


def _plain(value: Any, folder: Path, key: Key = ()) -> Any:
    """Return a copy in plain dicts and lists, its paths made absolute, no section a single word."""
    if isinstance(value, str) and key in _MAIN_KEYS:
        value = {_MAIN_KEYS[key]: value}
    if isinstance(value, Mapping):
        items = ((str(name), inner) for name, inner in value.items())
        return {name: _plain(inner, folder, (*key, name)) for name, inner in items}
    if isinstance(value, list | tuple):
        return [_plain(inner, folder, (*key, i)) for i, inner in enumerate(value)]
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    is_path = key in _DATA or (key in _MAY_BE_OWN and names_a_file(value))
    if is_path and isinstance(value, str) and value:
        return os.path.normpath(folder / os.path.expanduser(value))  # noqa: PTH111
    return value


def _dotted_leaves(data: Any, key: Key = ()) -> list[str]:
    """Return the dotted keys of the values; a list counts as one value."""
    ways = (way for way, _ in leaves(data, key))
    return [dotted(tuple(takewhile(lambda part: not str(part).isdecimal(), way))) for way in ways]


def _default_name(data: Mapping[str, Any]) -> str:
    parts = [data.get(section) for section in ("dataset", "model")]
    names = [str(p.get("name", "")) for p in parts if isinstance(p, dict)]
    return "-".join(Path(n.split(".py:")[0]).name for n in names) or "config"


def _yaml_place(place: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{place}, line {mark.line + 1}" if mark else place


def _brief(error: Exception) -> str:
    if "'\\t'" in str(getattr(error, "problem", "")):
        return "it is indented by a tab; use spaces"
    text = getattr(error, "problem", None) or getattr(error, "strerror", None) or str(error)
    return str(text).splitlines()[0].rstrip(".")
