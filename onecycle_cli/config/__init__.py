"""From YAML to a validated configuration."""

from onecycle_cli.config.dataset import DATASETS, AugmentConfig, DatasetConfig
from onecycle_cli.config.finders import FindLRConfig, FindMomentumConfig, FindWDConfig
from onecycle_cli.config.loading import load_config
from onecycle_cli.config.optimizer import OPTIMIZERS, OptimizerConfig
from onecycle_cli.config.schema import Config, LossConfig, ModelConfig
from onecycle_cli.config.train import CycleConfig, MomentumRange, TrainConfig

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
