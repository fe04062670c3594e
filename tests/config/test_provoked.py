"""What people write wrong, each with what the answer must say: the way on, where there is one."""

import re

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError

PROVOKED = {
    # keys of Keras, PyTorch, fastai, Lightning, or of another section
    "epochs: 5": "did you mean 'train.cycles: [{epochs: 5}]'?",
    "num_epochs: 5": "did you mean 'train.cycles: [{epochs: 5}]'?",
    "lr: 0.1": "did you mean 'train.max_lr'?",
    "learning_rate: 0.1": "did you mean 'train.max_lr'?",
    "max_lr: 1": "did you mean 'train.max_lr' or 'find_lr.max_lr'?",
    "momentum: 0.9": "did you mean 'train.momentum' or 'optimizer.momentum'?",
    "weight_decay: 0.1": "did you mean 'train.weight_decay' or 'optimizer.weight_decay'?",
    "wd: 0.1": "did you mean 'train.weight_decay'?",
    "xla: true": "did you mean 'jit_compile'?",
    "mixed_precision: true": "did you mean 'precision'?",
    "gpus: 2": "did you mean 'devices'?",
    "random_seed: 3": "did you mean 'seed'?",
    "data: x": "did you mean 'dataset'?",
    "Dataset: x": "did you mean 'dataset'?",
    "batchsize: 3": "did you mean 'batch_size'?",
    "augment: true": "did you mean 'dataset.augment'?",
    "validation_split: 0.2": "did you mean 'dataset.validation_fraction'?",
    "scheduler: cosine": "did you mean 'train.shape'?",
    "callbacks: []": "the known ones are name, seed,",
    "optimizer: {lr: 0.1}": "did you mean 'train.max_lr'?",
    "optimizer: {learning_rate: 0.1}": "did you mean 'train.max_lr'?",
    "optimizer: {beta_1: 0.9}": "did you mean 'optimizer.momentum'?",
    "optimizer: {beta_2: 0.9}": "did you mean 'train.also.beta_2'?",
    "train: {lr: 0.1}": "did you mean 'max_lr'?",
    "train: {epochs: 10}": "did you mean 'train.cycles: [{epochs: 10}]'?",
    "train: {pct_start: 0.3}": "did you mean 'train.shape_options.pct_start'?",
    "train: {patience: 3}": "did you mean 'train.early_finish.patience'?",
    "train: {seed: 3}": "did you mean 'seed'?",
    "find_lr: {num_steps: 9}": "did you mean 'steps'?",
    "find_lr: {repeat: 2}": "did you mean 'repeats'?",
    "search: {workers: 3}": "did you mean 'search.trials_at_once'?",
    "train.max_lr: 3": "write it as train: {max_lr: 3}.",
    # values by other names
    "optimizer: adamx": "did you mean 'adamax'?",
    "optimizer: {name: Adafactor}": "take adamw, for example.",
    "loss: bce": "did you mean 'binary_crossentropy'?",
    "loss: binary_cross_entropy": "did you mean 'binary_crossentropy'?",
    "loss: BinaryCrossentropy": "did you mean 'binary_crossentropy'?",
    "loss: categorical_crossentropy": "did you mean 'sparse_categorical_crossentropy'?",
    "loss: crossentropy": "'sparse_categorical_crossentropy' or 'binary_crossentropy'?",
    "loss: mean_squared_error": "did you mean 'mse'?",
    "precision: float16": "did you mean 'mixed_float16'?",
    "precision: bfloat16": "did you mean 'mixed_bfloat16'?",
    "precision: fp16": "did you mean 'mixed_float16'?",
    "precision: 16": "did you mean 'mixed_float16'?",
    "backend: tf": "did you mean 'tensorflow'?",
    "backend: pytorch": "did you mean 'torch'?",
    "backend: TensorFlow": "did you mean 'tensorflow'?",
    "task: classification": "did you mean 'multiclass'?",
    "task: binary_classification": "did you mean 'binary'?",
    "train: {shape: cos}": "did you mean 'cosine' or 'flat_cos'?",
    "train: {shape: onecycle}": "did you mean 'smith'?",
    "find_lr: {method: sweeps}": "did you mean 'sweep'?",
    "search: dask": "must be 'local' or 'ray'",
    # values of another kind
    "train: 10": "must have keys and values of its own",
    "train: {cycles: 10}": "such as [{epochs: 10}]; got 10.",
    "train: {cycles: {epochs: 10}}": "such as [{epochs: 10}]; got {epochs: 10}.",
    "train: {cycles: [10]}": "such as {epochs: 10}; got 10.",
    "train: {momentum: 0.9}": "such as {max: 0.95, min: 0.85}, or 'auto'; got 0.9.",
    "train: {momentum: [0.9, 0.8]}": "such as {max: 0.95, min: 0.85}, or 'auto'; got [0.9, 0.8].",
    "train: {momentum: {max: 0.95}}": "train.momentum.min is required; add it.",
    "train: {early_finish: 3}": "such as {patience: 5}; got 3.",
    "train: {resize: 24}": "such as [{until: 0.3, size: 24}]; got 24.",
    "train: {ema: true}": "must be a number; got true.",
    "find_lr: {rates: 0.1}": "such as [0.01, 0.03, 0.1]; got 0.1.",
    "find_wd: {values: 0.1}": "such as [0, 0.0001, 0.001], or 'auto'; got 0.1.",
    "optimizer: [adam]": "must be a name, or have keys and values of its own; got [adam].",
    "loss: 3": "must be a name, or have keys and values of its own; got 3.",
    "batch_size: '32'": "must be a whole number; got '32'.",
    "batch_size: 32.0": "must be a whole number; got 32.0.",
    "jit_compile: on": "must be true or false or 'auto'; got 'on'.",
    "devices: gpu": "must be a whole number or 'auto'; got 'gpu'.",
    # values out of range
    "train: {max_lr: -1}": "must be greater than 0 or 'auto'; got -1.",
    "train: {retries: -1}": "must be at least 0; got -1.",
    "find_lr: {steps: 5}": "must be at least 12 or 'auto'; got 5.",
    "find_lr: {rates: [0.1]}": "must have at least 2 entries; got [0.1].",
    "find_momentum: {values: []}": "must have at least 1 entry; got [].",
    "find_lr: {min_lr: 1, max_lr: 0.1}": "min_lr (1) must be below max_lr (0.1).",
    "train: {shape: pytorch, shape_options: {pct_start: 3}}": "must be a number in [0, 1]; got 3.",
}
OF_A_LIBRARY = re.compile("Input should|Value error|validation error|type=|pydantic|<class")


@pytest.mark.parametrize("text", PROVOKED)
def test_each_is_answered_in_a_line_with_place_rule_and_the_way_on(write, text):
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    said = str(caught.value)
    assert said.startswith(f"{path}, line 3: ")
    assert PROVOKED[text] in said
    assert "\n" not in said and said.endswith((".", "?"))
    assert not OF_A_LIBRARY.search(said)
    assert len(said) - len(str(path)) < 350
