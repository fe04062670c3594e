"""Importing this starts Keras, without TensorFlow's messages; import it before what needs Keras."""

from onecycle_cli.engine.start import start_keras

start_keras()
