"""Hyper-parameters that change while a stock Keras optimizer trains."""
