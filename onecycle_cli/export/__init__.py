"""What a run found or trained with, as code and as YAML to take elsewhere.

Every function here turns a `TrainingPlan` into text, and needs no Keras.
"""

from onecycle_cli.export.keras_code import keras_code
from onecycle_cli.export.plan import TrainingPlan, plan_of, read_plan
from onecycle_cli.export.pytorch_code import pytorch_code
from onecycle_cli.export.yaml_values import yaml_values

__all__ = [
    "TrainingPlan",
    "keras_code",
    "plan_of",
    "pytorch_code",
    "read_plan",
    "yaml_values",
]
