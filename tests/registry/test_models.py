import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from onecycle_cli.errors import ConfigError, ModelError
from onecycle_cli.registry import models
from onecycle_cli.registry.code.options import Option

NETWORK = """
    import keras

    def build(input_shape, num_classes, *, width: int = 4):
        return keras.Sequential([
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(width),
            keras.layers.Dense(num_classes, activation="softmax"),
        ])
"""


def build(name, given=None, *, input_shape=(8, 8, 1), num_outputs=3, activation=None):
    return models.build(
        name, given or {}, input_shape=input_shape, num_outputs=num_outputs, activation=activation
    )


# names and options


def test_every_model_has_a_name_and_a_line_about_it():
    names = models.model_names()
    assert list(names) == ["airbench", "mini_mobilenet_v2", "mini_vgg", "mlp", "resnet", "resnet9"]
    assert names["resnet9"] == "David Page's ResNet-9: few wide layers, quick to train well."
    assert all(line.endswith(".") for line in names.values())


def test_options_of_a_model():
    assert models.options("mini_mobilenet_v2") == {
        "alpha": Option("alpha", "float", 1.4),
        "expansion": Option("expansion", "int", 6),
        "dropout": Option("dropout", "float", 0.0),
        "l2": Option("l2", "float", 0.0),
        "activation": Option("activation", "str", "softmax"),
    }


def test_options_of_an_unknown_model():
    with pytest.raises(ConfigError, match="there is no model 'vgg'"):
        models.options("vgg")


