import pytest
from typer.testing import CliRunner

from onecycle_cli.commands.console.plain_words import in_plain_words
from onecycle_cli.main import app


@pytest.mark.parametrize(
    ("technical", "plain"),
    [
        ("Value error, 'x' is not one of 'a', 'b'.", "'x' is not one of 'a', 'b'."),
        (
            "Value error, 'model' is not one of 'models', 'shapes'.",
            "'model' is not one of 'models', 'shapes'; did you mean 'models'?",
        ),
        (
            "Input should be a valid integer, unable to parse string as an integer",
            "must be a whole number.",
        ),
        ("Input should be greater than or equal to 0", "must be at least 0"),
        ("Missing argument 'PATH'.", "Missing argument 'PATH'."),
    ],
)
def test_in_plain_words(technical, plain):
    assert in_plain_words(technical) == plain


@pytest.mark.parametrize(
    "arguments",
    [["list", "model"], ["train", "--seed", "x"], ["suggest", "x", "--skip-end", "-1"]],
)
def test_no_command_names_the_library_that_reads_its_options(arguments):
    outcome = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    assert outcome.exit_code == 2
    assert "Value error" not in outcome.output and "Input should" not in outcome.output
