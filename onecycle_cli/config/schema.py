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
    """A model by name or by `path/to/file.py:function`, and the options of its builder."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class LossConfig(Section):
    """The loss; `auto` follows the task, `compiled` is that of a model that comes compiled.

    `from_logits`: the model ends in no softmax or sigmoid.
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
    report: bool = True

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
