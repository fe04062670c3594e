import keras

from onecycle_cli.engine.state.layer_names import names_as_before


def test_layers_made_within_leave_no_number_taken():
    keras.utils.clear_session()
    assert keras.layers.Dense(1).name == "dense"
    with names_as_before():
        assert [keras.layers.Dense(1).name, keras.layers.ReLU().name] == ["dense_1", "re_lu"]
    assert [keras.layers.Dense(1).name, keras.layers.ReLU().name] == ["dense_1", "re_lu"]


def test_also_where_something_fails_and_where_no_layer_was_made_before():
    keras.utils.clear_session()
    try:
        with names_as_before():
            keras.layers.Dense(1)
            raise ValueError
    except ValueError:
        pass
    assert keras.layers.Dense(1).name == "dense"
