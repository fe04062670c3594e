import os
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from onecycle_cli.config import Config, load_config
from onecycle_cli.config.yaml_source import parse_value
from onecycle_cli.errors import ConfigError
from onecycle_cli.runs import files

MINIMAL = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}}

FULL = """\
name: everything
seed: 3
batch_size: 32
precision: mixed_bfloat16
jit_compile: false
loss: {name: huber, from_logits: true}
dataset:
  name: cifar10
  validation_fraction: 2e-1
  limit: 1_000
  augment: {flip: false, crop: 2, cutout: 8}
model: {name: resnet9, options: {width: 16, rate: 1e-05, kind: '1e-05', names: [a, 'no']}}
optimizer: {name: adamw, momentum: 0.8, weight_decay: 1e-05, decay: l2}
find_lr: {min_lr: 1e-07, max_lr: 1, scale: linear, steps: 50, repeats: 1, stop_factor: null}
find_momentum: {values: [0, 0.5], steps: 12, repeats: 3}
find_wd: {values: [0, 1e-12], refine: false, steps: auto, repeats: 1}
train:
  cycles: [{epochs: 3}, {epochs: 1, max_lr: 3e-05}]
  max_lr: 1e-05
  momentum: {max: 0.9, min: 0}
  weight_decay: 0
  shape: cosine
  end_percentage: 0
  scale_percentage: 4e-02
"""


def refused(call):
    with pytest.raises(ConfigError) as caught:
        call()
    return str(caught.value)


class TestFile:
    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("", "{path}: is empty; a config needs at least dataset.name and model.name, and"),
            ("# only\n# comments\n", "{path}: is empty"),
            ("5", "{path}: holds a single value, not keys and values"),
            ("just text", "{path}: holds a single value, not keys and values"),
            ("[1, 2]", "{path}: holds a list, not keys and values"),
            ("a: 1\nb: [", "{path}, line 2: not valid YAML: expected the node content"),
            ("a: 1\nb: 2\na: 3", "{path}, line 3: not valid YAML: the key 'a' is given twice."),
            ("a: 1\n\tb: 2", "{path}, line 2: not valid YAML"),
            ("a: \0", "{path}: not valid YAML: unacceptable character #x0000"),
            (b"\xff\xfea", "{path}: is no text in UTF-8; a config is a YAML file"),
            (b"\x89PNG\r\n\x1a\n", "{path}: is no text in UTF-8"),
            ("[" * 10_000, "{path}: nested too deeply to be a config."),
            ("a: &a [*a]", "{path}: nested too deeply to be a config."),
            ("a: [" + "1," * 10_001 + "]", "{path}: not valid YAML: more than 10,000 entries."),
            ("# " + "x" * 1_000_000, "{path}: is too long to be a config."),
            ("{}", "{path}: dataset is required; add it.\n{path}: model is required; add it."),
        ],
    )
    def test_what_is_no_config(self, tmp_path, content, sentence):
        path = tmp_path / "some.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert refused(lambda: load_config(path)).startswith(sentence.format(path=path))

    def test_missing(self, tmp_path):
        text = refused(lambda: load_config(tmp_path / "no.yaml"))
        assert text == (
            f"{tmp_path / 'no.yaml'}: there is no such config file; 'onecycle init' writes one to "
            f"start from."
        )

    def test_a_folder(self, tmp_path):
        text = refused(lambda: load_config(tmp_path))
        assert text == (
            f"{tmp_path}: is a folder; give the YAML file of a config. If it holds data, 'onecycle "
            f"init --data {tmp_path}' writes one for them."
        )

    @pytest.mark.parametrize("name", ["flats.csv", "flats.parquet", "DIGITS.NPZ"])
    def test_data_are_no_config(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"a,b\n1,\xff\n")
        text = refused(lambda: load_config(tmp_path / name))
        assert text.endswith(f"'onecycle init --data {tmp_path / name}' writes one for them.")

    @pytest.mark.parametrize(
        ("given", "meant"),
        [("flats", "flats.yaml"), ("flats.yml", "flats.yaml"), ("falts.yaml", "flats.yaml"),
         ("pets.v2", "pets.v2.yml")],
    )  # fmt: skip
    def test_a_name_that_is_nearly_right(self, tmp_path, given, meant):
        for name in ("flats.yaml", "pets.v2.yml", "digits.yaml"):
            (tmp_path / name).write_text("name: any\n")
        text = refused(lambda: load_config(tmp_path / given))
        assert text.endswith(f"no such config file; did you mean '{tmp_path / meant}'?")

    @pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "a/" * 3000])
    def test_a_path_that_cannot_be(self, path):
        assert "cannot be read as a config" in refused(lambda: load_config(path))

    def test_a_stream_without_end(self):
        text = refused(lambda: load_config("/dev/zero"))
        assert text == "/dev/zero: is too long to be a config."

    def test_a_string_is_a_path(self, write):
        assert load_config(str(write())).dataset.name == "digits"

    def test_is_named_after_the_file(self, load):
        assert load(name="my first.yaml").name == "my first"
        assert load("name: said", name="file.yaml").name == "said"

    def test_a_windows_file(self, tmp_path):
        path = tmp_path / "some.yaml"
        path.write_bytes(
            b"\xef\xbb\xbfdataset: {name: digits}\r\nmodel: {name: mlp}\r\nseed: x\r\n"
        )
        assert refused(lambda: load_config(path)).startswith(f"{path}, line 3: seed must")


