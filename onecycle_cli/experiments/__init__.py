"""The experiments behind the commands; each is a function from a configuration to a result.

Importing this package starts Keras, without TensorFlow's messages.
"""

from onecycle_cli.backend import start_keras

start_keras()
