import json
import re

import pytest
import typer
import yaml

from onecycle_cli.config import DATASETS, load_config
from onecycle_cli.data import load
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


@pytest.fixture
def flowers(own_folders):
    rows = "\n".join(f"{i},{i / 7},red,{i % 3}" for i in range(150))
    (own_folders / "flowers.csv").write_text(f"id,width,colour,species\n{rows}\n")
    return own_folders


def test_it_looks_at_a_table_and_fills_in_the_rest(invoke, flowers):
    outcome = invoke("init", "--data", "flowers.csv", "--target", "species", "--out", "configs")
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout == (
        "found       a table of 150 rows and 4 columns\n"
        "to predict  species, 3 classes\n"
        "left out    id (an index, by its name), colour (no numbers, such as 'red')\n"
        "            to use one: write it as numbers without gaps, and take it out of "
        "dataset.ignore\n"
        "wrote configs/flowers.yaml; now run: onecycle check configs/flowers.yaml\n"
    )
    config = load_config("configs/flowers.yaml")
    assert (config.name, config.dataset.name, config.model.name) == ("flowers", "table", "mlp")
    assert config.dataset.path == str(flowers / "flowers.csv")
    assert (config.dataset.target, config.dataset.ignore) == ("species", ["id", "colour"])
    assert config.batch_size == 8, "as few examples as these make some steps an epoch"


def test_numbers_that_hardly_come_twice_are_no_classes(invoke, own_folders):
    rows = "\n".join(f"{i},{i % 7},{1000 * i if i % 4 else 7}" for i in range(150))
    (own_folders / "flats.csv").write_text(f"id,rooms,price\n{rows}\n")
    for target, task in (("price", "regression"), ("rooms", "auto")):
        outcome = invoke("init", "--data", "flats.csv", "--target", target, "--out", target)
        assert (f"to predict  {target}, a number\n" in outcome.stdout) == (task == "regression")
        assert load_config(f"{target}/flats.yaml").task == task


def test_whole_numbers_of_many_values_may_be_meant_as_numbers(invoke, own_folders, rows):
    table = "\n".join(f"{i / 9},{i % 30},{'abcdefghijkl'[i % 12]}" for i in range(90))
    (own_folders / "people.csv").write_text(f"height,age,name\n{table}\n")
    for target, said in (
        ("age", "age, 30 classes, unless you set task: regression"),
        ("name", "name, 12 classes"),
    ):
        outcome = invoke("init", "--data", "people.csv", "--target", target, "--out", target)
        assert rows(outcome.stdout)["to predict"] == said


def test_what_it_writes_of_a_table_with_gaps_and_prices_works(invoke, own_folders, rows):
    """Such columns, and targets that are far from 0 and 1, stopped the first command after it."""
    table = "\n".join(f"{i / 9},{i % 7 or ''},{'NA' if i == 4 else i},{1e5 + i}" for i in range(90))
    (own_folders / "flats.csv").write_text(f"area,age,floor,price\n{table}\n")
    outcome = invoke("init", "--data", "flats.csv", "--target", "price")
    left_out = "age (lacks 13 of 90 values), floor (no numbers, such as 'NA')"
    assert rows(outcome.stdout)["left out"] == left_out
    config = load_config("flats.yaml")
    dataset = load(config.dataset, seed=0, task=config.task)
    assert dataset.columns == ("area",)
    assert dataset.targets[dataset.train].std() == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (
            "a",
            "no column is left to predict 'a' from: b (no numbers, such as '1,5'), c (lacks 1 of",
        ),
        ("c", "column 'c', which is to be predicted, lacks 1 of 2 values; leave out these rows."),
    ],
)
def test_no_config_is_written_that_can_not_work(invoke, own_folders, target, sentence):
    (own_folders / "t.csv").write_text("a;b;c\n1;1,5;\n2;2,5;3\n")
    outcome = invoke("init", "--data", "t.csv", "--target", target)
    assert (outcome.exit_code, sentence in outcome.stderr) == (1, True)
    assert not list(own_folders.glob("*.yaml"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--data", "flowers.csv"), "not obvious which column is to be predicted; name it with "
         "--target; there are id, width, colour, species."),
        (("--data", "flowers.csv", "--target", "specis"), "did you mean 'species'?"),
        (("--target", "species"), "--target names a column of the table that --data names"),
        (("--data", "nowhere"), "nowhere: there is nothing at this path."),
        (("digits", "--data", "flowers.csv"), "digits is part of this package"),
        (("arrays", "--data", "flowers.csv"), "which 'table' reads; leave 'arrays' out"),
        (("--model", "resnet99"), "did you mean 'resnet9'?"),
        (("flowers.csv",), "for data of your own, write --data flowers.csv."),
        (("--model", "old.h5"), "--model: old.h5 is a saved model, which a function of yours has "
         "to load: write 'def build(input_shape, num_outputs): return keras.models.load_model"),
        (("--model", "own.py:build"), "own.py"),
    ],
)  # fmt: skip
def test_what_it_can_not_do_is_said_in_one_sentence(invoke, flowers, arguments, sentence):
    outcome = invoke("init", *arguments)
    assert outcome.exit_code in (1, 2)
    assert sentence in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert not list(flowers.glob("*.yaml"))


def test_it_asks_for_the_column_in_a_terminal(invoke, flowers, monkeypatch):
    monkeypatch.setattr("onecycle_cli.commands.init.in_a_terminal", lambda: True)
    answers = iter(["specis", "species"])
    monkeypatch.setattr("typer.prompt", lambda text: next(answers))
    outcome = invoke("init", "--data", "flowers.csv")
    assert "columns: id, width, colour, species\nthere is no column 'specis'\n" in outcome.stdout
    assert load_config("flowers.yaml").dataset.target == "species"


def test_it_breaks_off_when_nobody_wants_to_answer(invoke, flowers, monkeypatch):
    def interrupted(text):
        raise typer.Abort

    monkeypatch.setattr("onecycle_cli.commands.init.in_a_terminal", lambda: True)
    monkeypatch.setattr("typer.prompt", interrupted)
    outcome = invoke("init", "--data", "flowers.csv")
    assert outcome.exit_code == 130
    assert outcome.stderr.startswith("onecycle: interrupted")
    assert not list(flowers.glob("*.yaml"))


def test_a_model_of_ones_own_is_named_from_where_the_config_is(invoke, own_folders):
    (own_folders / "own.py").write_text("def build(input_shape, num_outputs):\n    return None\n")
    assert invoke("init", "--model", "own.py:build", "--out", "configs").exit_code == 0
    config = load_config("configs/digits.yaml")
    assert config.model.name == f"{own_folders / 'own.py'}:build"


def test_a_copy_of_a_data_set_that_has_a_name(invoke, own_folders):
    (own_folders / "copy").mkdir()
    assert invoke("init", "cifar10", "--data", "copy").exit_code == 0
    config = load_config("copy.yaml")
    assert (config.dataset.name, config.dataset.path) == ("cifar10", str(own_folders / "copy"))


def test_editors_find_the_schema_beside_the_config(invoke, answer_of, own_folders):
    answer = answer_of(invoke("init", "mnist", "--out", "configs", "--json"))
    assert answer["config"] == "configs/mnist.yaml"
    first = (own_folders / answer["config"]).read_text().splitlines()[0]
    name = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)[1]
    schema = own_folders / "configs" / name
    assert str(schema) == str(own_folders / answer["schema"])
    assert json.loads(schema.read_text()) == json.loads(invoke("schema").stdout)
