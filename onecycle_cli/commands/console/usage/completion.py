"""What a shell completes: configs, keys of `--set`, and folders of runs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

if TYPE_CHECKING:
    from onecycle_cli.config.section import Section

RUNS = "runs"
"""Where runs are kept if nothing else is said."""

_CONFIGS = ("*.yaml", "*.yml", "*/*.yaml", "*/*.yml")
_RUNS = ("manifest.json", "*/manifest.json", "*/*/manifest.json", "*/*/*/manifest.json")


def configs(incomplete: str) -> list[str]:
    """Return the YAML files in the folder that is being typed, and in those within."""
    folder = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
    found = (str(path) for pattern in _CONFIGS for path in folder.glob(pattern))
    return sorted(path for path in found if path.startswith(incomplete) and not _is_hidden(path))


def runs(incomplete: str) -> list[str]:
    """Return the folders of runs under what is being typed, and of the experiments they are of.

    Where nothing has been typed yet, those in the usual folder.
    """
    typed = Path(incomplete or RUNS)
    starts = [typed] if incomplete in ("", f"{typed}/") else typed.parent.glob(f"{typed.name}*")
    found = {path.parent for start in starts for name in _RUNS for path in start.glob(name)}
    found |= {run.parents[1] for run in found if len(run.parts) > 2}
    names = (str(path) for path in found)
    return sorted(name for name in names if name.startswith(incomplete) and not _is_hidden(name))


def settings(incomplete: str) -> list[str]:
    """Return the keys of a config that begin so, each with an equals sign."""
    from onecycle_cli.config import Config

    return [f"{key}=" for key in keys_of(Config) if key.startswith(incomplete)]


def keys_of(section: type[Section], above: str = "") -> Iterator[str]:
    """Yield the dotted keys of a section, and of those within, as they are set."""
    for name, field in section.model_fields.items():
        kinds = _kinds(field.annotation)
        inner = [kind for kind in kinds if _is_section(kind)]
        if len(inner) < len(kinds):
            yield f"{above}{name}"
        for kind in inner:
            yield from keys_of(kind, f"{above}{name}.")


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """Return the kinds of value that a key takes."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _is_section(kind: Any) -> bool:
    from onecycle_cli.config.section import Section

    return inspect.isclass(kind) and issubclass(kind, Section)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") and part.strip(".") for part in Path(path).parts)
