import json

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.asked.backend import on_its_backend
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.recipe.run import foresee, run
from onecycle_cli.experiments.train import train


@pytest.fixture
def began(small, tmp_path):
    """Return the configuration of a run whose manifest says something of its backend."""

    def began(**said):
        (tmp_path / "manifest.json").write_text(json.dumps(said))
        return on_its_backend(tmp_path, load_config(small()))

    return began


def test_goes_on_with_the_backend_that_it_began_on(began):
    assert began(backend="tensorflow").backend == "tensorflow"


@pytest.mark.parametrize("said", [{}, {"backend": "numpy"}])
def test_a_manifest_that_does_not_say_changes_nothing(began, said):
    assert began(**said).backend == "auto"


def test_another_backend_is_refused(began, tmp_path):
    with pytest.raises(ConfigError) as caught:
        began(backend="torch")
    assert str(caught.value) == (
        f"{tmp_path}: was started on the backend torch, and Keras is set to tensorflow, which does "
        f"not come to the same bits; set the environment variable KERAS_BACKEND=torch, or start a "
        f"new run without --resume."
    )


@pytest.mark.parametrize("verb", [find_lr, train, run, foresee])
def test_a_backend_that_keras_does_not_run_on_is_refused_in_python(small, tmp_path, verb):
    with pytest.raises(ConfigError, match="backend: jax can't be used, as Keras runs on tens"):
        verb(small(backend="jax"), out=tmp_path)
    assert list(tmp_path.glob("small/*")) == []


def change_backend(folder, to):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"backend": to}))


def test_a_run_says_what_it_ran_on_and_goes_on_there_only(small, tmp_path, listener):
    def stop(step):
        if step == 8:
            raise KeyboardInterrupt

    listener.each_step = stop
    with pytest.raises(KeyboardInterrupt):
        train(small(), out=tmp_path, observer=listener)
    (folder,) = (tmp_path / "small/train").iterdir()
    then = json.loads((folder / "resume.json").read_text())
    assert then["config"]["backend"] == "tensorflow"
    assert load_config(folder / "config.yaml").backend == "tensorflow"

    change_backend(folder, "jax")
    with pytest.raises(ConfigError, match="was started on the backend jax, and Keras is set to"):
        train(resume=tmp_path / "small")
    change_backend(folder, "tensorflow")
    assert len(train(small(), resume=tmp_path / "small").history) == 2
