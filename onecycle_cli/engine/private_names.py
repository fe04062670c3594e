"""Every private name that the engine uses: what a new version of Keras may change unannounced.

Only this room uses such names. Its tests look for each of them in the versions that are installed.
"""

from __future__ import annotations

PRIVATE_NAMES: dict[str, tuple[str, ...]] = {
    "keras.src.backend.common.global_state": ("get_global_attribute", "set_global_attribute"),
    "keras.src.saving.serialization_lib": ("tf",),
    "keras.src.backend.jax.distribution_lib": ("distribute_tensor",),
    "keras.src.backend.jax.trainer": ("_get_distributed_iterator",),
    "keras.src.trainers.data_adapters": ("get_data_adapter", "ArrayDataAdapter"),
    "keras.src.utils.rng_utils": ("set_random_seed", "tf"),
    "keras.Model": (
        *("_aggregate_additional_loss", "_compile_loss", "_compile_metrics", "_flatten_layers"),
        "_loss_tracker",
    ),
    "keras.optimizers.Optimizer": (
        *("_apply_weight_decay", "_backend_update_step", "_clip_gradients"),
        *("_get_current_learning_rate", "_iterations", "_learning_rate", "_tracker"),
        *("_track_variable", "_trainable_variables", "_untrack_variable", "_var_key"),
        "_variables",
    ),
    "keras.optimizers.Adam": ("_momentums",),
    "keras.optimizers.Nadam": ("_u_product",),
    "keras.optimizers.RMSprop": ("_average_gradients",),
    "keras.src.backend.tensorflow.optimizer": ("_distribution_strategy",),
    "keras.src.backend.torch.nn": ("_transpose_spatial_inputs",),
    "keras.src.backend.torch.optimizers": ("_parallel_update_step",),
    "tensorflow.python.eager.context": ("context",),
    "tensorflow.python.eager.context.context": ("_rng", "clear_kernel_cache"),
    "tensorflow.python.framework.config": (
        *("disable_op_determinism", "enable_op_determinism", "set_optimizer_experimental_options"),
    ),
    "tensorflow.python.ops.gen_math_ops": ("add_n",),
    "tensorflow.python.ops.stateful_random_ops": ("global_generator",),
    "tensorflow.random.Generator": ("_state_var",),
    "torch.nn.Module": ("_buffers", "_parameters"),
}
"""Names by what has them: a module, or the objects that a class makes or a function returns."""

GLOBAL_ATTRIBUTES = ("global_seed_generator", "object_name_uids", "safe_mode_saving")
"""The keys under which Keras keeps global state."""
