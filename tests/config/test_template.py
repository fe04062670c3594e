import re

import pytest

from onecycle_cli import registry
from onecycle_cli.config import DATASETS, load_config
from onecycle_cli.config.template import Known, template
from onecycle_cli.config.yaml_source import parse_value
from onecycle_cli.errors import ConfigError


@pytest.fixture
def load_text(tmp_path):
    """Load the text of a config, beside the data that the templates speak of."""
    for name in ("data.npz", "data.csv"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "images").mkdir()

    def load_text(text):
        (tmp_path / "some.yaml").write_text(text)
        return load_config(tmp_path / "some.yaml")

    return load_text


def uncommented(text):
    """Take the values behind a "#" in; they look like `# key: value`."""
    return re.sub(r"^( *)# (?=[a-z_]+: )", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", list(DATASETS))
class TestEveryTemplate:
    def test_is_a_config(self, load_text, name):
        config = load_text(template(name))
        assert (config.name, config.dataset.name) == (name, name)

    def test_says_the_defaults_in_its_comments(self, load_text, name):
        text = template(name)
        plain, whole = load_text(text), load_text(uncommented(text))
        assert whole.model_dump() == plain.model_dump()
        for key in ("seed", "find_lr.max_lr", "find_wd.refine", "train.shape", "dataset.limit"):
            assert (plain.origin(key), whole.origin(key)) == ("default", "file")

    def test_speaks_of_a_model_that_there_is(self, load_text, name):
        registry.check(load_text(template(name)))

    def test_can_be_read(self, name):
        text = template(name)
        assert text.startswith(f"# {DATASETS[name]}\n")
        assert text.endswith("\n")
        assert max(map(len, text.splitlines())) <= 100
        assert not re.search(r"\{\{|\}\}|[ \t]\n", text)


def test_the_augmentation_that_is_spoken_of_is_the_one_for_cifar():
    from onecycle_cli.data import augmentation

    spoken = re.search(r"augment: null +# or \{(.*?)\}", template("cifar10"))[1]
    default = {"dataset": {"name": "cifar10"}, "model": {"name": "resnet9"}}
    said = default | {"dataset": {"name": "cifar10", "augment": parse_value(f"{{{spoken}}}")}}
    assert augmentation(load_config(said).dataset) == augmentation(load_config(default).dataset)


def test_a_data_set_that_there_is_not():
    with pytest.raises(ConfigError, match="unknown data set 'digit'; did you mean 'digits'"):
        template("digit")


def test_there_is_none_for_what_was_only_in_memory():
    with pytest.raises(ConfigError, match="unknown data set 'memory'"):
        template("memory")


def test_what_is_known_beforehand_stands_in_the_text(load_text):
    known = Known(
        name="on",
        path="data.csv",
        target="1e-3",
        ignore=["no", "a b"],
        model="resnet9",
        examples=400,
    )
    config = load_text(template("table", known))
    assert (config.name, config.model.name, config.batch_size) == ("on", "resnet9", 16)
    assert (config.dataset.target, config.dataset.ignore) == ("1e-3", ["no", "a b"])
    images = load_text(template("image_folder", Known(path="images", size=(30, 64))))
    assert images.dataset.size == [30, 64]


@pytest.mark.parametrize("length", range(18, 24))
def test_a_comment_stands_apart_from_what_is_before_it(length):
    """YAML takes it for a comment only then, though PyYAML is lenient."""
    name = "a" * length
    known = Known(path=name, target=name, ignore=[name], size=(10**length, 1))
    for dataset in ("table", "image_folder"):
        for line in template(dataset, known).splitlines():
            before, sign, _ = line.lstrip("# ").partition("#")
            assert not (sign and before and before[-1] not in ' "'), line


@pytest.mark.parametrize(("examples", "size"), [(None, 128), (10**6, 128), (2000, 64), (3, 8)])
def test_an_epoch_has_some_steps(load_text, examples, size):
    assert load_text(template("arrays", Known(examples=examples))).batch_size == size
