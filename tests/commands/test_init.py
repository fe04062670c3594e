import pytest
import yaml

from onecycle_cli.config import DATASETS, load_config
from onecycle_cli.errors import ConfigError


@pytest.mark.parametrize("dataset", DATASETS)
def test_what_it_writes_is_a_config(invoke, own_folders, dataset):
    outcome = invoke("init", dataset)

    assert outcome.exit_code == 0
    assert outcome.stdout == f"wrote {dataset}.yaml; now run: onecycle find-lr {dataset}.yaml\n"
    assert yaml.safe_load((own_folders / f"{dataset}.yaml").read_text())["name"] == dataset
    if dataset in ("arrays", "image_folder", "table"):
        with pytest.raises(ConfigError, match="there is nothing at this path"):
            load_config(f"{dataset}.yaml")
    else:
        assert load_config(f"{dataset}.yaml").dataset.name == dataset


def test_it_writes_where_it_is_told(invoke, own_folders):
    outcome = invoke("init", "mnist", "--out", "some/where")
    assert "wrote some/where/mnist.yaml" in outcome.stdout
    assert (own_folders / "some/where/mnist.yaml").exists()


def test_it_overwrites_nothing(invoke, own_folders):
    (own_folders / "digits.yaml").write_text("mine")
    assert invoke("init").exit_code == 2
    assert (own_folders / "digits.yaml").read_text() == "mine"
