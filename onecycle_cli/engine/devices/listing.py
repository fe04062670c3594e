"""The devices of the backend as one line of JSON, for whoever does not want to start it himself.

python -m onecycle_cli.engine.devices.listing
"""

from __future__ import annotations

import importlib
import json

from onecycle_cli.engine.start import silent_stderr, start_keras


def devices() -> list[str]:
    """Return the devices that the backend sees, started if need be; the processor is one.

    Raises:
        ConfigError: when Keras can't be started.
    """
    if start_keras().backend.backend() == "torch":
        cuda = importlib.import_module("torch").cuda
        return [cuda.get_device_name(i) for i in range(cuda.device_count())] or ["cpu"]
    from onecycle_cli.engine.devices.present import names_of_devices

    return names_of_devices()


if __name__ == "__main__":
    with silent_stderr():
        found = devices()
    print(json.dumps(found))
