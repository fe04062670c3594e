import ctypes
import json
import os
import re
import resource
import shutil
import subprocess
import sys

import pytest

from onecycle_cli.engine import memory
from onecycle_cli.errors import ConfigError

GIB = 2**30
PLENTY = 64 * GIB


@pytest.fixture(autouse=True)
def a_plain_machine(monkeypatch):
    """Have nothing in this process' environment that `auto` heeds, and enough memory."""
    for name in (memory.VARIABLE, "GLIBC_TUNABLES", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(memory, "_has_accelerator", lambda: False)
    monkeypatch.setattr(memory, "_limits", lambda: [PLENTY])


class Glibc:
    """Takes down what is set."""

    def __init__(self, answer=1):
        self.answer = answer
        self.settings = {}

    def mallopt(self, option, value):
        self.settings[option] = value
        return self.answer


@pytest.fixture
def glibc(monkeypatch):
    """Return settings that are not those of the process that runs the tests."""
    found = Glibc()
    monkeypatch.setattr(memory, "_glibc_in_charge", lambda: found)
    monkeypatch.setattr(memory, "_kept", memory.threading.Event())
    return found


class TestTheSwitch:
    @pytest.mark.parametrize("answer", [None, "", "auto", "on"])
    def test_memory_is_kept(self, monkeypatch, glibc, answer):
        if answer is not None:
            monkeypatch.setenv(memory.VARIABLE, answer)
        memory.keep_memory("tensorflow")
        assert memory.is_memory_kept()
        assert len(glibc.settings) == 3

    def test_off(self, monkeypatch, glibc):
        monkeypatch.setenv(memory.VARIABLE, "off")
        memory.keep_memory("tensorflow")
        assert not memory.is_memory_kept()
        assert glibc.settings == {}

    @pytest.mark.parametrize(("answer", "kept"), [("auto", False), ("on", True)])
    def test_on_holds_whatever_there_is_against_it(self, monkeypatch, glibc, answer, kept):
        monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
        monkeypatch.setenv(memory.VARIABLE, answer)
        memory.keep_memory("tensorflow")
        assert memory.is_memory_kept() == bool(glibc.settings) == kept

    @pytest.mark.parametrize("answer", ["yes", "ON", "0"])
    def test_another_answer_is_refused_in_one_sentence(self, monkeypatch, glibc, answer):
        monkeypatch.setenv(memory.VARIABLE, answer)
        with pytest.raises(ConfigError) as caught:
            memory.keep_memory("tensorflow")
        assert str(caught.value) == (
            f"ONECYCLE_KEEP_MEMORY must be one of auto, on, off, got {answer}; correct or unset it."
        )
        assert glibc.settings == {}

    def test_what_glibc_refuses_does_not_count(self, glibc):
        glibc.answer = 0
        memory.keep_memory("tensorflow")
        assert not memory.is_memory_kept()


class TestReasonAgainst:
    def test_none_on_a_plain_machine(self):
        assert memory.reason_against("tensorflow") is None

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("MALLOC_ARENA_MAX", "1"),
            ("MALLOC_TRIM_THRESHOLD_", "131072"),
            ("GLIBC_TUNABLES", "glibc.malloc.arena_max=2"),
            ("GLIBC_TUNABLES", "glibc.cpu.x86_shstk=off:glibc.malloc.mmap_max=9"),
        ],
    )
    def test_settings_of_the_users_own(self, monkeypatch, name, value):
        monkeypatch.setenv(name, value)
        assert re.search(r"MALLOC_|glibc\.malloc", memory.reason_against("tensorflow"))

    def test_other_tunables_say_nothing(self, monkeypatch):
        monkeypatch.setenv("GLIBC_TUNABLES", "glibc.cpu.x86_shstk=off")
        assert memory.reason_against("tensorflow") is None

    @pytest.mark.parametrize("backend", ["jax", "torch"])
    def test_a_backend_that_would_need_much_more(self, backend):
        assert memory.reason_against(backend) == f"{backend} would need much more memory"

    def test_an_accelerator(self, monkeypatch):
        monkeypatch.setattr(memory, "_has_accelerator", lambda: True)
        assert memory.reason_against("tensorflow") == "there is an accelerator"

    @pytest.mark.parametrize(
        ("limits", "little"),
        [([4 * GIB - 1], True), ([4 * GIB], False), ([PLENTY, 3 * GIB], True), ([], False)],
    )
    def test_little_memory(self, monkeypatch, limits, little):
        monkeypatch.setattr(memory, "_limits", lambda: limits)
        assert (memory.reason_against("tensorflow") == "there is little memory") == little