class TestMapping:
    def test_is_left_as_it_was(self):
        data = {"dataset": {"name": "digits"}, "model": {"name": "mlp", "options": {"a": [1]}}}
        before = repr(data)
        config = load_config(data, ["model.options.b=2", "seed=3"])
        assert repr(data) == before
        assert config.model.options == {"a": [1], "b": 2}

    def test_any_kind_of_mapping_sequence_and_path(self, tmp_path):
        (tmp_path / "data.npz").write_bytes(b"")
        data = MappingProxyType(
            {
                "dataset": MappingProxyType({"name": "arrays", "path": tmp_path / "data.npz"}),
                "model": {"name": "mlp"},
                "train": {"cycles": ({"epochs": 3},)},
            }
        )
        config = load_config(data)
        assert config.dataset.path == str(tmp_path / "data.npz")
        assert config.train.cycles[0].epochs == 3

    def test_gets_a_name_from_what_it_is_about(self):
        assert load_config(MINIMAL).name == "digits-mlp"
        file = {"dataset": {"name": "digits"}, "model": {"name": "some/where/net.py:build"}}
        assert load_config(file).name == "digits-net"

    @pytest.mark.parametrize(
        "data", [{}, {"dataset": 3}, {"dataset": None, "model": []}, {1: 2}, {"name": None}]
    )
    def test_errors_have_a_place_all_the_same(self, data):
        assert refused(lambda: load_config(data)).startswith("config: ")

    def test_endless(self):
        data = dict(MINIMAL)
        data["train"] = data
        assert refused(lambda: load_config(data)) == "config: nested too deeply to be a config."

    def test_keys_that_are_not_text(self):
        assert "unknown key 3" in refused(lambda: load_config({**MINIMAL, 3: 4}))


class TestConfigAsSource:
    def test_is_taken_as_it_is(self, load):
        config = load()
        assert load_config(config) is config

    def test_overrides_keep_name_origins_and_places(self, load, write):
        first = load("seed: 3\nbatch_size: 64", "find_lr.max_lr=2")
        second = load_config(first, ["batch_size=32"])
        assert (second.name, second.seed, second.batch_size) == ("some", 3, 32)
        assert second.find_lr.max_lr == 2
        assert [
            second.origin(k) for k in ("seed", "batch_size", "find_lr.max_lr", "precision")
        ] == [
            "file",
            "--set",
            "--set",
            "default",
        ]
        assert str(second.error("seed", "no")) == f"{write()}, line 3: no"
        assert str(second.error("batch_size", "no")) == "--set batch_size=32: no"
        assert first.batch_size == 64 and first.origin("batch_size") == "file"

    def test_a_seed(self, load):
        config = load("seed: 3")
        assert load_config(config, seed=4).seed == 4
        assert config.seed == 3


