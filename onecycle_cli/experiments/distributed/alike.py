"""Whether all processes are about to carry out the same experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.engine.devices.distributed import check_alike
from onecycle_cli.engine.devices.processes import COUNT, processes
from onecycle_cli.engine.start import versions
from onecycle_cli.engine.state.initial_weights import digests
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.workbench.bench import Workbench

_MAY_DIFFER = ("dataset.path",)


def check_that_all_do_the_same(
    bench: Workbench, values: Values, identity: Mapping[str, Any], *also: object
) -> None:
    """Refuse to begin where processes would train different models, or by different data.

    They would put together gradients that have nothing to do with each other, and not notice.

    Args:
        bench: the model, at its start.
        values: in use.
        identity: of the data and the code.
        *also: what else decides how it goes on.

    Raises:
        ConfigError: when something differs, naming it; or when the data are a pipeline, which
            nobody can compare.
    """
    if not processes().are_several:
        return
    if bench.dataset.stream is not None:
        raise bench.config.error(
            "dataset.name",
            f"a pipeline of one's own can't be shared among {processes().count} processes, which "
            f"have to draw the same batches; give arrays or images, or remove {COUNT}.",
        )
    config = {k: v for k, v in bench.config.leaves().items() if k not in _MAY_DIFFER}
    check_alike(
        {
            "their configs": _text([config, *also]),
            "the values in use": _text(asdict(values)),
            "their data or code": _text(identity),
            "their initial weights": repr(digests(bench.model.variables)),
            "their versions": _text(versions()),
        }
    )


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, default=str)
