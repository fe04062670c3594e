"""What a configuration may say: its keys, their types, ranges and defaults."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from onecycle_cli.config.dataset import DatasetConfig
from onecycle_cli.config.finders import (
    FindLRConfig,
    FindMomentumConfig,
    FindWDConfig,
    SearchConfig,
)
from onecycle_cli.config.optimizer import OptimizerConfig
from onecycle_cli.config.section import Auto, Count, Section, dotted, leaves
from onecycle_cli.config.train import TrainConfig
from onecycle_cli.errors import ConfigError

Task = Literal["multiclass", "binary", "multilabel", "regression"]
_TASK_OF_A_LOSS: dict[str, Task] = {
    "sparse_categorical_crossentropy": "multiclass",
    **dict.fromkeys(("mse", "mae", "huber"), "regression"),
}


class ModelConfig(Section):
    """A model by name or by `path/to/file.py:function`, and the options of its builder.

    Attributes:
        name: one of those that `onecycle list models` shows, or `path/to/file.py:function`.
        options: arguments of the function that builds it.
    """

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class LossConfig(Section):
    """The loss, and what it is given.

    Attributes:
        name: `auto` follows the task, `compiled` is that of a model that comes compiled.
        from_logits: the model ends in no softmax or sigmoid.
    """

    name: Literal[
        "auto",
        "sparse_categorical_crossentropy",
        "binary_crossentropy",
        "mse",
        "mae",
        "huber",
        "compiled",
    ] = "auto"
    from_logits: bool = False


class Config(Section):
    """A whole experiment.

    Beside the validated values it knows where each came from: see `origin` and `error`.

    Attributes:
        name: the experiment's folder under runs/; that of the file, if it is not given.
        seed: decides initial weights, the order of the data, augmentation and the split.
        batch_size: examples in a batch, on all devices together.
        backend: what Keras runs on; the environment variable KERAS_BACKEND goes before it.
        devices: how many train together; `auto`: all GPUs or TPUs, or the processor.
        precision: of the computation; `auto`: bfloat16 where it is measured to be faster.
        jit_compile: whether the training step is compiled by XLA.
        steps_per_execution: training steps in one call of the backend.
        fused_batch_norm: train BatchNormalization by the fused kernel.
        task: what the targets set; `auto`: what they show.
        loss: its name, or a section.
        dataset: which data, from where, and how they are split.
        model: what is trained.
        optimizer: what the finders start from.
        find_lr: the search for a learning rate.
        find_momentum: the comparison of ranges of momentum.
        find_wd: the comparison of weight decays.
        search: where the short trainings of a search run.
        train: one or more 1cycle passes.
    """

    name: Annotated[str, Field(pattern=r"^[^./\\\x00][^/\\\x00]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    batch_size: Count = 128
    backend: Literal["auto", "tensorflow", "jax", "torch"] = "auto"
    devices: Count | Auto = "auto"
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16", "auto"] = "float32"
    jit_compile: bool | Auto = "auto"
    steps_per_execution: Count | Auto = "auto"
    fused_batch_norm: bool | Auto = "auto"
    task: Task | Auto = "auto"
    loss: LossConfig = LossConfig()
    dataset: DatasetConfig
    model: ModelConfig
    optimizer: OptimizerConfig = OptimizerConfig()
    find_lr: FindLRConfig = FindLRConfig()
    find_momentum: FindMomentumConfig = FindMomentumConfig()
    find_wd: FindWDConfig = FindWDConfig()
    search: SearchConfig = SearchConfig()
    train: TrainConfig = TrainConfig()

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _places: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("loss", mode="before")
    @classmethod
    def _loss_by_name(cls, loss: Any) -> Any:
        return {"name": loss} if isinstance(loss, str) else loss

    @model_serializer(mode="wrap")
    def _plain_loss(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        if not self.loss.from_logits:
            data["loss"] = self.loss.name
        return data

    @property
    def meant_task(self) -> Task | None:
        """The task that the configuration says, by `task` or by its loss; `None` for neither."""
        return _TASK_OF_A_LOSS.get(self.loss.name) if self.task == "auto" else self.task

    def origin(self, key: str) -> str:
        """Return where the value of a dotted key came from: `default`, `file` or `--set`."""
        within = (where for k, where in self._origins.items() if k.startswith(f"{key}."))
        return self._nearest(self._origins, key) or next(within, "default")

    def leaves(self) -> dict[str, Any]:
        """Return every value by its dotted key; lists and empty mappings are values."""
        return {dotted(key): value for key, value in leaves(self.model_dump())}

    @property
    def origins(self) -> dict[str, str]:
        """Where each value came from that is not a default, by dotted key."""
        return dict(self._origins)

    def with_origins(self, origins: dict[str, str]) -> Config:
        """Return a copy whose values are said to come from elsewhere, by dotted key."""
        copy = self.model_copy()
        copy._origins = dict(origins)
        return copy

    def error(self, key: str, message: str) -> ConfigError:
        """Return an error about a dotted key, with the place where it was set."""
        place = self._nearest(self._places, key)
        return ConfigError(f"{place}: {message}" if place else message)

    def with_values(self, **sections: dict[str, Any]) -> Config:
        """Return a copy with some values replaced, by section, and validated again."""
        data = self.model_dump()
        for section, values in sections.items():
            data[section] |= values
        changed = Config.model_validate(data)
        changed._origins, changed._places = self._origins, self._places
        return changed

    @staticmethod
    def _nearest(known: dict[str, str], key: str) -> str | None:
        parts = key.split(".")
        for end in range(len(parts), 0, -1):
            if (found := known.get(".".join(parts[:end]))) is not None:
                return found
        return None