class TestOverrides:
    @pytest.mark.parametrize(
        ("text", "key", "value"),
        [
            ("seed=5", "seed", 5),
            (" seed =  5 ", "seed", 5),
            ("find_lr.max_lr=3e-1", "find_lr.max_lr", 0.3),
            (" find_lr . max_lr = 3 ", "find_lr.max_lr", 3),
            ("name=a=b", "name", "a=b"),
            ("name=2020-01-01", "name", "2020-01-01"),
            ("find_wd.values=[1e-3, 0]", "find_wd.values", [1e-3, 0]),
            ("find_wd.values.1=0.5", "find_wd.values", [0.1, 0.5]),
            ("train.cycles.0.epochs=7", "train.cycles.0.epochs", 7),
            ("train.cycles.1={epochs: 4}", "train.cycles.1.epochs", 4),
            ("train.cycles.1.max_lr=0.3", "train.cycles.1.epochs", 2),
            ("train.momentum={max: 0.9, min: 0.8}", "train.momentum.max", 0.9),
            ("train.momentum=auto", "train.momentum", "auto"),
            ("find_lr.stop_factor=", "find_lr.stop_factor", None),
            ("model.options.width=64", "model.options", {"width": 64, "more": {"deep": [[1], 2]}}),
            ("model.options.more.deep.0.0=5", "model.options.more.deep", [[5], 2]),
            ("model.options.new.0=5", "model.options.new", {"0": 5}),
            ("model.options.more=5", "model.options.more", 5),
            ("loss=mse", "loss.name", "mse"),
            ("loss.from_logits=true", "loss.name", "huber"),
            ("dataset.augment.cutout=8", "dataset.augment.flip", True),
            ("dataset={name: digits}", "dataset.limit", None),
        ],
    )
    def test_a_value(self, load, text, key, value):
        config = load(
            "loss: huber\nfind_wd: {values: [0.1, 0.2]}\n"
            "train: {cycles: [{epochs: 1}, {epochs: 2}], momentum: {max: 0.5, min: 0.4}}\n",
            text,
            dataset="{name: digits, limit: 50}",
            model="{name: mlp, options: {width: 32, more: {deep: [[1], 2]}}}",
        )
        found = config
        for part in key.split("."):
            if isinstance(found, dict):
                found = found[part]
            elif isinstance(found, list):
                found = found[int(part)]
            else:
                found = getattr(found, part)
        assert found == value

    def test_the_last_one_wins(self, load):
        assert load("seed: 1", "seed=2", "seed=3").seed == 3

    def test_over_a_scalar(self, load):
        config = load("train: {momentum: auto}", "train.momentum.max=0.9", "train.momentum.min=0.8")
        assert config.train.momentum.model_dump() == {"max": 0.9, "min": 0.8}

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("seed", "must be dotted.key=VALUE, such as find_lr.max_lr=3."),
            ("=3", "must be dotted.key=VALUE"),
            ("", "must be dotted.key=VALUE"),
            ("find_lr.=3", "must be dotted.key=VALUE"),
            (".max_lr=3", "must be dotted.key=VALUE"),
            ("find_lr..max_lr=3", "must be dotted.key=VALUE"),
            ("seed=[", "the value is not valid YAML: expected the node content"),
            ("seed={a: 1, a: 2}", "the value is not valid YAML: the key 'a' is given twice"),
            ("seed=!!int x", "the value is not valid YAML"),
            ("train.cycles.2.epochs=3", "train.cycles is a list of 2, counted from 0; got '2'."),
            ("train.cycles.-1.epochs=3", "train.cycles is a list of 2, counted from 0; got '-1'."),
            ("train.cycles.first=3", "train.cycles is a list of 2, counted from 0; got 'first'."),
            ("train.cycles.²=3", "train.cycles is a list of 2, counted from 0; got '²'."),
            ("train.cycles.0.epochs=0", "train.cycles.0.epochs must be at least 1; got 0."),
            (
                "train.cycles.0=0",
                "train.cycles.0 must have keys and values of its own, such as",
            ),
            ("find_lr.min_lr=20", "find_lr: min_lr (20) must be below max_lr (10)."),
            ("train.end_percentage=0", "train: end_percentage 0 needs scale_percentage, to set"),
            ("optimiser.name=sgd", "unknown key optimiser; did you mean 'optimizer'?"),
            ("seed.0=1", "seed must be a whole number; got {0: 1}."),
        ],
    )
    def test_a_bad_one(self, load, text, sentence):
        error = refused(lambda: load("train: {cycles: [{epochs: 1}, {epochs: 2}]}", text))
        assert error.startswith(f"--set {text}: {sentence}")

    def test_endless_nesting(self, load):
        error = refused(lambda: load("", "model.options.a=" + "[" * 5000))
        assert error.endswith("nested too deeply to be a config.")

    def test_the_seed_goes_before_all_else(self, load):
        config = load("seed: 1", "seed=2", seed=3)
        assert (config.seed, config.origin("seed")) == (3, "--set")
        assert str(config.error("seed", "no")) == "--seed 3: no"
        assert load("seed: 1", "seed=2").seed == 2

    @pytest.mark.parametrize("seed", [-1, 2**31, 1.5, True, "x"])
    def test_a_bad_seed(self, load, seed):
        assert refused(lambda: load(seed=seed)).startswith(f"--seed {seed}: seed must be ")


