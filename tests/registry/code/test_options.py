from onecycle_cli.registry import models
from onecycle_cli.registry.code.options import Option


def test_options_of_a_users_function(write):
    path = write("""
        def net(
            shape, classes, a, b: "int" = -1, *rest, c: list[int] = [1], d=WIDTH, e: str, **more
        ): ...
    """)
    assert models.options(f"{path}:net") == {
        "a": Option("a", required=True),
        "b": Option("b", "int", -1),
        "c": Option("c", "list[int]", [1]),
        "d": Option("d", None, "WIDTH"),
        "e": Option("e", "str", required=True),
    }


def test_options_of_a_users_function_are_checked(write):
    name = write("""
        def build(shape, classes, width: int, rate: "float | None" = 0.1, name: str = None, any=1):
            ...
    """)
    name += ":build"
    assert models.problem(name, {"width": 1, "rate": None, "name": None, "any": []}) is None
    assert models.problem(name, {"width": 1, "rate": 1}) is None
    assert models.problem(name, {"width": 1, "rate": "x"})[0] == "model.options.rate"
    assert models.problem(name, {"width": 1, "shape": 3})[0] == "model.options.shape"
    assert models.problem(name, {}) == (
        "model.options",
        f"model {name!r} needs a value for 'width'",
    )


def test_a_function_without_options_says_so(write):
    name = write("def build(shape, classes): ...") + ":build"
    message = f"model {name!r} has no option 'width'; it has no options"
    assert models.problem(name, {"width": 1}) == ("model.options.width", message)


def test_any_option_goes_where_the_function_takes_keywords(write):
    name = write("def build(shape, classes, width: int = 1, **more): ...") + ":build"
    assert models.problem(name, {"anything": object()}) is None
    assert models.problem(name, {"width": "wide"})[0] == "model.options.width"
