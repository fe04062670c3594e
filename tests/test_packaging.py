import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from onecycle_cli import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
NEEDED = [*PROJECT["project"]["dependencies"], *EXTRAS["tables"], *EXTRAS["stores"]]
SETUPTOOLS = PROJECT["tool"]["setuptools"]

NOT_SOURCES = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist")
NOT_AT_THE_TOP = {"runs", "benchmarks"}  # a room is called runs, too


def not_sources(folder, names):
    ignored = NOT_SOURCES(folder, names)
    return ignored | NOT_AT_THE_TOP if Path(folder) == ROOT else ignored


harness = pytest.mark.harness


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build both distributions from a copy, so that nothing is left in the sources."""
    folder = tmp_path_factory.mktemp("build")
    shutil.copytree(ROOT, folder / "sources", ignore=not_sources)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", "sources"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def sdist_names(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        return {name.partition("/")[2] for name in sdist.getnames()}


def sources_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}


def test_every_package_is_listed():
    """A forgotten one would be missing from the wheel without a word."""
    packages = {
        "onecycle_cli" + "".join(f".{part}" for part in path.parent.relative_to(folder).parts)
        for folder in [ROOT / "onecycle_cli"]
        for path in folder.rglob("__init__.py")
    }
    assert sorted(SETUPTOOLS["packages"]) == sorted(packages | {"onecycle_models"})
    assert SETUPTOOLS["package-dir"] == {"onecycle_models": "models"}


def test_every_folder_with_modules_is_a_package():
    for folder in ("onecycle_cli", "models"):
        for path in (ROOT / folder).rglob("*.py"):
            assert (path.parent / "__init__.py").is_file(), path.parent


@pytest.mark.parametrize("folder", ["onecycle_cli", "models"])
def test_types_are_declared(folder):
    assert (ROOT / folder / "py.typed").is_file()


@harness
def test_the_wheel_holds_two_packages_and_nothing_else(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    expected = {f"onecycle_cli/{name}" for name in sources_of(ROOT / "onecycle_cli")}
    expected |= {f"onecycle_models/{name}" for name in sources_of(ROOT / "models")}
    expected |= {"onecycle_cli/py.typed", "onecycle_models/py.typed"}
    digits = "onecycle_cli/data/sources/digits"
    expected |= {f"onecycle_cli/report/templates/page.{end}" for end in ("html", "css", "js")}
    assert names == expected | {f"{digits}.npz", f"{digits}.LICENSE.txt"}


@harness
def test_the_wheel_says_what_it_is(wheel):
    info = f"onecycle_cli-{__version__}.dist-info"
    metadata = message_from_string(wheel.read(f"{info}/METADATA").decode())
    assert (metadata["Name"], metadata["Version"]) == ("onecycle-cli", __version__)
    assert (metadata["License-Expression"], metadata["License-File"]) == ("MIT", "LICENSE")
    assert metadata["Requires-Python"] == ">=3.11"
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert "onecycle = onecycle_cli.main:run" in wheel.read(f"{info}/entry_points.txt").decode()


SCRIPT = """
import importlib.util
import sys
import onecycle_cli
import onecycle_models
from onecycle_cli.config.template import template
assert all(m.__file__.startswith(sys.argv[1]) for m in (onecycle_cli, onecycle_models))
assert importlib.util.find_spec("models") is None
print(onecycle_cli.__version__)
"""


@harness
def test_the_wheel_works_outside_the_checkout(wheel, tmp_path):
    wheel.extractall(tmp_path / "site")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "site")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


@harness
@pytest.mark.parametrize("folder", ["onecycle_cli", "models", "tests"])
def test_the_sdist_holds_the_sources(sdist_names, folder):
    missing = {f"{folder}/{name}" for name in sources_of(ROOT / folder)} - sdist_names
    assert missing == set()


@harness
def test_the_sdist_holds_what_goes_with_them(sdist_names):
    configs = {f"configs/{path.name}" for path in (ROOT / "configs").glob("*.yaml")}
    files = {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "models/py.typed"}
    files |= {f"onecycle_cli/data/sources/digits.{end}" for end in ("npz", "LICENSE.txt")}
    assert configs and configs | files <= sdist_names


@harness
def test_the_sdist_holds_no_leftovers(sdist_names):
    assert not [n for n in sdist_names if "__pycache__" in n or n.endswith((".pyc", ".pyo"))]


def test_the_lower_bounds_hold_here():
    """What the tests run with is what they were tested with, or newer."""
    from importlib.metadata import version

    def numbers(text):
        return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())

    for requirement in NEEDED:
        name, bound, *cap = re.split("[<>]=?", requirement.replace(",", ""))
        assert numbers(version(name)) >= numbers(bound), requirement
        assert not cap or numbers(version(name)) < numbers(cap[0]), requirement


@pytest.mark.lowest
def test_the_lower_bounds_are_those_that_are_tested():
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    tested = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    bounds = {}
    for requirement in NEEDED:
        name, bound = re.match(r"([\w-]+)>=([\w.]+)", requirement).groups()
        bounds[name] = bound
    assert bounds == {name: tested[name] for name in bounds}


def test_everything_optional_is_tested():
    optional = [*EXTRAS["tables"], *EXTRAS["stores"], *EXTRAS["tensorboard"], *EXTRAS["wandb"]]
    assert {*optional} <= set(EXTRAS["test"])


TESTED_TOGETHER = {
    "callbacks/recorded_cycle.py": "experiments/searches/test_comparing.py",
    "callbacks/range_test/accumulation.py": "callbacks/test_lr_finder.py",
    "callbacks/range_test/arguments.py": "callbacks/test_lr_finder.py",
    "callbacks/counts.py": "callbacks/test_one_cycle_lr.py",
    "callbacks/range_test/saved.py": "callbacks/test_lr_finder.py",
    "callbacks/range_test/validation_loss.py": "callbacks/test_lr_finder.py",
    "commands/console/candidates.py": "commands/test_chain.py",
    "commands/find_lr.py": "commands/test_chain.py",
    "commands/find_momentum.py": "commands/test_chain.py",
    "commands/find_wd.py": "commands/test_chain.py",
    "commands/helping/preview.py": "commands/test_plot.py",
    "commands/console/usage/app.py": "test_main.py",
    "commands/console/usage/examples.py": "test_main.py",
    "experiments/recipe/result.py": "experiments/recipe/test_run.py",
    "experiments/asked/how_to_resume.py": "commands/test_processes.py",
    "commands/console/options.py": "commands/test_chain.py",
    "commands/train.py": "commands/test_chain.py",
    "commands/reading/wording.py": "commands/reading/test_ls.py",
    "commands/console/training_command.py": "commands/test_errors.py",
    "schedules/drawing.py": "schedules/test_shapes.py",
    "schedules/shape_options.py": "schedules/test_shapes.py",
    "config/dataset.py": "config/test_schema.py",
    "config/finders.py": "config/test_schema.py",
    "config/optimizer.py": "config/test_schema.py",
    "config/section.py": "config/test_schema.py",
    "config/sources.py": "data/test_loading.py",
    "config/train.py": "config/test_schema.py",
    "plugin_names.py": "registry/code/test_functions.py",
    "registry/model_shapes.py": "registry/test_models.py",
    "registry/code/running.py": "registry/test_models.py",
    "experiments/speed/settling.py": "experiments/speed/test_xla.py",
    "experiments/searches/search.py": "experiments/searches/test_rates.py",
    "suggest/probes/rounds.py": "suggest/probes/test_plan.py",
    "experiments/speed/measured.py": "experiments/speed/test_precision.py",
    "experiments/searches/jobs.py": "experiments/searches/test_comparing.py",
    "experiments/searches/engines/choice.py": "experiments/searches/engines/test_on_cluster.py",
    "experiments/searches/engines/engine.py": "experiments/searches/test_trials.py",
    "experiments/searches/engines/local.py": "experiments/searches/test_comparing.py",
    "cluster/pool.py": "cluster/test_dispatch.py",
    "cluster/worker.py": "cluster/test_ray_pool.py",
    "workbench/expected.py": "workbench/test_loading.py",
    "registry/datasets.py": "workbench/test_loading.py",
    "registry/augmentations.py": "workbench/test_loading.py",
    "data/sources/by_function.py": "workbench/test_loading.py",
    "data/batches/own_augmentation.py": "workbench/test_loading.py",
    "experiments/distributed/alike.py": "engine/devices/test_distributed.py",
    "experiments/distributed/folders.py": "engine/devices/test_distributed.py",
    "experiments/distributed/meeting.py": "engine/devices/test_distributed.py",
    "engine/devices/listing.py": "doctor/test_keras_here.py",
    "export/schedule.py": "export/test_keras_code.py",
    "export/pytorch_optimizers.py": "export/test_pytorch_code.py",
    "export/pytorch_schedules.py": "export/test_pytorch_code.py",
    "engine/devices/present.py": "workbench/test_settings.py",
    "engine/devices/reduction.py": "engine/devices/test_data_parallel.py",
    "engine/devices/shares.py": "engine/devices/test_data_parallel.py",
    "data/files/npz.py": "data/sources/test_arrays.py",
    "data/sources/source.py": "data/test_loading.py",
    "experiments/evaluation/inputs.py": "experiments/evaluation/test_evaluate.py",
    "workbench/fitness.py": "workbench/test_bench.py",
    "workbench/subjects/configured.py": "workbench/test_bench.py",
    "workbench/subjects/subject.py": "workbench/test_bench.py",
    "workbench/subjects/in_hand.py": "experiments/asked/test_in_hand.py",
    "workbench/subjects/adoption.py": "experiments/asked/test_in_hand.py",
    "workbench/scoring/compiled.py": "experiments/asked/test_in_hand.py",
    "data/mapping.py": "data/files/test_npy.py",
    "data/batches/stream.py": "experiments/asked/test_streams.py",
    "experiments/drawn.py": "experiments/asked/test_in_hand.py",
    "experiments/trainings/result.py": "experiments/test_train.py",
    "report/document.py": "report/test_page.py",
    "report/charts/range_test.py": "report/test_run.py",
    "report/charts/probes.py": "report/test_run.py",
    "report/charts/comparison.py": "report/test_run.py",
    "report/charts/training.py": "report/test_run.py",
    "report/charts/overlay.py": "report/test_several.py",
    "data/sources/parts.py": "data/sources/test_arrays.py",
    "experiments/evaluation/saved_training.py": "experiments/evaluation/test_evaluate.py",
    "training/hooks.py": "experiments/test_train.py",
    "experiments/recipe/folder.py": "experiments/recipe/test_run.py",
    "runs/folders/lock.py": "runs/test_run_folder.py",
    "runs/folders/numbers.py": "runs/test_run_folder.py",
    "experiments/find_momentum.py": "experiments/searches/test_comparing.py",
    "experiments/find_wd.py": "experiments/searches/test_comparing.py",
    "observer.py": "experiments/test_train.py",
    "engine/started.py": "commands/test_processes.py",
    "experiments/manifest.py": "experiments/test_find_lr.py",
    "training/reporting.py": "experiments/test_train.py",
    "engine/batch_readers.py": "callbacks/test_lr_finder.py",
    "experiments/searches/sweeping.py": "experiments/test_find_lr.py",
    "engine/safe_mode.py": "registry/code/test_containment.py",
    "engine/trainable.py": "engine/test_instruments.py",
    "engine/execution/in_graph.py": "callbacks/test_one_cycle_lr.py",
    "engine/execution/loss_tracker.py": "engine/test_instruments.py",
    "engine/execution/plan.py": "engine/execution/test_in_turn.py",
    "engine/execution/several_steps.py": "engine/execution/test_in_turn.py",
    "engine/state/generators.py": "engine/state/test_snapshot.py",
    "engine/steering/live_variables.py": "engine/steering/test_live_hyper_parameters.py",
    "engine/steering/gradient_norm.py": "engine/steering/test_live_hyper_parameters.py",
    "engine/steering/no_effect.py": "callbacks/test_acts_on_training.py",
    "engine/steering/stock_variables.py": "callbacks/test_saved_models.py",
    "engine/steering/names.py": "engine/steering/test_live_hyper_parameters.py",
    "engine/steering/optimizers.py": "engine/steering/test_live_hyper_parameters.py",
    "runs/curve.py": "runs/test_records.py",
    "runs/trackers/events.py": "runs/trackers/test_tensorboard.py",
    "runs/trackers/remembered.py": "runs/trackers/test_guarded.py",
    "runs/trackers/together.py": "runs/trackers/test_guarded.py",
    "runs/trackers/tracker.py": "runs/trackers/test_guarded.py",
    "experiments/asked/installed.py": "runs/trackers/test_table.py",
    "experiments/tracking/trials.py": "experiments/tracking/test_tracked.py",
    "experiments/asked/request.py": "experiments/test_session.py",
    "experiments/hyper_parameters/conditions.py": "experiments/hyper_parameters/test_gathering.py",
    "experiments/hyper_parameters/values.py": "experiments/hyper_parameters/test_gathering.py",
    "experiments/reread/range_test.py": "experiments/reread/test_again.py",
    "experiments/reread/saved_scores.py": "experiments/reread/test_again.py",
    "experiments/reread/suggested.py": "experiments/reread/test_again.py",
    "experiments/reread/trials.py": "experiments/reread/test_again.py",
    "experiments/reread/writing.py": "experiments/reread/test_again.py",
    "training/course.py": "training/test_cycles.py",
    "training/final_weights.py": "experiments/test_train.py",
    "training/plan.py": "training/test_cycles.py",
}
"""Modules that mean something only with others, and where the whole is tested."""


def homes_of_tests(module):
    """Return where the tests of a module may be: by its name, or by that of its room."""
    return [
        ROOT / "tests" / module.parent / f"test_{module.name}",
        ROOT / "tests" / f"test_{module.parts[0]}.py",
        ROOT / "tests" / TESTED_TOGETHER.get(module.as_posix(), "nowhere"),
    ]


def test_tests_mirror_the_sources():
    folder = ROOT / "onecycle_cli"
    modules = [path.relative_to(folder) for path in folder.rglob("[!_]*.py")]
    missing = [
        str(module)
        for module in sorted(modules)
        if not any(p.is_file() for p in homes_of_tests(module))
    ]
    assert missing == []


@pytest.mark.parametrize("module", TESTED_TOGETHER)
def test_what_is_tested_together_is_still_there(module):
    assert (ROOT / "onecycle_cli" / module).is_file()
    assert (ROOT / "tests" / TESTED_TOGETHER[module]).is_file()
