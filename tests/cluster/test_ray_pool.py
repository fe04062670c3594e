"""Workers on real Ray, but for what can be told without it."""

import contextlib
import importlib.machinery
import importlib.util
import os
import signal

import numpy as np
import pytest

from onecycle_cli.cluster import ray_pool
from onecycle_cli.cluster.pool import Done, Lost, Ready
from onecycle_cli.cluster.ray_pool import Duty, RayPool, check_installed
from onecycle_cli.config import SearchConfig, load_config
from onecycle_cli.errors import ConfigError, DataError

CONFIG = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}}


def searching_on(engine):
    return load_config(CONFIG | {"search": {"engine": engine}})


A_FOLDER = importlib.machinery.ModuleSpec("ray", None)
"""What Python finds in /tmp, where Ray keeps its files in /tmp/ray."""


@pytest.mark.parametrize("found", [None, A_FOLDER])
def test_where_ray_is_missing_it_is_said_how_to_install_it(monkeypatch, found):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    check_installed(searching_on("local"))
    with pytest.raises(ConfigError, match=r"^search\.engine ray needs Ray, which is not installed; "
                       r"run pip install 'onecycle-cli\[ray\]', or use local\.$"):  # fmt: skip
        check_installed(searching_on("ray"))


NOWHERE = ["127.0.0.1:1", "nowhere.invalid:6379", "nonsense", "ray://[:x"]


@pytest.mark.parametrize("address", NOWHERE)
def test_an_address_where_nobody_is_is_refused_at_once(address):
    with pytest.raises(ConfigError, match=r"there is no Ray cluster at .*'ray start --head'"):
        ray_pool._connect(None, address)


def test_ray_s_own_variable_is_followed(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", NOWHERE[0])
    with pytest.raises(ConfigError, match=f"there is no Ray cluster at {NOWHERE[0]} "):
        ray_pool._connect(None, "auto")


def test_a_cluster_that_is_gone_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/ray_current_cluster").write_text(NOWHERE[0])
    with pytest.raises(ConfigError, match=r"at 127\.0\.0\.1:1, does not answer .*; run 'ray stop'"):
        ray_pool._connect(None, "auto")


class Ray:
    """Remembers which clusters it was asked for; there is none but a new one."""

    def __init__(self):
        self.asked = []

    def init(self, address, **_):
        self.asked.append(address)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if address == "auto":
            raise ConnectionError("Could not find any running Ray instance.")


def test_without_a_cluster_one_is_started_and_sigterm_stays_ours(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    ray, before = Ray(), signal.getsignal(signal.SIGTERM)
    assert ray_pool._connect(ray, "auto") == "a Ray cluster of this machine"
    assert ray.asked == ["auto", "local"]
    assert signal.getsignal(signal.SIGTERM) is before


# --- real Ray ------------------------------------------------------------------------------------


def pool_of(act, *arguments, **settings):
    """Functions that no module has go to a worker as they are."""
    duty = Duty(lambda *given: (os.environ["SOME"], *given), arguments, act)
    settings = {"engine": "ray", "address": "local"} | settings
    return RayPool(SearchConfig.model_validate(settings), {"SOME": "of ours"}, duty)


@pytest.fixture(scope="module")
def act():
    def act(tool, task):
        from onecycle_cli.errors import DataError

        match task:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "wrong":
                raise DataError("there is none.")
            case "write":
                tool[1][0] = 0
        return os.getpid(), tool[0], float(tool[1].sum()), tool[1].flags.writeable

    return act


@pytest.mark.harness
def test_workers_of_a_cluster_of_our_own(act):
    """One cluster for all of this, as it takes seconds to start."""
    ray = pytest.importorskip("ray")
    before, numbers = signal.getsignal(signal.SIGTERM), np.arange(1e5)
    with contextlib.closing(pool_of(act, numbers)) as pool:
        assert signal.getsignal(signal.SIGTERM) is before
        assert pool.on == "a Ray cluster of this machine"
        assert pool.size == os.cpu_count()
        assert pool.hire() != pool.hire()
        first, second = pool.wait().worker, pool.wait().worker

        # The data are in shared memory, where nobody can write.
        pool.assign(first, "work")
        (pid, *found) = pool.wait().gave
        assert pid != os.getpid()
        assert found == ["of ours", numbers.sum(), False]
        pool.assign(first, "write")
        with pytest.raises(ValueError, match="read-only"):
            pool.wait()

        # What a worker raises is what this process sees.
        pool.assign(second, "wrong")
        with pytest.raises(
            DataError, match=r"^there is none\.\nThis was on a worker of the cluster\.$"
        ):
            pool.wait()

        # A worker that is killed in the middle is gone, and the others go on.
        pool.assign(second, "die")
        match pool.wait():
            case Lost(worker, why):
                assert worker == second
                assert why and "\n" not in why
            case other:
                pytest.fail(str(other))
        pool.assign(first, "work")
        assert isinstance(pool.wait(), Done)
        third = pool.hire()
        assert pool.wait() == Ready(third)

        # Others use the cluster that is there, and leave it.
        with pytest.raises(ConfigError, match="no machine of the Ray cluster that is connected has "
                           "4096 CPUs"):  # fmt: skip
            pool_of(act, numbers, resources={"cpu": 4096})
        with contextlib.closing(pool_of(act, numbers, trials_at_once=7)) as other:
            assert other.size == 7
        assert ray.is_initialized()
    assert not ray.is_initialized()
