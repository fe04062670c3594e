from onecycle_cli.cluster.environment import environment_of_a_worker

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def threads_of(here, cpu):
    found = environment_of_a_worker(here, cpu=cpu, backend="tensorflow")
    return [found[name] for name in THREADS]


def test_as_many_threads_as_cores_and_one_at_least():
    assert threads_of({}, 4) == ["4"] * 3
    assert threads_of({}, 2.9) == ["2"] * 3
    assert threads_of({}, 0) == ["1"] * 3


def test_what_this_process_was_told_holds_there_too():
    assert threads_of({"TF_NUM_INTRAOP_THREADS": "3"}, 1) == ["3", "1", "1"]
    here = {
        "ONECYCLE_DATA": "/data",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "XLA_FLAGS": "-x",
        "KERAS_HOME": "k",
    }
    assert here.items() <= environment_of_a_worker(here, cpu=1, backend="jax").items()


def test_what_is_of_this_process_alone_stays():
    here = {"HOME": "/root", "TF_CONFIG": "{}", "CUDA_VISIBLE_DEVICES": "3", "KERAS_BACKEND": "jax"}
    found = environment_of_a_worker(here, cpu=1, backend="torch")
    assert found.keys().isdisjoint({"HOME", "TF_CONFIG", "CUDA_VISIBLE_DEVICES"})
    assert found["KERAS_BACKEND"] == "torch"
