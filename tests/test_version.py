import re
from importlib.metadata import version

import onecycle_cli
from onecycle_cli.version import __version__


def test_there_is_one_version():
    assert onecycle_cli.__version__ == __version__ == version("onecycle-cli")


def test_it_is_a_release():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
