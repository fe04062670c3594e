"""Where data sets are looked for, which are there, and what the caches take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from onecycle_cli.data.files.locate import (
    DATA_VARIABLE,
    Layout,
    data_folder,
    download_folder,
    keras_folder,
    locate,
)
from onecycle_cli.data.sources import cifar, mnist
from onecycle_cli.doctor.finding import Finding, State
from onecycle_cli.doctor.machine import in_words

LAYOUTS: dict[str, Layout] = {
    "cifar10": cifar.CIFAR10.layout,
    "cifar100": cifar.CIFAR100.layout,
    "mnist": mnist.MNIST,
    "fashion_mnist": mnist.FASHION_MNIST,
}
"""The data sets that are looked for, and are downloaded where they are not found."""

_MOST_FILES = 10_000


def places() -> Iterator[Finding]:
    """Yield where data sets are looked for.

    Raises:
        DataError: $ONECYCLE_DATA names something that is not there.
    """
    folder = data_folder()
    named = f"{DATA_VARIABLE}={folder}" if folder else f"{DATA_VARIABLE} is not set"
    yield Finding("data", f"looked for in: {named}; {keras_folder()}; {download_folder()}")


def present() -> Iterator[Finding]:
    """Yield which data sets are there."""
    yield Finding("data set digits", "part of this package")
    for name, layout in LAYOUTS.items():
        place = locate(layout, None)
        if place is None:
            yield Finding(f"data set {name}", "downloaded when it is needed", State.MISSING)
        else:
            yield Finding(f"data set {name}", str(place))


def caches() -> Iterator[Finding]:
    """Yield what is kept of downloads, decoded images and measurements; all may be deleted."""
    folder = download_folder()
    if not folder.is_dir():
        yield Finding("cache", f"{folder}: nothing yet")
        return
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        yield Finding("cache", f"{place}: {_size_of(place)}")


def _size_of(folder: Path) -> str:
    """Return what lies in a folder; of very many files, that of the first."""
    total = count = 0
    for root, _, names in os.walk(folder):
        for name in names:
            total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118  (one of very many)
            count += 1
            if count == _MOST_FILES:
                return f"more than {in_words(total)} in more than {count:,} files"
    return f"{in_words(total)} in {count:,} {'file' if count == 1 else 'files'}"