class TestPaths:
    @pytest.fixture
    def places(self, tmp_path, monkeypatch):
        """A config's folder and a current folder, each with data.npz and net.py."""
        for folder in ("config", "current"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "data.npz").write_bytes(b"")
        monkeypatch.chdir(tmp_path / "current")
        (tmp_path / "config" / "c.yaml").write_text(
            "dataset: {name: arrays, path: data.npz}\nmodel: {name: 'net.py:build'}"
        )
        return tmp_path

    def test_in_a_file_count_from_its_folder(self, places):
        config = load_config("../config/c.yaml")
        assert config.dataset.path == str(places / "config" / "data.npz")
        assert config.model.name == f"{places}/config/net.py:build"

    @pytest.mark.parametrize("key", ["validation", "test", "validation_rows"])
    def test_of_other_parts_count_in_the_same_way(self, places, key):
        (places / "config" / "more.npz").write_bytes(b"")
        config = load_config("../config/c.yaml", [f"dataset.{key}=../config/more.npz"])
        assert getattr(config.dataset, key) == str(places / "config" / "more.npz")
        (places / "config" / "c.yaml").write_text(
            f"dataset: {{name: arrays, path: data.npz, {key}: more.npz}}\nmodel: {{name: mlp}}"
        )
        config = load_config("../config/c.yaml")
        assert getattr(config.dataset, key) == str(places / "config" / "more.npz")

    def test_in_a_linked_file_too(self, places):
        """The data lie beside the file itself."""
        (places / "current" / "link.yaml").symlink_to(places / "config" / "c.yaml")
        assert load_config("link.yaml").dataset.path == str(places / "config" / "data.npz")

    @pytest.mark.parametrize(
        "overrides",
        [
            ["dataset.path=data.npz", "model.name=net.py:build"],
            ["dataset={name: arrays, path: ./data.npz}", "model={name: 'x/../net.py:build'}"],
        ],
    )
    def test_in_overrides_count_from_the_current_folder(self, places, overrides):
        config = load_config("../config/c.yaml", overrides)
        assert config.dataset.path == str(places / "current" / "data.npz")
        assert config.model.name == f"{places}/current/net.py:build"

    def test_in_a_mapping_count_from_the_current_folder(self, places):
        data = {"dataset": {"name": "arrays", "path": "data.npz"}, "model": {"name": "a.py:b"}}
        config = load_config(data)
        assert config.dataset.path == str(places / "current" / "data.npz")
        assert config.model.name == f"{places}/current/a.py:b"

    def test_stay_when_absolute_or_at_home(self, places, monkeypatch):
        monkeypatch.setenv("HOME", str(places / "config"))
        path = places / "current" / "data.npz"
        assert load_config("../config/c.yaml", [f"dataset.path={path}"]).dataset.path == str(path)
        home = load_config("../config/c.yaml", ["dataset.path=~/data.npz"])
        assert home.dataset.path == str(places / "config" / "data.npz")

    def test_a_model_by_name_is_no_path(self, load):
        assert load().model.name == "mlp"

    @pytest.mark.parametrize("path", ["nowhere", "~nobody/x", "x" * 5000, "''", '"a\\0b"'])
    def test_of_nothing(self, places, path):
        error = refused(lambda: load_config("../config/c.yaml", [f"dataset.path={path}"]))
        assert "dataset.path: there is nothing at this path: " in error

    def test_are_given_with_line_and_full_name_when_there_is_nothing(self, places):
        (places / "config" / "data.npz").unlink()
        assert refused(lambda: load_config("../config/c.yaml")) == (
            f"../config/c.yaml, line 1: dataset.path: there is nothing at this path: "
            f"{places}/config/data.npz."
        )


