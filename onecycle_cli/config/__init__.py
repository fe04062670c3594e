"""From YAML to a validated configuration."""

from onecycle_cli.config.dataset import AugmentConfig, DatasetConfig
from onecycle_cli.config.finders import (
    FindLRConfig,
    FindMomentumConfig,
    FindWDConfig,
    SearchConfig,
)
from onecycle_cli.config.loading import load_config
from onecycle_cli.config.optimizer import OPTIMIZERS, UNSUITABLE, OptimizerConfig
from onecycle_cli.config.schema import Config, LossConfig, ModelConfig
from onecycle_cli.config.sources import DATASETS, IN_MEMORY, SOURCES, DataSource, source_of
from onecycle_cli.config.train import TRACKERS, CycleConfig, MomentumRange, TrainConfig

__all__ = [
    "DATASETS",
    "IN_MEMORY",
    "OPTIMIZERS",
    "SOURCES",
    "TRACKERS",
    "UNSUITABLE",
    "AugmentConfig",
    "Config",
    "CycleConfig",
    "DataSource",
    "DatasetConfig",
    "FindLRConfig",
    "FindMomentumConfig",
    "FindWDConfig",
    "LossConfig",
    "ModelConfig",
    "MomentumRange",
    "OptimizerConfig",
    "SearchConfig",
    "TrainConfig",
    "load_config",
    "source_of",
]
