"""What a configuration may say: its keys, their types, ranges and defaults."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

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
from onecycle_cli.config.sources import IN_MEMORY
from onecycle_cli.config.train import TrainConfig
from onecycle_cli.errors import ConfigError

Task = Literal["multiclass", "binary", "multilabel", "regression"]
_TASK_OF_A_LOSS: dict[str, Task] = {
    "sparse_categorical_crossentropy": "multiclass",
    **dict.fromkeys(("mse", "mae", "huber"), "regression"),
}


class ModelConfig(Section):
    """The network.

    Attributes:
        name: one of those that `onecycle list models` shows, or `path/to/file.py:function`.
        options: arguments of its builder.
    """

    main_key: ClassVar[str] = "name"

    name: str
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """What a sentence calls it; one that was handed over in Python has no name."""
        return "the model" if self.name == IN_MEMORY else f"model {self.name}"


class LossConfig(Section):
    """The loss that is trained on. A name alone is enough: `loss: mse`.

    Attributes:
        name: `auto`: by the task; `compiled`: the loss that the model was compiled with.
        from_logits: whether the model ends without a softmax or sigmoid.
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
        name: the name of the experiment's folder under `runs/`; by default that of the file.
        seed: the seed of initial weights, splits, the order of the examples and augmentation.
        batch_size: examples in a batch.
        backend: the backend of Keras; `auto`: the one Keras is set to, else the first that is
            installed.
        devices: how many GPUs or TPUs share each batch; `auto`: all of them.
        precision: the numbers to compute with; weights are kept in 32 bits. `auto`: the faster one
            of `float32` and `mixed_bfloat16` on this machine.
        jit_compile: whether to use XLA; `auto`: with JAX, and with PyTorch on an accelerator.
        steps_per_execution: training steps that run at a time; `auto`: more than 1 for small dense
            networks.
        fused_batch_norm: train BatchNormalization with TensorFlow's fused operation; `auto`: on a
            CPU, unless that is slower.
        task: what the targets mean; `auto`: derived from the targets.
        loss: the loss that is trained on.
        dataset: which data, from where, and how they are split.
        model: the network.
        optimizer: the optimizer, and the values that the searches start from.
        find_lr: the search for a learning rate.
        find_momentum: the comparison of ranges of momentum.
        find_wd: the comparison of weight decays.
        search: where the short trainings of a search run.
        train: one or more 1cycle passes.
        report: whether each run has a `report.html`; without it no `mistakes.json` is kept either.
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
