import yaml

from onecycle_cli.config import load_config
from onecycle_cli.export import yaml_values

RUN = {
    "dataset": {"name": "digits", "path": None, "limit": 400, "validation_fraction": 0.1},
    "model": {"name": "mlp", "options": {}},
    "optimizer": {"name": "adamw", "momentum": 0.9, "weight_decay": 0.5},
    "loss": {"name": "sparse_categorical_crossentropy", "from_logits": True},
    "task": "multiclass",
    "precision": "mixed_bfloat16",
}


def test_it_is_a_config_that_trains_with_the_same_values(plan):
    train = {"shape": "wsd", "label_smoothing": 0.1, "also": {"beta_2": [0.9, 0.99]}}
    config = load_config(yaml.safe_load(yaml_values(plan(train, **RUN))))

    assert config.train.max_lr == 0.1
    assert config.train.momentum.model_dump() == {"max": 0.95, "min": 0.85}
    assert config.train.weight_decay == 0.01
    assert config.train.model_dump(include=set(train)) == train
    assert [cycle.epochs for cycle in config.train.cycles] == [20]
    assert (config.optimizer.name, config.optimizer.decay_kind) == ("adamw", "decoupled")
    assert (config.batch_size, config.precision) == (50, "mixed_bfloat16")
    assert (config.loss.name, config.loss.from_logits) == (RUN["loss"]["name"], True)
    assert (config.dataset.limit, config.model.name) == (400, "mlp")


def test_it_says_what_matters_only(plan):
    said = yaml.safe_load(yaml_values(plan(**RUN)))
    assert said["dataset"] == {"name": "digits", "limit": 400}
    assert said["model"] == {"name": "mlp"}
    assert set(said["train"]) == {"cycles", "max_lr", "momentum", "weight_decay", "shape"}


def test_each_cycle_keeps_its_rate(plan):
    cycles = [{"epochs": 4, "max_lr": None}, {"epochs": 3, "max_lr": 0.005}]
    said = yaml.safe_load(yaml_values(plan({"cycles": cycles}, **RUN)))
    assert said["train"]["cycles"] == [
        {"epochs": 4, "max_lr": 0.1},
        {"epochs": 3, "max_lr": 0.005},
    ]


def test_what_came_from_python_has_no_name(plan):
    sections = {"dataset": {"name": "memory"}, "model": {"name": "memory"}}
    text = yaml_values(plan(**sections, loss={"name": "compiled"}))
    said = yaml.safe_load(text)
    assert not {"dataset", "model", "loss"} & set(said)
    assert "add the sections dataset and model" in text