@pytest.mark.parametrize(
    ("device", "visible", "expected"),
    [
        ("null", None, False),
        ("nvidiactl", None, False),
        ("nvidia0", None, True),
        ("nvidia3", "3", True),
        ("nvidia0", "", False),
        ("nvidia0", "-1", False),
        ("kfd", "", True),
        ("accel0", None, True),
    ],
)
def test_an_accelerator_is_told_by_its_device(monkeypatch, tmp_path, device, visible, expected):
    monkeypatch.undo()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    (tmp_path / device).touch()
    assert memory._has_accelerator(tmp_path) == expected


class TestLimits:
    @pytest.fixture(autouse=True)
    def the_real_function(self, monkeypatch, a_plain_machine):
        monkeypatch.undo()
        monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY,) * 2)

    @pytest.fixture
    def written(self, tmp_path):
        def written(**files):
            for name, text in files.items():
                path = tmp_path / name.replace("__", "/").replace("_max", ".max")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(memory._limits(tmp_path))

        return written

    def test_nothing_is_known(self, tmp_path):
        assert list(memory._limits(tmp_path)) == []

    def test_what_the_system_has_left(self, written):
        assert written(proc__meminfo="MemTotal: 9 kB\nMemAvailable:   2048 kB\n") == [2048 * 1024]

    def test_version_2_and_the_groups_above(self, written):
        found = written(
            proc__self__cgroup="0::/user/job\n",
            sys__fs__cgroup__user__job__memory_max="max\n",
            sys__fs__cgroup__user__memory_max="5000\n",
        )
        assert found == [5000]

    def test_version_2_in_a_container_without_names_of_its_own(self, written):
        found = written(
            proc__self__cgroup="0::/docker/0123\n", sys__fs__cgroup__memory_max="7000\n"
        )
        assert found == [7000]

    def test_version_1(self, written, tmp_path):
        group = tmp_path / "sys/fs/cgroup/memory/job"
        group.mkdir(parents=True)
        (group / "memory.limit_in_bytes").write_text("6000\n")
        found = written(proc__self__cgroup="5:cpu,memory:/job\n4:pids:/job\n0::/\n")
        assert found == [6000]

    def test_limits_of_the_process(self, monkeypatch, tmp_path):
        limits = {resource.RLIMIT_AS: (8000, 9000), resource.RLIMIT_DATA: (7000, 9000)}
        monkeypatch.setattr(resource, "getrlimit", limits.get)
        assert list(memory._limits(tmp_path)) == [8000, 7000]


ON_GLIBC = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"),
    reason="the C library is not glibc",
)