class TestOrigins:
    def test_of_each_value(self, load):
        config = load("find_lr: {max_lr: 3}\nloss: mse\ntrain: {cycles: [{epochs: 3}]}", "seed=1")
        origins = {
            "seed": "--set",
            "find_lr.max_lr": "file",
            "find_lr.min_lr": "default",
            "loss": "file",
            "dataset.name": "file",
            "dataset.path": "default",
            "train.cycles": "file",
            "train.shape": "default",
            "batch_size": "default",
        }
        assert {key: config.origin(key) for key in origins} == origins

    def test_an_overridden_section_is_overridden_as_a_whole(self, load):
        config = load("find_lr: {max_lr: 3, repeats: 2}", "find_lr={max_lr: 4}")
        assert config.origin("find_lr.max_lr") == "--set"
        assert config.origin("find_lr.repeats") == "default"
        assert config.find_lr.repeats == 3
        assert str(config.error("find_lr.max_lr", "no")) == "--set find_lr={max_lr: 4}: no"

    def test_an_overridden_entry_overrides_its_list(self, load):
        config = load("train: {cycles: [{epochs: 3}]}", "train.cycles.0.epochs=4")
        assert config.origin("train.cycles") == "--set"


def assert_comes_back(config, folder):
    files.write_yaml(folder / "config.yaml", config.model_dump(), "# header\n")
    assert load_config(folder / "config.yaml").model_dump() == config.model_dump()


class TestRoundTrip:
    @pytest.mark.parametrize("overrides", [[], ["loss=mse"], ["loss.from_logits=false"]])
    def test_of_everything(self, tmp_path, overrides):
        (tmp_path / "all.yaml").write_text(FULL)
        config = load_config(tmp_path / "all.yaml", overrides)
        assert_comes_back(config, tmp_path)
        assert yaml.safe_load(files.to_yaml(config.model_dump())) == config.model_dump()

    def test_of_the_defaults(self, tmp_path):
        config = load_config(MINIMAL)
        assert_comes_back(config, tmp_path)

    def test_of_paths(self, tmp_path):
        (tmp_path / "data.npz").write_bytes(b"")
        data = {"dataset": {"name": "arrays"}, "model": {"name": "a.py:b"}}
        config = load_config(data, [f"dataset.path={tmp_path / 'data.npz'}"])
        (tmp_path / "elsewhere").mkdir()
        assert_comes_back(config, tmp_path / "elsewhere")

    @settings(max_examples=60)
    @given(st.data())
    def test_of_any_number_and_name(self, tmp_path, data):
        rate = st.floats(1e-300, 1e300)
        low, high = sorted(data.draw(st.lists(rate, min_size=2, max_size=2, unique=True)))
        share = st.floats(0, 1, exclude_max=True)
        names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/\\"))
        config = load_config(
            {
                "name": data.draw(names.filter(lambda n: n and not n.startswith("."))),
                "dataset": {"name": "digits"},
                "model": {"name": "mlp", "options": {"x": data.draw(st.floats(-1e9, 1e9))}},
                "find_lr": {"min_lr": low, "max_lr": high},
                "find_momentum": {"values": data.draw(st.lists(share, min_size=1, unique=True))},
                "optimizer": {"weight_decay": data.draw(rate)},
            }
        )
        assert_comes_back(config, tmp_path)


