"""From YAML to a validated configuration."""

from onecycle_cli.config.loading import load_config
from onecycle_cli.config.schema import (
    DATASETS,
    OPTIMIZERS,
    AugmentConfig,
    Config,
    CycleConfig,
    DatasetConfig,
    FindLRConfig,
    FindMomentumConfig,
    FindWDConfig,
    LossConfig,
    ModelConfig,
    MomentumRange,
    OptimizerConfig,
    TrainConfig,
)

__all__ = [
    "DATASETS",
    "OPTIMIZERS",
    "AugmentConfig",
    "Config",
    "CycleConfig",
    "DatasetConfig",
    "FindLRConfig",
    "FindMomentumConfig",
    "FindWDConfig",
    "LossConfig",
    "ModelConfig",
    "MomentumRange",
    "OptimizerConfig",
    "TrainConfig",
    "load_config",
]
