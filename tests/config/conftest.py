import pytest

from onecycle_cli.config import load_config


@pytest.fixture
def write(tmp_path):
    """Write a config file; `{rest}` follows the two values that every config needs."""

    def write(rest="", *, dataset="{name: digits}", model="{name: mlp}", name="some.yaml"):
        path = tmp_path / name
        path.write_text(f"dataset: {dataset}\nmodel: {model}\n{rest}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def load(write):
    """Load a config from the rest of its text, with overrides."""

    def load(rest="", *overrides, seed=None, **others):
        return load_config(write(rest, **others), overrides, seed=seed)

    return load