def answer(script, **environment):
    """Return what a script prints as JSON, in a process of its own."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "MALLOC_"))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=clean | environment,
    )
    return json.loads(done.stdout)


IN_CHARGE = """
from onecycle_cli.engine import memory
print("true" if memory._glibc_in_charge() else "false")
"""


@ON_GLIBC
class TestWhoseMallocItIs:
    def test_glibc(self):
        assert answer(IN_CHARGE)

    @pytest.mark.skipif(shutil.which("cc") is None, reason="there is no compiler")
    def test_a_preloaded_one(self, tmp_path):
        source, library = tmp_path / "other.c", tmp_path / "other.so"
        source.write_text(
            "extern void *__libc_malloc(unsigned long);\n"
            "void *malloc(unsigned long size) { return __libc_malloc(size); }\n"
            "unsigned long malloc_usable_size(void *memory) { return memory ? 1 : 0; }\n"
        )
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        assert not answer(IN_CHARGE, LD_PRELOAD=str(library))


class TestWithoutGlibc:
    def test_on_another_system(self, monkeypatch):
        monkeypatch.setattr(memory.sys, "platform", "darwin")
        assert memory._glibc_in_charge() is None

    def test_with_another_library(self, monkeypatch):
        """musl has no file of that name."""

        def load(name):
            raise OSError(name)

        monkeypatch.setattr(memory.ctypes, "CDLL", load)
        assert memory._glibc_in_charge() is None

    def test_nothing_is_done(self, monkeypatch):
        monkeypatch.setattr(memory, "_kept", memory.threading.Event())
        monkeypatch.setattr(memory, "_glibc_in_charge", lambda: None)
        monkeypatch.setenv(memory.VARIABLE, "on")
        memory.keep_memory("tensorflow")
        assert not memory.is_memory_kept()


NO_HUGE_PAGES = """
import ctypes
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE
"""
"""So that mapped pages are of one size, whatever the machine is set to."""

PAGES = """
from onecycle_cli.engine.memory import is_memory_kept, keep_memory
keep_memory("tensorflow")
import json, resource, threading

def work():
    for _ in range(3):
        bytearray(40 << 20)  # zeros: each of its pages is written to

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

pages()
print(json.dumps([is_memory_kept(), pages()]))
"""


@ON_GLIBC
def test_freed_memory_is_used_again_by_all_threads():
    (_, given_back), (kept, few) = (
        answer(NO_HUGE_PAGES + PAGES, ONECYCLE_KEEP_MEMORY=switch) for switch in ("off", "on")
    )
    assert kept
    assert given_back > 2 * 3 * (40 << 20) / resource.getpagesize() > 100 * few


KERAS_FIRST = """
import sys, types
if {first}:
    sys.modules["keras"] = types.ModuleType("keras")
    sys.modules["keras"].backend = types.SimpleNamespace(backend=lambda: "tensorflow")
from onecycle_cli.engine import memory, start
memory._limits = memory._has_accelerator = list
start.check_version = lambda: None
start.importlib = types.SimpleNamespace(import_module=lambda name: sys)
start.start_keras()
print(str(memory.is_memory_kept()).lower())
"""


@ON_GLIBC
@pytest.mark.parametrize("first", [True, False])
def test_a_process_that_has_keras_already_is_left_alone(first):
    assert answer(KERAS_FIRST.format(first=first)) is not first


TRAINING = """
from onecycle_cli.engine.repeatable import make_repeatable
from onecycle_cli.engine.start import start_keras
keras = start_keras()
import json, resource
from hashlib import sha256
import numpy as np

make_repeatable(0)
layers = keras.layers
model = keras.Sequential([
    keras.Input((32, 32, 3)), layers.Conv2D(64, 3, activation="relu"), layers.BatchNormalization(),
    layers.Conv2D(64, 1, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(2)])
model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
random = np.random.default_rng(0)
x, y = random.normal(size=(320, 32, 32, 3)).astype("float32"), random.normal(size=(320, 2))

def pages(batch_size):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

pages(40)
bits = sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
fewest = min(pages(160) for _ in range(6))  # other epochs may need more at once than any before
print(json.dumps([bits, fewest]))
"""
"""The buffers of 160 images have 40 MiB: glibc gives back any of over 32 MiB that is freed.

Without oneDNN, TensorFlow does not repeat the bits of so large a batch from process to process, so
those of an epoch of smaller batches are compared.
"""


@ON_GLIBC
@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("tensorflow", marks=pytest.mark.harness),
        pytest.param("jax", marks=pytest.mark.harness),
        pytest.param("torch", marks=pytest.mark.torch),
    ],
)
def test_a_training_has_the_same_bits_and_maps_a_tenth_of_the_pages(backend):
    (bits, given_back), (same, kept) = (
        answer(
            NO_HUGE_PAGES + TRAINING,
            ONECYCLE_KEEP_MEMORY=switch,
            KERAS_BACKEND=backend,
            TF_ENABLE_ONEDNN_OPTS="0",
        )
        for switch in ("off", "on")
    )
    assert bits == same
    assert given_back > 10 * kept