SNIPPETS = st.sampled_from(
    ["null", "true", "[]", "{}", "-1", "0", "1e-4", "1e999", ".nan", "x", "'", "[", "}", "&a *a",
     "!!bool x", "<<: *a", "- 1", "\n", "  ", ": ", "#", "\t", "1:30", "é", "\x85", "1" * 400, "\0",
     "? ", "| ", "%a", "momentum: auto", "options", "arrays", "find_lr:"]
)  # fmt: skip


class TestAnythingElse:
    @settings(max_examples=200)
    @given(st.lists(st.tuples(st.integers(0, len(FULL)), st.integers(0, 12), SNIPPETS), max_size=4))
    def test_a_mutated_file_is_read_or_refused(self, tmp_path, changes):
        text = FULL
        for position, length, snippet in changes:
            text = text[:position] + snippet + text[position + length :]
        path = tmp_path / "mutated.yaml"
        path.write_text(text, encoding="utf-8")
        self.read_or_refuse(path)

    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.text(max_size=5) | st.sampled_from(["max", "name"]), inner, max_size=3
            )
        ),
        max_leaves=6,
    )
    keys = st.sampled_from(
        [key for key, section in parse_value(FULL).items() if isinstance(section, dict)]
    ).flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(sorted(parse_value(FULL)[key]))))

    @settings(max_examples=100)
    @given(st.dictionaries(keys | st.tuples(st.sampled_from(sorted(parse_value(FULL)))), values))
    def test_a_mutated_mapping_is_read_or_refused(self, changes):
        data = parse_value(FULL)
        for key, value in changes.items():
            section = data[key[0]]
            if len(key) == 1:
                data[key[0]] = value
            elif isinstance(section, dict):
                section[key[1]] = value
        self.read_or_refuse(data)

    @settings(max_examples=150)
    @given(
        st.sampled_from(["", "find_lr.", "train.cycles.", "train.cycles.0."]), st.text(), SNIPPETS
    )
    def test_an_odd_override_is_read_or_refused(self, prefix, key, value):
        self.read_or_refuse(
            {**MINIMAL, "train": {"cycles": [{"epochs": 1}]}}, [f"{prefix}{key}={value}"]
        )

    @settings(max_examples=100)
    @given(st.binary(max_size=40))
    def test_any_bytes_are_read_or_refused(self, tmp_path, content):
        (tmp_path / "bytes.yaml").write_bytes(content)
        self.read_or_refuse(tmp_path / "bytes.yaml")

    def read_or_refuse(self, source, overrides=()):
        try:
            assert isinstance(load_config(source, overrides), Config)
        except ConfigError as error:
            assert str(error)


SCRIPT = """
import sys
from onecycle_cli.config import load_config
from onecycle_cli.config.template import template
from onecycle_cli.errors import ConfigError
for overrides in ([], ["find_lr.max_lr=-1"]):
    try:
        load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}}, overrides)
    except ConfigError:
        template("digits")
loaded = {"keras", "tensorflow", "numpy", "matplotlib", "jax"} & set(sys.modules)
sys.exit(str(loaded) if loaded else 0)
"""


def test_nothing_heavy_is_imported_for_good_and_for_bad():
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