def test_reading_models_imports_no_keras_and_runs_no_user_code(write):
    path = write("raise SystemExit('this file was run')\ndef net(shape, classes, width=3): ...")
    code = f"""
import sys
from onecycle_cli.registry import models
models.model_names()
for name in models.model_names():
    models.options(name)
    models.problem(name, {{"width": 3}})
models.options({path + ":net"!r})
models.problem({path + ":net"!r}, {{"width": 3}})
models.problem("nonsense", {{}})
loaded = {{"keras", "tensorflow", "numpy", "onecycle_models"}} & set(sys.modules)
sys.exit(", ".join(loaded) or None)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


# problems


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("mini_vgg", {}),
        ("mini_vgg", {"dropout": 0}),
        ("mini_vgg", {"dropout": 0.5, "activation": "linear"}),
        ("resnet", {"depth": 56}),
    ],
)
def test_no_problem(name, given):
    assert models.problem(name, given) is None


@pytest.mark.parametrize(
    ("name", "given", "key", "message"),
    [
        (
            "MiniVGG",
            {},
            "model.name",
            "there is no model 'MiniVGG'; did you mean 'mini_vgg'?",
        ),
        (
            "nonsense",
            {},
            "model.name",
            "there is no model 'nonsense'; the known ones are airbench, mini_mobilenet_v2, "
            "mini_vgg, mlp, resnet, resnet9, path/to/file.py:function.",
        ),
        (
            "mini_mobilenet_v2",
            {"alfa": 1.0},
            "model.options.alfa",
            "model 'mini_mobilenet_v2' has no option 'alfa'; did you mean 'alpha'?",
        ),
        (
            "mini_vgg",
            {"dropout": "high"},
            "model.options.dropout",
            "option 'dropout' of model 'mini_vgg' must be of type float; got 'high' (str)",
        ),
        (
            "resnet",
            {"depth": 20.0},
            "model.options.depth",
            "option 'depth' of model 'resnet' must be of type int; got 20.0 (float)",
        ),
        (
            "resnet",
            {"depth": True},
            "model.options.depth",
            "option 'depth' of model 'resnet' must be of type int; got True (bool)",
        ),
        (
            "mini_vgg",
            {"dropout": None},
            "model.options.dropout",
            "option 'dropout' of model 'mini_vgg' must be of type float; got None (NoneType)",
        ),
        (
            "mini_vgg",
            {3: 4},
            "model.options.3",
            "model 'mini_vgg' has no option '3'; the known ones are dropout, activation.",
        ),
        ("_checks", {}, "model.name", "there is no model '_checks'"),
        ("missing/net.py:build", {}, "model.name", "there is no file missing/net.py"),
        ("missing/net.py", {}, "model.name", "there is no file missing/net.py"),
    ],
)
def test_problems(name, given, key, message):
    found = models.problem(name, given)
    assert found is not None
    assert found[0] == key
    assert found[1].startswith(message)


# building


def test_build_by_name():
    model = build("mlp", {"hidden": 5, "layers": 1})
    assert isinstance(model, keras.Model)
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [5, 3]


@pytest.mark.parametrize(
    ("given", "activation", "used"),
    [
        ({}, None, "softmax"),
        ({}, "linear", "linear"),
        ({"activation": "sigmoid"}, "linear", "sigmoid"),
    ],
)
def test_the_last_activation(given, activation, used):
    model = build("mlp", given, activation=activation)
    assert model.layers[-1].activation.__name__ == used


def test_build_from_a_users_file(write):
    model = build(write(NETWORK) + ":build", {"width": 7}, activation="linear")
    assert [layer.units for layer in model.layers[1:]] == [7, 3]


def test_a_relative_path_counts_from_the_current_folder(write, tmp_path, monkeypatch):
    write(NETWORK, "nets/net.py")
    monkeypatch.chdir(tmp_path)
    assert build("nets/net.py:build").output_shape == (None, 3)


def test_a_file_is_read_anew_each_time(write):
    write(NETWORK)
    write(NETWORK + "\n    # longer")
    path = write(NETWORK.replace("Dense(width)", "Dense(width + 10)"))
    assert build(f"{path}:build").layers[1].units == 14


def test_a_users_file_may_import_its_neighbours_and_they_do_not_mix(write):
    for folder, units in (("one", 5), ("two", 6)):
        write(f"UNITS = {units}", f"{folder}/blocks_of_test.py")
        write("from .inner import HELP", f"{folder}/parts_of_test/__init__.py")
        write("HELP = 0", f"{folder}/parts_of_test/inner.py")
        path = write(
            """
            import keras
            from blocks_of_test import UNITS

            def build(input_shape, num_classes):
                from parts_of_test import HELP
                inputs = keras.Input(input_shape)
                x = keras.layers.Dense(UNITS + HELP)(keras.layers.Flatten()(inputs))
                return keras.Model(inputs, keras.layers.Dense(num_classes)(x))
            """,
            f"{folder}/net.py",
        )
        search = list(sys.path)
        assert build(f"{path}:build").layers[2].units == units
        assert sys.path == search
        assert not [name for name in sys.modules if "s_of_test" in name]


def test_layers_may_import_their_neighbours_when_they_are_called(write):
    """In training, when the file has long been loaded."""
    models = []
    for folder, value in (("one", 5), ("two", 6)):
        write(f"VALUE = {value}", f"{folder}/late_of_test.py")
        path = write(
            """
            import keras

            class Late(keras.layers.Layer):
                def call(self, inputs):
                    from late_of_test import VALUE
                    return 0 * inputs + VALUE

            def build(input_shape, num_classes):
                inputs = keras.Input(input_shape)
                return keras.Model(inputs, Late()(keras.layers.Flatten()(inputs))[:, :num_classes])
            """,
            f"{folder}/net.py",
        )
        models.append(build(f"{path}:build"))
    x, y = np.zeros((2, 8, 8, 1)), np.zeros((2, 3))
    for model, value in zip(models, (5, 6), strict=True):
        model.compile("sgd", "mse")
        assert model.evaluate(x, y, verbose=0) == value**2


def test_a_compiled_model_is_fine(write):
    path = write("""
        import keras

        def build(input_shape, num_classes):
            model = keras.Sequential([
                keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(num_classes)
            ])
            model.compile("sgd", "mse")
            return model
    """)
    assert build(f"{path}:build").output_shape == (None, 3)


def test_a_problem_stops_the_build():
    with pytest.raises(ConfigError, match=r"^model\.options\.width: model 'mlp' has no option"):
        build("mlp", {"width": 3})


def test_a_value_out_of_range():
    with pytest.raises(ModelError) as caught:
        build("mlp", {"dropout": 2.0})
    assert str(caught.value) == (
        "model 'mlp' failed to build: ValueError: `dropout` must be a number in [0, 1); got 2.0."
    )


@pytest.mark.parametrize(
    ("source", "cause", "line"),
    [
        ("import no_such_package\ndef build(a, b): ...", "ModuleNotFoundError: No module", 1),
        ("def build(a, b):\n    return helper()\ndef helper():\n    1 / 0", "ZeroDivision", 4),
        ("def build(a, b):\n    raise SystemExit(3)", "SystemExit: 3", 2),
        (
            "import keras\ndef build(a, b):\n    x = keras.Input(a)\n"
            "    return keras.Model(x, keras.layers.LSTM(3)(x))",
            "ValueError: Input 0",
            4,
        ),
        (
            "import keras\ndef build(a, b):\n    keras.Sequential([], name='a/b')",
            "ValueError: Arg",
            3,
        ),
    ],
)
def test_a_bug_in_a_users_file(write, source, cause, line):
    path = write(source)
    modules = set(sys.modules)
    with pytest.raises(ModelError) as caught:
        build(f"{path}:build")
    message = str(caught.value)
    assert message.startswith(f"model '{path}:build' failed to build: {cause}")
    assert message.endswith(f"({path}, line {line})")
    assert "\n" not in message
    assert caught.value.__cause__ is not None
    assert str(Path(path).parent) not in sys.path
    assert not [name for name in set(sys.modules) - modules if "no_such" in name]


@pytest.mark.parametrize(
    ("statement", "cause"),
    [
        ("os._exit(0)", r"SystemExit: os\._exit\(0\) would end the program"),
        ("os.abort()", r"SystemExit: os\.abort\(\) would end"),
        ("quit(0)", "SystemExit: 0"),
        ("sys.exit('bye')", "SystemExit: bye"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise Stop('enough')", "Stop: enough"),
        ("raise Mute", "Mute"),
        ("raise BaseExceptionGroup('two', [Stop()])", "BaseExceptionGroup: two"),
        ("raise ValueError('\\x1b[1mbold\\x1b[0m')", "ValueError: bold"),
        ("keras.backend.set_floatx('float16')", "changes Keras' global floatx"),
        ("keras.config.set_dtype_policy('float16')", "changes Keras' global dtype_policy"),
    ],
)
@pytest.mark.parametrize("place", ["on import", "in the function"])
def test_whatever_a_file_does_to_the_process_is_one_sentence(write, statement, cause, place):
    path = write(f"""
        import os, sys
        import keras

        class Stop(BaseException): ...

        class Mute(Exception):
            def __str__(self):
                raise ValueError

        {statement if place == "on import" else ""}

        def build(shape, classes):
            {statement if place != "on import" else ""}
            x = keras.Input(shape)
            return keras.Model(x, keras.layers.Dense(classes)(keras.layers.Flatten()(x)))
    """)
    with pytest.raises(ModelError, match=cause) as caught:
        build(f"{path}:build")
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_ctrl_c_is_no_error_of_the_model(write):
    path = write("def build(a, b):\n    raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        build(f"{path}:build")


SEQUENTIAL = "import keras\ndef build(input_shape, num_classes):\n    return keras.Sequential("


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def build(a, b): ...", "must be a keras.Model; its function returned nothing"),
        (
            "import keras\ndef build(a, b):\n    return keras.layers.Dense(b)",
            "must be a keras.Model; its function returned an object of type Dense",
        ),
        (
            "def build(a, b):\n    return []",
            "must be a keras.Model; its function returned an object of type list",
        ),
        (
            "def build(a, b):\n    yield",
            "must be a keras.Model; its function returned an object of type generator",
        ),
        (
            "import keras\ndef build(a, b):\n    x, y = keras.Input(a), keras.Input(a)\n"
            "    return keras.Model([x, y], keras.layers.Add()([x, y]))",
            "must take inputs of shape (None, 8, 8, 1); it takes "
            "[(None, 8, 8, 1), (None, 8, 8, 1)]",
        ),
        (
            SEQUENTIAL + "[keras.layers.Dense(num_classes)])",
            "must have outputs of shape (None, 3); it has (None, 8, 8, 3)",
        ),
        (
            SEQUENTIAL + "[keras.Input(input_shape), keras.layers.Dense(num_classes)])",
            "must have outputs of shape (None, 3); it has (None, 8, 8, 3)",
        ),
        (
            SEQUENTIAL + "[keras.Input(input_shape), keras.layers.Flatten()])",
            "must have outputs of shape (None, 3); it has (None, 64)",
        ),
        (
            SEQUENTIAL + "[keras.Input((32, 32, 3)), keras.layers.Flatten()])",
            "must take inputs of shape (None, 8, 8, 1); it takes (None, 32, 32, 3)",
        ),
        (
            SEQUENTIAL + "[keras.Input(input_shape, batch_size=2), keras.layers.Flatten()])",
            "must take inputs of shape (None, 8, 8, 1); it takes (2, 8, 8, 1)",
        ),
        (
            "import keras\ndef build(a, b):\n    x = keras.Input(a)\n"
            "    return keras.Model(x, [x, x])",
            "must have outputs of shape (None, 3); it has [(None, 8, 8, 1), (None, 8, 8, 1)]",
        ),
    ],
)
def test_what_a_users_function_returns_must_fit(write, source, message):
    name = write(source) + ":build"
    with pytest.raises(ModelError) as caught:
        build(name)
    assert str(caught.value) == f"model {name!r} {message}"


def test_images_of_any_size_are_fine(write):
    path = write("""
        import keras

        def build(input_shape, num_classes):
            inputs = keras.Input((None, None, 1))
            x = keras.layers.GlobalAveragePooling2D()(inputs)
            return keras.Model(inputs, keras.layers.Dense(num_classes)(x))
    """)
    assert build(f"{path}:build").output_shape == (None, 3)


SUBCLASSED = """
import keras

