"""Where data may come from: one row a source.

Whatever is to be known of a source without reading it stands here, and all who need it read it
here: the configuration and its templates, `onecycle list`, the loader, previews and evaluation.
A new source is a row, and a file in `onecycle_cli.data.sources`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onecycle_cli.plugin_names import names_a_file


@dataclass(frozen=True)
class DataSource:
    """One source of data.

    Attributes:
        about: what it is, in a line.
        reader: the module of `onecycle_cli.data.sources`, and the function in it, that read it.
        path: whether it is read from a path: it is `needed`; it is `optional`, since the data are
            looked for and downloaded otherwise; or there is `none`, as they come with the program.
        example: a path as a template names it, and what is there, for those that need one.
        training_examples: in its training set, where that is the same for everybody.
        has_test_set: whether its test set is a fixed one, which no training has seen.
        has_own_images: whether it reads files of images, of any size.
        has_columns: whether it reads tables, of which some columns are to be predicted.
        problem: the function that finds what the configuration names and the data do not have,
            quickly and without Keras, written as `reader` is.
        is_augmented: whether training images are flipped and cropped if nothing is said.
        is_listed: whether a configuration of one's own may name it.
        model: that a template starts with.
        epochs: that a template trains for.
        batch_size: that a template trains with.
    """

    about: str
    reader: str
    path: Literal["needed", "optional", "none"] = "optional"
    example: tuple[str, str] | None = None
    training_examples: int | None = None
    has_test_set: bool = False
    has_own_images: bool = False
    has_columns: bool = False
    problem: str | None = None
    is_augmented: bool = False
    is_listed: bool = True
    model: str = "resnet9"
    epochs: int = 20
    batch_size: int = 128


IN_MEMORY = "memory"
"""The name of data, and of a model, that were handed over in Python."""

SOURCES: dict[str, DataSource] = {
    "digits": DataSource(
        "1,797 handwritten digits of 8x8 pixels, part of this package: no download",
        "digits.read",
        path="none",
        model="mlp",
        batch_size=64,
    ),
    "cifar10": DataSource(
        "60,000 photos of 32x32 pixels in 10 classes",
        "cifar.read_cifar10",
        training_examples=50_000,
        has_test_set=True,
        is_augmented=True,
    ),
    "cifar100": DataSource(
        "60,000 photos of 32x32 pixels in 100 classes",
        "cifar.read_cifar100",
        training_examples=50_000,
        has_test_set=True,
        is_augmented=True,
        epochs=40,
    ),
    "mnist": DataSource(
        "70,000 handwritten digits of 28x28 pixels",
        "mnist.read_mnist",
        training_examples=60_000,
        has_test_set=True,
    ),
    "fashion_mnist": DataSource(
        "70,000 pictures of clothing of 28x28 pixels in 10 classes",
        "mnist.read_fashion_mnist",
        training_examples=60_000,
        has_test_set=True,
    ),
    "arrays": DataSource(
        "your own .npz file, or folder of .npy files: x_train, y_train, optional x_val, x_test ...",
        "arrays.read",
        path="needed",
        example=("data.npz", "x_train, y_train, optional x_val, y_val, x_test, y_test"),
        model="mlp",
    ),
    IN_MEMORY: DataSource(
        "what is handed to a function in Python, as in find_lr(model, x, y)",
        "memory.read",
        path="none",
        is_listed=False,
    ),
    "table": DataSource(
        "your own table: a .csv or .parquet file, or a folder with train, optional val and test",
        "table.read",
        path="needed",
        example=("data.csv", "or data.parquet, or a folder with train.csv, val.csv, test.csv"),
        has_columns=True,
        problem="table.problem",
        model="mlp",
        batch_size=64,
    ),
    "image_folder": DataSource(
        "your own folder: <class>/*, or train/<class>/*, optional val/<class>/* and test/<class>/*",
        "image_folder.read",
        path="needed",
        has_own_images=True,
        example=("images", "<class>/*, or train/<class>/*, val/<class>/*, test/<class>/*"),
    ),
}

_BY_FUNCTION = DataSource(
    "what a function of your own returns: a mapping of train, optional validation and test",
    "by_function.source_by_function",
    path="none",
)


def source_of(name: str) -> DataSource:
    """Return the row of a source, of one by `path/to/file.py:function` too."""
    return _BY_FUNCTION if names_a_file(name) else SOURCES[name]


DATASETS: dict[str, str] = {n: source.about for n, source in SOURCES.items() if source.is_listed}
