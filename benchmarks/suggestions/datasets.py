"""The data of the suggestion benchmark, as .npz files that the tool reads like anybody's arrays.

Each has x_train, y_train, x_val, y_val, x_test, y_test. The CIFAR-10 images come from where the
tool finds them (`$ONECYCLE_DATA`); everything else is generated, or comes with scikit-learn, which
the extra `benchmarks` installs.
"""

from __future__ import annotations

import pydoc_data.topics
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "data"
TOPICS, WORDS, PIECE, SNIPPET = 8, 1000, 200, 24
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


def columns() -> list[Examples]:
    """A table: ten columns that tell, six that repeat them, 24 of noise, each of its own scale.

    Every fourth is log-normal.
    """
    from sklearn.datasets import make_classification

    x, y = make_classification(
        10_000, 40, n_informative=10, n_redundant=6, n_classes=3, n_clusters_per_class=4,
        flip_y=0.05, shuffle=False, random_state=3,
    )  # fmt: skip
    x[:, ::4] = np.exp(x[:, ::4] / 2)
    x *= 10 ** np.random.default_rng(3).uniform(-3, 3, x.shape[1])
    return split(x.astype(np.float32), y.astype(np.int32), 6000, 1000)


def topics() -> list[Examples]:
    """24 words in a row of one of the longest texts of Python's documentation, and of which one.

    Each text is cut into pieces of 200 words, and a piece belongs to one part only. Some passages
    stand in two of the texts, so that a twelfth of the test part is known under another topic.
    """
    texts = [re.findall("[a-z_]+", text.lower()) for text in pydoc_data.topics.topics.values()]
    draw = np.random.default_rng(6)
    pieces = [
        [text[begin : begin + PIECE] for begin in range(0, len(text) - PIECE + 1, PIECE)]
        for text in sorted(texts, key=len)[-TOPICS:]
    ]
    for own in pieces:
        draw.shuffle(own)
    ends = [(len(own) * 6 // 10, len(own) * 7 // 10 + 1) for own in pieces]
    training = [own[:end] for own, (end, _) in zip(pieces, ends, strict=True)]
    validation = [own[begin:end] for own, (begin, end) in zip(pieces, ends, strict=True)]
    test = [own[begin:] for own, (_, begin) in zip(pieces, ends, strict=True)]
    counted = Counter(word for own in training for piece in own for word in piece)
    codes = {word: code for code, (word, _) in enumerate(counted.most_common(WORDS - 1), 1)}
    parts = ((training, 3200), (validation, 800), (test, 2400))
    return [_snippets(part, codes, count, draw) for part, count in parts]


def _snippets(
    pieces: list[list[list[str]]], codes: dict[str, int], count: int, draw: np.random.Generator
) -> Examples:
    """Draw snippets, as many of each topic; a word that is not known is 0."""
    x, y = np.zeros((count, SNIPPET), np.int32), np.arange(count, dtype=np.int32) % TOPICS
    for row, topic in zip(x, y, strict=True):
        piece = pieces[topic][draw.integers(len(pieces[topic]))]
        begin = draw.integers(PIECE - SNIPPET + 1)
        row[:] = [codes.get(word, 0) for word in piece[begin : begin + SNIPPET]]
    return x, y


def glyphs() -> list[Examples]:
    """Digits in the typefaces that come with Matplotlib: turned, sheared, moved, and noisy."""
    import matplotlib as mpl
    from PIL import Image, ImageDraw, ImageFont

    draw = np.random.default_rng(7)
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    names = [*folder.glob("DejaVuS*.ttf"), *folder.glob("STIXGeneral*.ttf")]
    fonts = [ImageFont.truetype(str(name), 40) for name in sorted(names) if "Display" not in name.stem]  # fmt: skip # noqa: E501
    y = draw.integers(0, 10, 9000).astype(np.int32)
    x = np.zeros((len(y), 20, 20), np.uint8)
    for image, digit in zip(x, y, strict=True):
        sheet = Image.new("L", (60, 60))
        font = fonts[draw.integers(len(fonts))]
        ImageDraw.Draw(sheet).text((30, 30), str(digit), fill=255, font=font, anchor="mm")
        turn, shear, zoom = draw.uniform((-0.4, -0.3, 2.2), (0.4, 0.3, 3.2))
        a, b, c, d = zoom * np.cos(turn), zoom * (np.sin(turn) + shear), -zoom * np.sin(turn), zoom * np.cos(turn)  # fmt: skip # noqa: E501
        right, down = 10 + draw.uniform(-2, 2, 2)
        moved = (a, b, 30 - a * right - b * down, c, d, 30 - c * right - d * down)
        small = sheet.transform((20, 20), Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR)
        ink = draw.uniform(0.4, 1.0) * np.asarray(small, float)
        image[:] = np.clip(ink + draw.normal(30, 40, ink.shape), 0, 255)
    return split(x, y, 5000, 1000)


def noisy(x: np.ndarray, seed: int) -> np.ndarray:
    """Return images with noise of their own; the tool calls it on each batch."""
    noise = np.random.default_rng(seed).normal(0, 30, x.shape)
    return np.clip(x + noise, 0, 255).astype(x.dtype)


def digits_copied() -> list[Examples]:
    return [(x, (x / 240).reshape(len(x), -1).astype(np.float32)) for x, _ in digits()]


def sphere() -> list[Examples]:
    """Points within and without a sphere in ten dimensions, as many of each."""
    from sklearn.datasets import make_hastie_10_2

    x, y = make_hastie_10_2(10_000, random_state=8)
    return split(x.astype(np.float32), (y > 0).astype(np.int32), 4000, 1000)


def tags() -> list[Examples]:
    """Counts of thirty words, and which of eight tags their text has; three on average."""
    from sklearn.datasets import make_multilabel_classification

    x, y = make_multilabel_classification(
        9000, 30, n_classes=8, n_labels=3, random_state=9, allow_unlabeled=True
    )
    return split(x.astype(np.float32), y.astype(np.int32), 5000, 1000)


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
    "columns": columns,
    "topics": topics,
    "glyphs": glyphs,
    "digits-copied": digits_copied,
    "sphere": sphere,
    "tags": tags,
    "random-labels": random_labels,
    "constant-inputs": constant_inputs,
}
