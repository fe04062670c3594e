"""The problems of the suggestion benchmark: tasks and variants, as configurations of the tool.

Those of the tasks in `TUNING` may be looked at while a rule is being made; all the others are only
ever scored. Those in `NEW` were chosen when the default rule was done, and nothing was changed by
what they show; `LONG` are trainings of thousands of steps, in a table of their own. In the negative
controls nothing can be learned, and the right answer is to refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datasets

NETWORKS = Path(__file__).parent / "networks.py"
DEFAULTS = {"sgd": 0.01} | dict.fromkeys(("adam", "adamw", "lion", "nadam", "rmsprop"), 0.001)
"""The learning rates that the framework's optimizers come with."""


@dataclass(frozen=True)
class Problem:
    """A data set, a network, an optimizer and a length of training.

    Attributes:
        task: what it is about; its variants share the name.
        variant: what is different in this one.
        data: name of the data set.
        network: function in networks.py.
        options: its options.
        optimizer: name of the optimizer.
        batch_size: examples in a step.
        epochs: of the complete 1cycle run.
        weight_decay: as the optimizer's `auto` convention has it.
        further: what else the configuration says; a section's keys join those above.
    """

    task: str
    variant: str
    data: str
    network: str
    options: dict[str, Any]
    optimizer: str = "sgd"
    batch_size: int = 64
    epochs: int = 4
    weight_decay: float = 1e-5
    further: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.task}/{self.variant}"

    def config(self, **changes: Any) -> dict[str, Any]:
        """Return the configuration; `changes` replace whole sections."""
        config: dict[str, Any] = {
            "name": self.name.replace("/", "-"),
            "batch_size": self.batch_size,
            "dataset": {"name": "arrays", "path": str(datasets.path_of(self.data))},
            "model": {"name": f"{NETWORKS}:{self.network}", "options": self.options},
            "optimizer": {"name": self.optimizer, "weight_decay": self.weight_decay},
            "train": {"cycles": [{"epochs": self.epochs}]},
        }
        for key, value in self.further.items():
            config[key] = config[key] | value if key in config else value
        return config | changes


def variants(task: str, **common: Any):
    """Return a maker of problems that share everything but what each variant names."""

    def make(variant: str, **changes: Any) -> Problem:
        options = common.get("options", {}) | changes.pop("options", {})
        return Problem(task, variant, **{**common, **changes, "options": options})

    return make


def _tuning() -> list[Problem]:
    perceptron = variants("digits-mlp", data="digits", network="mlp", options={}, epochs=12)
    layered = variants("teacher-mlp-ln", data="teacher", network="mlp", options={"norm": "layer"})
    images = variants(
        "cifar16-cnn-bn", data="cifar16", network="cnn",
        options={"norm": "batch", "filters": 8}, batch_size=128, epochs=3,
    )  # fmt: skip
    return [
        perceptron("base"),
        perceptron("batch 16", batch_size=16, epochs=6),
        perceptron("outputs x 0.1", options={"output_scale": 0.1}),
        perceptron("adam", optimizer="adam"),
        layered("base"),
        layered("outputs x 10", options={"output_scale": 10.0}),
        images("base"),
        images("batch 32", batch_size=32, epochs=1),
        images("adam", optimizer="adam"),
    ]


def _scored() -> list[Problem]:
    plain = variants("digits-cnn", data="digits", network="cnn", options={}, epochs=16)
    deep = variants("teacher-mlp-deep", data="teacher", network="mlp", options={"depth": 4})
    regression = variants("friedman-mlp", data="friedman", network="mlp", options={}, batch_size=32)
    resnet = variants(
        "cifar16-resnet8", data="cifar16", network="residual",
        options={"filters": 8}, batch_size=128, epochs=2,
    )  # fmt: skip
    language = variants(
        "characters-transformer", data="characters", network="transformer", options={},
        optimizer="adamw", weight_decay=1e-2, epochs=2,
    )  # fmt: skip
    reader = variants(
        "digits-gru", data="digits", network="recurrent", options={}, optimizer="adam",
        batch_size=32, epochs=10,
    )  # fmt: skip
    photos = variants(
        "cifar32-cnn", data="cifar32", network="cnn", options={"stride": 2, "filters": 12}, epochs=2
    )
    return [
        plain("base"),
        plain("batch 16", batch_size=16, epochs=8),
        plain("outputs x 10", options={"output_scale": 10.0}),
        plain("outputs x 0.1", options={"output_scale": 0.1}),
        deep("base"),
        deep("batch 256", batch_size=256, epochs=12),
        deep("outputs x 0.1", options={"output_scale": 0.1}),
        deep("outputs x 10", options={"output_scale": 10.0}),
        deep("adam", optimizer="adam"),
        regression("base"),
        regression("targets x 0.2", data="friedman-small"),
        regression("targets x 3", data="friedman-large"),
        regression("targets x 10", data="friedman-huge"),
        resnet("base"),
        resnet("batch 32", batch_size=32, epochs=1),
        resnet("outputs x 10", options={"output_scale": 10.0}),
        language("base"),
        language("batch 16", batch_size=16, epochs=1),
        language("outputs x 10", options={"output_scale": 10.0}),
        reader("base"),
        reader("batch 128", batch_size=128, epochs=20),
        reader("outputs x 10", options={"output_scale": 10.0}),
        reader("sgd", optimizer="sgd"),
        photos("base"),
        photos("outputs x 10", options={"output_scale": 10.0}),
        photos("batch norm", options={"norm": "batch"}),
    ]


