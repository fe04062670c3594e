"""The environment of a worker: what decides how it computes, alike on every machine."""

from __future__ import annotations

from collections.abc import Mapping

_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
_HANDED_ON = ("KERAS_", "ONECYCLE_", "TF_", "XLA_", *_THREADS)
_OWN = ("TF_CONFIG",)


def environment_of_a_worker(here: Mapping[str, str], *, cpu: float, backend: str) -> dict[str, str]:
    """Return the variables to be set in a worker's process.

    Those of this process hold that say how Keras and its backends compute. Where none says
    otherwise, a worker has as many threads as it has cores, and one at least.

    Args:
        here: the environment of this process.
        cpu: the cores that a worker has.
        backend: of Keras.
    """
    threads = str(max(1, int(cpu)))
    usual = dict.fromkeys(_THREADS, threads)
    handed_on = {k: v for k, v in here.items() if k.startswith(_HANDED_ON) and k not in _OWN}
    return usual | handed_on | {"KERAS_BACKEND": backend}
