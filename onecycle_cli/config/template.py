"""A commented configuration for each data set, to start from."""

from __future__ import annotations

from onecycle_cli.config.sources import DATASETS, SOURCES, DataSource
from onecycle_cli.errors import ConfigError, did_you_mean

_OPTIONAL_PATH = """\
  # path: null                  # a local copy; else $ONECYCLE_DATA, the Keras cache, a download
"""

_SIZE = """\
  # size: null                  # or [64, 64]: bring images of any size to this height and width
  # fit: resize                 # or crop: keep proportions, cut off what is too much
"""

_PARTS = """\
  # validation: null            # a path like that, where the validation part lies elsewhere
  # test: null                  # alike
"""

_COLUMNS = """\
  target: target                # the column to predict, or several: [a, b]
  # ignore: []                  # columns to leave out, such as [id]
  # group: null                 # a column whose groups no split divides, such as patient
"""

_TEXT = """\
# {about}
#
#   onecycle find-lr {name}.yaml         suggests train.max_lr
#   onecycle find-wd {name}.yaml         suggests train.weight_decay
#   onecycle find-momentum {name}.yaml   suggests train.momentum
#   onecycle train {name}.yaml           trains with what was suggested
#
# Values behind a "#" are the defaults.
name: {name}  # the folder under runs/
# seed: 0
batch_size: {batch_size}  # the largest that fits, up to 512
# backend: auto                 # tensorflow | jax | torch; the variable KERAS_BACKEND goes before
# devices: auto                 # all GPUs or TPUs share each batch; or a number of them
# precision: float32            # float32 | mixed_bfloat16 | mixed_float16 | auto
dataset:
  name: {name}
{path}  # validation_fraction: 0.1    # split off the training set; only train sees the test set
  # validation_rows: null       # or a file of numbers: rows of the training part, from 0
  # limit: null                 # only so many training images
  # normalise: auto             # false: for a model that does it; it sees pixels from 0 to 255
  # augment: null               # or {{flip: true, crop: 4, cutout: 0}}; null: so for CIFAR only
model:
  name: {model}  # see 'onecycle list models', or path/to/file.py:function
  # options: {{}}
optimizer:
  name: sgd  # see 'onecycle list optimizers'
  # momentum: 0.9               # what find-lr holds constant; beta_1 for the Adam family
  # decay: auto                 # l2 | decoupled; what a weight decay means
# find_lr:       {{method: probes, budget: auto, min_lr: 1e-5, max_lr: 10}}
#                budget is in training runs; method: sweep is the classic range test
# find_momentum: {{values: [0.8, 0.85, 0.9], width: 0.1, steps: auto, repeats: 1}}
# find_wd:       {{values: auto, refine: true, steps: auto, repeats: 1}}
# search:        {{engine: local}}    # ray: trials side by side on a cluster, see docs/cluster.md
train:
  cycles: [{{epochs: {epochs}}}]  # each its own 1cycle pass
  # max_lr: auto                # auto: what find-lr suggested
  # momentum: auto              # or {{max: 0.95, min: 0.85}}
  # weight_decay: auto
  # shape: smith                # see 'onecycle list shapes', also for shape_options
  # retries: 2                  # after a divergence: back, and on with half the rate; 0: train on
  # log_grad_norm: false        # the norm of each step's gradient, in steps.csv
  # tensorboard: false          # event files for TensorBoard beside the tables
  # label_smoothing: 0.0        # share of each target that goes to all classes alike
  # ema: null                   # 0.99: judge and save an average of the weights
  # flip_evaluation: false      # average the outputs for an image and its mirror image
  # resize: null                # or [{{until: 0.3, size: 24}}]: smaller images first
# report: true                  # write each run's report.html, to be opened in a browser
"""


def template(dataset: str) -> str:
    """Return a commented configuration for a data set.

    Raises:
        ConfigError: when there is no such data set.
    """
    if dataset not in DATASETS:
        raise ConfigError(f"unknown data set '{dataset}'{did_you_mean(dataset, list(DATASETS))}")
    source = SOURCES[dataset]
    return _TEXT.format(
        about=source.about,
        name=dataset,
        path=_path_line(source),
        model=source.model,
        epochs=source.epochs,
        batch_size=source.batch_size,
    )


def _path_line(source: DataSource) -> str:
    if source.example is None:
        return _OPTIONAL_PATH if source.path == "optional" else ""
    path, content = source.example
    line = f"  {f'path: {path}':<30}# {content}\n{_PARTS}"
    if source.has_columns:
        line += _COLUMNS
    return line + _SIZE if source.has_own_images else line