def _new() -> list[Problem]:
    table = variants("columns-mlp", data="columns", network="mlp", options={})
    topics = variants(
        "topics-words", data="topics", network="reader", options={}, optimizer="adam",
        batch_size=32, epochs=3, further={"dataset": {"normalise": False}},
    )  # fmt: skip
    glyphs = variants("glyphs-lenet", data="glyphs", network="lenet", options={}, epochs=3)
    noise = {"dataset": {"augment": f"{NETWORKS.with_name('datasets.py')}:noisy"}}
    copier = variants(
        "digits-autoencoder", data="digits-copied", network="autoencoder", options={},
        batch_size=32, epochs=10,
    )  # fmt: skip
    sphere = variants(
        "sphere-mlp", data="sphere", network="mlp", options={}, batch_size=32, epochs=3,
        further={"task": "binary"},
    )  # fmt: skip
    return [
        table("base"),
        table("no nesterov", further={"optimizer": {"nesterov": False}}),
        table("adamw, decay 0.1", optimizer="adamw", weight_decay=0.1),
        topics("base"),
        topics("convolutions, rmsprop", options={"convolutions": 2}, optimizer="rmsprop"),
        glyphs("base"),
        glyphs("decay 0.003", weight_decay=3e-3),
        glyphs("dropout and noise", options={"dropout": 0.5}, further=noise),
        glyphs("lion", optimizer="lion", weight_decay=1e-2),
        Problem(
            "cifar16-resnet8-gn", "base", "cifar16", "residual", {"norm": "group", "filters": 8},
            epochs=1,
        ),
        copier("base"),
        copier("adam", optimizer="adam"),
        sphere("base"),
        sphere("nadam", optimizer="nadam"),
        Problem("tags-mlp", "base", "tags", "mlp", {}),
    ]  # fmt: skip


def _controls() -> list[Problem]:
    return [
        Problem("control", "frozen weights", "cifar16", "frozen", {}),
        Problem("control", "random labels", "random-labels", "cnn", {"norm": "batch"}),
        Problem("control", "random labels, adam", "random-labels", "cnn", {}, optimizer="adam"),
        Problem("control", "constant inputs", "constant-inputs", "cnn", {}),
        Problem("control", "already diverged", "cifar16", "diverged", {}),
    ]


def _long() -> list[Problem]:
    digits = variants("digits-mlp", data="digits", network="mlp", options={})
    layered = variants("teacher-mlp-ln", data="teacher", network="mlp", options={"norm": "layer"})
    regression = variants("friedman-mlp", data="friedman", network="mlp", options={}, batch_size=32)
    deep = variants("teacher-mlp-deep", data="teacher", network="mlp", options={"depth": 4})
    reader = variants("digits-gru", data="digits", network="recurrent", options={}, batch_size=32)
    return [
        digits("long", epochs=110),
        layered("long", epochs=54),
        regression("long", epochs=40),
        deep("long, batch 256", batch_size=256, epochs=84),
        deep("long, adam", optimizer="adam", epochs=22),
        reader("long", optimizer="adam", epochs=60),
    ]


TUNING = _tuning()
SCORED = _scored()
LONG = _long()
NEW = _new()
CONTROLS = _controls()
PROBLEMS = {problem.name: problem for problem in [*TUNING, *SCORED, *NEW, *CONTROLS]}
