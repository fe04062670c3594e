"""Small networks for trying out training schedules: one network a file, a `build` in each.

Every `build(input_shape, num_classes, **options)` returns an uncompiled `keras.Model` made of stock
layers, whose last layer turns scores into probabilities (or, with `activation="linear"`, leaves
them as they are) in float32 under any precision policy.

Import the file that is wanted: `from onecycle_models import resnet9`. This module itself imports
nothing, so that the names of the networks can be listed without loading Keras.
"""