class Net(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.flatten, self.last = keras.layers.Flatten(), keras.layers.Dense(classes)

    def call(self, inputs):
        return {answer}

def build(shape, classes):
    return Net(classes)
"""


def test_a_subclassed_model_is_built_by_being_called(write):
    given = []

    def examples():
        given.append(np.ones((40, 8, 8, 1), "float32"))
        return given[0]

    name = write(SUBCLASSED.format(answer="self.last(self.flatten(inputs))")) + ":build"
    arguments = {"input_shape": (8, 8, 1), "num_outputs": 3, "activation": None}
    shown = []
    for more in ({}, {"examples": examples}):
        model = models.build(name, {}, **arguments, **more, built=shown.append)
        assert [tuple(v.shape) for v in model.variables] == [(64, 3), (3,)]
    assert len(given) == 1
    assert len(shown) == 2


def test_a_sequential_model_without_an_input_is_built_for_any_batch(write):
    name = write(SEQUENTIAL + "[keras.layers.Flatten(), keras.layers.Dense(num_classes)])")
    assert build(f"{name}:build").input_shape == (None, 8, 8, 1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            "keras.ops.repeat(self.last(self.flatten(inputs)), 2, axis=1)",
            "must have outputs of shape (None, 3); it has (None, 6)",
        ),
        (
            "[self.last(self.flatten(inputs))] * 2",
            "must have outputs of shape (None, 3); it has [(None, 3), (None, 3)]",
        ),
        (
            "keras.ops.sum(self.last(self.flatten(inputs)))",
            "must have outputs of shape (None, 3); it has ()",
        ),
        ("1 / 0", "failed to answer: ZeroDivisionError: "),
        ("self.last(inputs, 1, 2, 3)", "failed to answer: "),
    ],
)
def test_what_a_subclassed_model_answers_must_fit(write, answer, message):
    name = write(SUBCLASSED.format(answer=answer)) + ":build"
    with pytest.raises(ModelError) as caught:
        build(name)
    assert str(caught.value).startswith(f"model {name!r} {message}")
    assert "\n" not in str(caught.value)


# adapting

ADAPTING = """
import keras
import numpy as np

def build(shape, classes):
    x = keras.Input(shape)
    h = keras.layers.Flatten()(x)
    return keras.Model(x, keras.layers.Dense(classes, kernel_initializer="zeros")(h))

def adapt(model, images):
    model.layers[-1].bias.assign([images.mean(), images.max(), len(images)])
"""


def test_a_model_adapts_to_examples(write):
    images = np.arange(128, dtype="float32").reshape(2, 8, 8, 1)
    path = write(ADAPTING)
    model = models.build(
        f"{path}:build",
        {},
        input_shape=(8, 8, 1),
        num_outputs=3,
        activation=None,
        examples=lambda: images,
    )
    np.testing.assert_array_equal(np.asarray(model(images))[0], [63.5, 127.0, 2.0])
    plain = build(f"{path}:build")
    np.testing.assert_array_equal(np.asarray(plain(images)), 0)


def test_examples_are_not_asked_for_where_nothing_adapts():
    def examples():
        raise AssertionError("nobody needs them")

    models.build("mlp", {}, input_shape=(4,), num_outputs=2, activation=None, examples=examples)


TWO_INPUTS = """
    import keras

    def build(input_shape, num_classes):
        a, b = keras.Input((8, 8, 1), name="a"), keras.Input((8,), name="b")
        inputs = %s
        flat = [keras.layers.Flatten()(part) for part in keras.tree.flatten(inputs)]
        joined = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
        return keras.Model(inputs, keras.layers.Dense(num_classes, "softmax")(joined))
"""

NAMED_INPUTS = """
    import keras

    def build(input_shape, num_classes):
        inputs = {name: keras.Input(shape, name=name) for name, shape in input_shape.items()}
        flat = [keras.layers.Flatten()(part) for part in inputs.values()]
        joined = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
        return keras.Model(inputs, keras.layers.Dense(num_classes)(joined))
"""


@pytest.mark.parametrize("shapes", [{"image": (8, 8, 1), "rows": (8,)}, {"rows": (8,)}])
def test_a_model_may_take_a_dictionary_of_inputs(write, shapes):
    model = build(f"{write(NAMED_INPUTS)}:build", input_shape=shapes)
    assert set(model.input) == set(shapes)


A, B = (8, 8, 1), (8,)


@pytest.mark.samples(3)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Keras', that it had to rearrange them
@pytest.mark.parametrize(
    ("made_of", "data"),
    [
        ("[a, b]", {"a": A, "b": B}),
        ("[a, b]", {"b": B, "a": A}),
        ("[a, b]", {"a": A, "b": B, "spare": (3,)}),
        ("(a, b)", {"a": A, "b": B}),
        ("{'a': a, 'b': b}", {"a": A, "b": B, "spare": (3,)}),
        ("(a, b)", (A, B)),
        ("{'a': a, 'b': b}", (A, B)),
        ("a", {"a": A}),
        ("[a]", {"a": A}),
        ("[a]", A),
        ("{'a': a}", A),
        ("a", (A,)),
    ],
)
def test_inputs_may_be_structured_otherwise_than_the_data_as_for_fit(write, made_of, data):
    model = build(f"{write(TWO_INPUTS % made_of)}:build", input_shape=data)
    arrays = keras.tree.map_shape_structure(lambda shape: np.ones((4, *shape), "float32"), data)
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert len(model.fit(arrays, np.zeros(4), verbose=0).history["loss"]) == 1


@pytest.mark.samples(2)
@pytest.mark.parametrize(
    ("made_of", "data"),
    [
        ("[a, b]", {"a": A}),
        ("[a, b]", {"a": B, "b": A}),
        ("[a, b]", (B, A)),
        ("[a, b]", A),
        ("a", {"z": A}),
        ("a", (A, B)),
    ],
)
def test_inputs_that_fit_would_not_find_are_refused(write, made_of, data):
    with pytest.raises(ModelError, match="must take inputs of shape"):
        build(f"{write(TWO_INPUTS % made_of)}:build", input_shape=data)


def test_a_dictionary_of_inputs_must_have_the_shapes_of_the_data(write):
    path = write(NAMED_INPUTS.replace("keras.Input(shape,", "keras.Input((*shape, 2),"))
    with pytest.raises(ModelError, match=r"inputs of shape {'rows': \(None, 8\)}; it takes"):
        build(f"{path}:build", input_shape={"rows": (8,)})


def test_a_failure_to_adapt_names_the_line(write):
    path = write(ADAPTING.replace("images.mean()", "images.nonsense"))
    with pytest.raises(ModelError, match=r"failed to adapt: AttributeError: .*, line 11\)"):
        models.build(
            f"{path}:build",
            {},
            input_shape=(8, 8, 1),
            num_outputs=3,
            activation=None,
            examples=lambda: np.ones((1, 8, 8, 1), "float32"),
        )
