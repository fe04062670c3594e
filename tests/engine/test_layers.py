import keras

from onecycle_cli.engine.layers import every_layer


def test_layers_are_found_at_any_depth():
    inner = keras.Sequential([keras.layers.Dense(2), keras.layers.LayerNormalization()])
    nested = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1)])
    kinds = [type(layer).__name__ for layer in every_layer(nested)]
    assert kinds.count("Dense") == 2
    assert "LayerNormalization" in kinds
