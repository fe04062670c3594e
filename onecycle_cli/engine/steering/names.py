"""The hyper-parameters that can change while a model trains, by name."""

from __future__ import annotations

LEARNING_RATE = "learning_rate"

MOMENTUM = "momentum"

WEIGHT_DECAY = "weight_decay"

L2 = "l2"

NUMBERS = (
    *("beta", "beta_2", "rho", "epsilon", "epsilon_1", "epsilon_2"),
    *("clipnorm", "global_clipnorm", "clipvalue", "clip_threshold", "ema_momentum"),
    *("l2_regularization_strength", "l2_shrinkage_regularization_strength"),
)
"""Further hyper-parameters of stock optimizers that can change from step to step."""

CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")
"""Those of them by which gradients are clipped; an optimizer takes one."""
