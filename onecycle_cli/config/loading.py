"""A configuration from a file or a mapping, with overrides, and where each value came from."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from onecycle_cli.config import yaml_source
from onecycle_cli.config.schema import Config
from onecycle_cli.config.wording import describe
from onecycle_cli.errors import ConfigError

_Key = tuple[str | int, ...]


def load_config(
    source: str | Path | Mapping[str, Any] | Config,
    overrides: Iterable[str] = (),
    *,
    seed: int | None = None,
) -> Config:
    """Return the validated configuration.

    Args:
        source: a path to a YAML file, a mapping of the same keys, or a `Config`, taken as it is.
        overrides: `dotted.key=VALUE` each, VALUE in YAML; they go before the file. Relative paths
            in them count from the current folder, those in the file from the file's.
        seed: goes before all else.

    Raises:
        ConfigError: in one line for each broken rule: where, which rule, what was given.
    """
    if isinstance(source, Config) and not overrides and seed is None:
        return source
    data, places, name, folder = _read(source)
    data = _with_absolute_paths(copy.deepcopy(data), folder)
    origins = {_dotted(key): "file" for key in _leaves(data)}
    if isinstance(source, Config):
        origins = dict(source._origins)
    for text in [*overrides, *([] if seed is None else [f"seed={seed}"])]:
        key, value = _override(text)
        value = _absolute_if_path(key, value, Path.cwd())
        _put(data, key, value, text)
        origins[_dotted(key)] = "--set"
        places[key] = f"--set {text}"
    data.setdefault("name", name or _default_name(data))
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(describe(error, data, places, str(name or "config"))) from None
    config._origins = origins
    config._places = {_dotted(key): place for key, place in places.items()}
    return config


def _read(
    source: str | Path | Mapping[str, Any] | Config,
) -> tuple[dict[str, Any], dict[_Key, str], str | None, Path]:
    if isinstance(source, Config):
        return source.model_dump(), {}, source.name, Path.cwd()
    if isinstance(source, Mapping):
        return dict(source), {}, None, Path.cwd()
    path = Path(source)
    data, lines = _parse_file(path)
    places: dict[_Key, str] = {(): str(path)}
    places |= {key: f"{path}, line {line}" for key, line in lines.items()}
    return data, places, path.stem, path.resolve().parent


def _parse_file(path: Path) -> tuple[dict[str, Any], dict[_Key, int]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such config file; 'onecycle init' writes one to start from."
        ) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as a config: {_brief(error)}.") from None
    try:
        data, lines = yaml_source.parse(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{_yaml_place(path, error)}: not valid YAML: {_brief(error)}.") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply to be a config.") from None
    if not isinstance(data, dict):
        what = "is empty" if data is None else f"holds {_kind(data)}, not keys and values"
        raise ConfigError(
            f"{path}: {what}; a config needs at least dataset.name and model.name, and "
            f"'onecycle init' writes one to start from."
        )
    return data, lines


def _override(text: str) -> tuple[_Key, Any]:
    key, equals, value = text.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise ConfigError(f"--set {text}: must be dotted.key=VALUE, such as find_lr.max_lr=3.")
    try:
        parsed = yaml_source.parse_value(value)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"--set {text}: the value is not valid YAML: {_brief(error)}.") from None
    return tuple(int(p) if p.isdigit() else p for p in parts), parsed


def _put(data: dict[str, Any], key: _Key, value: Any, text: str) -> None:
    node: Any = data
    for part, following in zip(key, key[1:], strict=False):
        if isinstance(node, list):
            node = _entry(node, part, text)
            continue
        if not isinstance(node.get(part), dict | list):
            node[part] = {}
        node = node[part]
        if isinstance(node, list) and not isinstance(following, int):
            raise ConfigError(f"--set {text}: {part} is a list; use {part}.0, {part}.1, ...")
    if isinstance(node, list):
        _entry(node, key[-1], text)
        node[int(key[-1])] = value
    else:
        node[key[-1]] = value


def _entry(node: list[Any], part: str | int, text: str) -> Any:
    if not isinstance(part, int) or part >= len(node):
        raise ConfigError(f"--set {text}: entry {part} does not exist; the list has {len(node)}.")
    if not isinstance(node[part], dict):
        node[part] = {}
    return node[part]


def _with_absolute_paths(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    for section, key in (("dataset", "path"), ("model", "name")):
        values = data.get(section)
        if isinstance(values, dict) and key in values:
            values[key] = _absolute_if_path((section, key), values[key], folder)
    return data


def _absolute_if_path(key: _Key, value: Any, folder: Path) -> Any:
    if isinstance(value, str):
        if key == ("dataset", "path"):
            return _absolute(value, folder)
        if key == ("model", "name") and ".py:" in value:
            return _absolute(value, folder)
    return value


def _absolute(path: str, folder: Path) -> str:
    return os.path.normpath(folder / Path(path).expanduser())


def _leaves(data: Any, key: _Key = ()) -> list[_Key]:
    if isinstance(data, dict) and data:
        return [leaf for name, value in data.items() for leaf in _leaves(value, (*key, name))]
    return [key]


def _default_name(data: Mapping[str, Any]) -> str:
    parts = [data.get(section) for section in ("dataset", "model")]
    names = [str(p.get("name", "")) for p in parts if isinstance(p, dict)]
    return "-".join(Path(n.split(".py:")[0]).name for n in names) or "config"


def _yaml_place(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{path}, line {mark.line + 1}" if mark else str(path)


def _brief(error: Exception) -> str:
    text = getattr(error, "problem", None) or getattr(error, "strerror", None) or str(error)
    return str(text).splitlines()[0].rstrip(".")


def _kind(data: Any) -> str:
    return {"list": "a list", "str": "text"}.get(type(data).__name__, f"a {type(data).__name__}")


def _dotted(key: _Key) -> str:
    return ".".join(str(part) for part in key)
