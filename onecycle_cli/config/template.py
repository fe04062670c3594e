"""A commented configuration for each data set, to start from."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from onecycle_cli.config.sources import DATASETS, SOURCES, DataSource
from onecycle_cli.errors import ConfigError, did_you_mean

_FEWEST_STEPS = 20
_SMALLEST_BATCH = 8
_ANY_BATCH = "the largest that fits, up to 512"
_SMALL_BATCH = "small, because there are few examples"
_PLAIN = re.compile(r"[A-Za-z_./][\w./-]*")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")

_OPTIONAL_PATH = """\
  # path: null                  # a local copy; else $ONECYCLE_DATA, the Keras cache, a download
"""

_SIZE = """\
  {size:<30}# or [64, 64]: bring images of any size to this height and width
  # fit: resize                 # or crop: keep the proportions, cut the longer side off
"""

_PARTS = """\
  # validation: null            # path of the validation part, if it is not in path
  # test: null                  # path of the test part, if it is not in path
"""

_COLUMNS = """\
  {target:<30}# the column to predict, or several: [a, b]
  {ignore:<30}# columns to leave out, such as [id]
  # group: null                 # a column, such as patient: no split divides its groups
"""

_TEXT = """\
# {about}
#
#   onecycle find-lr {title}.yaml         suggests train.max_lr
#   onecycle find-wd {title}.yaml         suggests train.weight_decay
#   onecycle find-momentum {title}.yaml   suggests train.momentum
#   onecycle train {title}.yaml           trains with what was suggested
#
# Lines that begin with "#" show the defaults. To change one, remove the "#".
name: {title}  # the folder under runs/
# seed: 0
batch_size: {batch_size}  # {why_this_batch}
# backend: auto                 # tensorflow | jax | torch; the variable KERAS_BACKEND overrules it
# devices: auto                 # all GPUs or TPUs share each batch; or a number of them
# precision: float32            # float32 | mixed_bfloat16 | mixed_float16 | auto
{task:<32}# multiclass | binary | multilabel | regression
dataset:
  name: {name}
{path}  # validation_fraction: 0.1    # split off the training set; only train sees the test set
  # validation_rows: null       # or a file of row numbers of the training part, from 0
  # limit: null                 # use only this many training examples
  # normalise: auto             # false: the model does it; it gets pixels from 0 to 255
  # augment: null               # or {{flip: true, crop: 4, cutout: 0}}; null: this for CIFAR only
model:
  name: {model}  # see 'onecycle list models', or path/to/file.py:function
  # options: {{}}
optimizer:
  name: sgd  # see 'onecycle list optimizers'
  # momentum: 0.9               # of range tests; beta_1 for the Adam family
  # decay: auto                 # l2 | decoupled: the kind of weight decay
# find_lr:       {{method: probes, budget: auto, min_lr: 1e-5, max_lr: 10}}
#                budget is in training runs; method: sweep runs range tests
# find_momentum: {{values: [0.8, 0.85, 0.9], width: 0.1, steps: auto, repeats: 1}}
# find_wd:       {{values: auto, refine: true, steps: auto, repeats: 1}}
# search:        {{engine: local}}    # ray: the short trainings run side by side on a cluster
train:
  cycles: [{{epochs: {epochs}}}]  # each entry is a 1cycle of its own
  # max_lr: auto                # auto: what find-lr suggested
  # momentum: auto              # or {{max: 0.95, min: 0.85}}
  # weight_decay: auto
  # shape: smith                # see 'onecycle list shapes', also for shape_options
  # retries: 2                  # how often a training that diverges goes back and halves the rate
  # log_grad_norm: false        # true: record the norm of each step's gradient in steps.csv
  # log_to: []                  # [tensorboard, mlflow, wandb]: send the numbers there
  # label_smoothing: 0.0        # share of each target that is spread over all classes
  # ema: null                   # 0.99: evaluate and save an average of the weights
  # flip_evaluation: false      # average the outputs for an image and its mirror image
  # resize: null                # or [{{until: 0.3, size: 24}}]: smaller images first
# report: true                  # write a report.html for each run, to open in a browser
"""


@dataclass(frozen=True)
class Known:
    """What is known of the data and the model beforehand; `None` and empty: nothing.

    Attributes:
        name: of the experiment.
        path: of the data.
        examples: how many there are.
        target: the column of a table that is to be predicted.
        task: what the targets mean.
        ignore: columns that are no features.
        size: height and width that images are brought to.
        model: its name.
    """

    name: str | None = None
    path: str | None = None
    examples: int | None = None
    target: str | None = None
    task: str | None = None
    ignore: Sequence[str] = ()
    size: tuple[int, int] | None = None
    model: str | None = None


def template(dataset: str, known: Known | None = None) -> str:
    """Return a commented configuration for a data set.

    Args:
        dataset: its name.
        known: what goes before the examples that the template has otherwise.

    Raises:
        ConfigError: when there is no such data set.
    """
    if dataset not in DATASETS:
        raise ConfigError(f"unknown data set '{dataset}'{did_you_mean(dataset, list(DATASETS))}")
    source, known = SOURCES[dataset], known or Known()
    size = _batch_size(source, known.examples)
    return _TEXT.format(
        about=source.about,
        name=dataset,
        title=scalar(known.name or dataset),
        task=f"task: {known.task}" if known.task else "# task: auto",
        path=_path_line(source, known),
        model=scalar(known.model or source.model),
        epochs=source.epochs,
        batch_size=size,
        why_this_batch=_ANY_BATCH if size == source.batch_size else _SMALL_BATCH,
    )


def _path_line(source: DataSource, known: Known) -> str:
    if source.example is None:
        if known.path is not None:
            return f"  path: {scalar(known.path)}\n"
        return _OPTIONAL_PATH if source.path == "optional" else ""
    path, content = source.example
    line = f"  {f'path: {scalar(known.path or path)}':<30}# {content}\n{_PARTS}"
    if source.has_columns:
        ignored = ", ".join(map(scalar, known.ignore))
        line += _COLUMNS.format(
            target=f"target: {scalar(known.target or 'target')}",
            ignore=f"ignore: [{ignored}]" if ignored else "# ignore: []",
        )
    if source.has_own_images:
        size = f"size: {list(known.size)}" if known.size else "# size: null"
        line += _SIZE.format(size=size)
    return line


def _batch_size(source: DataSource, examples: int | None) -> int:
    """Return the usual batch size, or less where an epoch would have only a few steps."""
    size = source.batch_size
    while examples is not None and size > _SMALLEST_BATCH and examples < _FEWEST_STEPS * size:
        size //= 2
    return size


def scalar(text: str) -> str:
    """Return text as YAML of any version reads it as text; in quotes where it must be."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
