import pytest

from onecycle_cli.config import load_config
from onecycle_cli.data.sources.early import check_names
from onecycle_cli.errors import ConfigError

pytestmark = pytest.mark.lowest


@pytest.fixture
def config(tmp_path):
    (tmp_path / "data.csv").write_text("width,kind,id\n1,a,0\n")

    def config(settings):
        file = tmp_path / "some.yaml"
        file.write_text(
            f"model: {{name: mlp}}\ndataset:\n  name: table\n  path: data.csv\n{settings}"
        )
        return load_config(file)

    return config


def test_columns_that_there_are_pass(config):
    assert check_names(config("  target: kind\n  ignore: [id]\n")) is None


@pytest.mark.parametrize(
    ("settings", "line", "sentence"),
    [
        ("  target: knid\n", 5, "dataset.target: {} has no column 'knid'; did you mean 'kind'?"),
        (
            "  ignore: [idd]\n  target: kind\n",
            5,
            "dataset.ignore: {} has no column 'idd'; did you m",
        ),
    ],
)
def test_a_column_that_there_is_not_has_its_place_in_the_file(config, settings, line, sentence):
    settings = config(settings)
    with pytest.raises(ConfigError) as error:
        check_names(settings)
    text = sentence.format(settings.dataset.path)
    assert f"some.yaml, line {line}: {text}" in str(error.value)


def test_other_data_have_nothing_to_be_found():
    assert (
        check_names(load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}})) is None
    )
