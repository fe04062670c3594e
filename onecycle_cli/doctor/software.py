"""Which versions are installed, which backend Keras takes and why, and which extras are missing."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from onecycle_cli.doctor.finding import Finding, State
from onecycle_cli.engine import start
from onecycle_cli.engine.backends.choice import BACKENDS, name_of_backend, why_this_backend

PROJECT = "onecycle-cli"
FOR_DEVELOPERS = ("test", "benchmarks", "docs")
USES = {
    "tables": "data from CSV and Parquet files",
    "jax": "Keras on JAX",
    "torch": "Keras on PyTorch",
    "ray": "searches on a cluster",
    "stores": "runs in object stores, such as s3://",
}
"""What an extra is for; others are shown without it."""

_NAME = re.compile(r"[\w.-]+")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w.-]+)['\"]")


def versions() -> Iterator[Finding]:
    """Yield the versions that decide the bits of a run, and where this package is."""
    known = start.versions()
    shown = ", ".join(f"{name} {number}" for name, number in known.items())
    yield Finding("versions", f"{shown}, in {sys.prefix}")
    yield Finding("package", str(Path(__file__).parents[1]))
    start.check_version()


def backend() -> Iterator[Finding]:
    """Yield which backend Keras takes, and why; a problem if it is not installed."""
    known, taken = start.versions(), name_of_backend()
    if taken in known:
        yield Finding("backend", f"{taken} {known[taken]}: {why_this_backend()}")
        return
    if taken not in BACKENDS:
        text = f"{taken} can't train: {why_this_backend()}"
        remedy = f"set KERAS_BACKEND to one of {', '.join(BACKENDS)}"
        yield Finding("backend", text, State.PROBLEM, remedy)
        return
    package = taken if taken == "tensorflow" else f"{PROJECT}[{taken}]"
    yield Finding(
        "backend",
        f"{taken} is not installed: {why_this_backend()}",
        State.PROBLEM,
        f"pip install '{package}', or set KERAS_BACKEND to another one",
    )


def extras() -> Iterator[Finding]:
    """Yield each extra of the package, and which of its requirements are not installed."""
    for extra, packages in requirements().items():
        missing = [name for name in packages if not _is_installed(name)]
        use = USES.get(extra, "")
        if not missing:
            shown = ", ".join(f"{name} {version(name)}" for name in packages)
            yield Finding(f"extra {extra}", f"{shown}{use and f': {use}'}")
            continue
        yield Finding(
            f"extra {extra}",
            f"{', '.join(missing)} not installed{use and f': {use}'}",
            State.MISSING,
            f"pip install '{PROJECT}[{extra}]'",
        )


def requirements() -> dict[str, list[str]]:
    """Return the packages that each extra of this package asks for, but for those to develop it.

    Raises:
        PackageNotFoundError: this package runs without being installed.
    """
    here = distribution(PROJECT)
    names = here.metadata.get_all("Provides-Extra") or []
    packages: dict[str, list[str]] = {n: [] for n in names if n not in FOR_DEVELOPERS}
    for line in here.requires or []:
        name, extra = _NAME.match(line), _EXTRA.search(line)
        if name and extra and extra[1] in packages:
            packages[extra[1]].append(name[0])
    return packages


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
