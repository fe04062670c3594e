"""The data of the suggestion benchmark, as .npz files that the tool reads like anybody's arrays.

Each has x_train, y_train, x_val, y_val, x_test, y_test. The CIFAR-10 images come from where the
tool finds them (`$ONECYCLE_DATA`); everything else is generated, or comes with scikit-learn, which
the extra `benchmarks` installs.
"""

from __future__ import annotations

import pydoc_data.topics
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "data"
SYMBOLS = " abcdefghijklmnopqrstuvwxyz.,'-0"

Examples = tuple[np.ndarray, np.ndarray]


def path_of(name: str) -> Path:
    """Return the file of a data set, made on first use."""
    file = FOLDER / f"{name}.npz"
    if not file.exists():
        FOLDER.mkdir(exist_ok=True)
        parts = {}
        for part, (x, y) in zip(("train", "val", "test"), _MAKERS[name](), strict=True):
            parts |= {f"x_{part}": x, f"y_{part}": y}
        scratch = file.with_suffix(".part.npz")
        np.savez(scratch, **parts)
        scratch.replace(file)
    return file


def split(x: np.ndarray, y: np.ndarray, train: int, val: int) -> list[Examples]:
    """Cut shuffled examples into a training, a validation and a test part."""
    order = np.random.default_rng(0).permutation(len(x))
    return [(x[rows], y[rows]) for rows in np.split(order, [train, train + val])]


def digits() -> list[Examples]:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return split((x * 15).astype(np.uint8).reshape(-1, 8, 8), y.astype(np.int32), 1100, 197)


def random_labels() -> list[Examples]:
    draw = np.random.default_rng(1)
    return [(x, draw.permutation(y)) for x, y in cifar(2)]


def constant_inputs() -> list[Examples]:
    return [(np.full_like(x, 128), y) for x, y in cifar(2)]


def teacher() -> list[Examples]:
    """Ten classes that a random network of one hidden layer assigns, a twentieth of them wrong."""
    draw = np.random.default_rng(2)
    x = draw.normal(size=(10_000, 20)).astype(np.float32)
    hidden = np.tanh(x @ draw.normal(size=(20, 40)) / 2)
    y = (hidden @ draw.normal(size=(40, 10))).argmax(axis=1).astype(np.int32)
    wrong = draw.random(len(y)) < 0.05
    y[wrong] = draw.integers(0, 10, wrong.sum())
    return split(x, y, 6000, 1000)


def friedman(scale: float) -> list[Examples]:
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(8000, noise=1.0, random_state=0)
    y = scale * (y - y[:4000].mean()) / y[:4000].std()
    return split(x.astype(np.float32), y.astype(np.float32), 4000, 1000)


def characters() -> list[Examples]:
    """Sixteen characters of Python's own documentation, one-hot, and the one that follows."""
    text = " ".join(pydoc_data.topics.topics[key] for key in sorted(pydoc_data.topics.topics))
    text = re.sub("[0-9]", "0", text.lower())
    text = re.sub(f"[^{re.escape(SYMBOLS)}]+", " ", text)
    codes = np.array([SYMBOLS.index(c) for c in re.sub(" +", " ", text)], np.int32)
    parts, size = [], len(codes) // 3
    for part, count in enumerate((8000, 1000, 2500)):
        begin = part * size + np.random.default_rng(part).permutation(size - 17)[:count]
        x = np.eye(len(SYMBOLS), dtype=np.uint8)[codes[begin[:, None] + np.arange(16)]]
        parts.append((x, codes[begin + 16]))
    return parts


def cifar(shrink: int) -> list[Examples]:
    """Some images of CIFAR-10, smaller by averaging `shrink` x `shrink` pixels."""
    from onecycle_cli import data
    from onecycle_cli.config import load_config

    config = load_config(
        {"dataset": {"name": "cifar10"}, "model": {"name": "mini_vgg"}, "name": "x"}
    )
    whole = data.load(config.dataset, seed=0)
    x, y = whole.test()
    chosen = [whole.train[:: len(whole.train) // 8000][:8000], whole.validation[:1000]]
    parts = [(whole.x[rows], whole.y[rows]) for rows in chosen] + [(x[:2000], y[:2000])]
    return [(_shrunk(x, shrink), y) for x, y in parts]


def _shrunk(x: np.ndarray, by: int) -> np.ndarray:
    n, side = len(x), x.shape[1] // by
    return x.reshape(n, side, by, side, by, 3).mean(axis=(2, 4)).round().astype(np.uint8)


_MAKERS: dict[str, Callable[[], list[Examples]]] = {
    "digits": digits,
    "teacher": teacher,
    "friedman": lambda: friedman(1.0),
    "friedman-small": lambda: friedman(0.2),
    "friedman-large": lambda: friedman(3.0),
    "friedman-huge": lambda: friedman(10.0),
    "characters": characters,
    "cifar16": lambda: cifar(2),
    "cifar32": lambda: cifar(1),
    "random-labels": random_labels,
    "constant-inputs": constant_inputs,
}
