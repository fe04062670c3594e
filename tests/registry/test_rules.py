import subprocess
import sys

import numpy as np
import pytest

from onecycle_cli.errors import ConfigError, PluginError
from onecycle_cli.registry import rules

SOURCE = "def last(lrs, losses):\n    return lrs[-1]\n"


def test_a_path_becomes_the_function_that_it_names(write):
    rule = rules.load(write(SOURCE, "mine.py") + ":last")
    assert rule(np.array([0.1, 0.2]), np.array([1.0, 2.0])) == 0.2
    assert rule.name == "mine.py:last"


@pytest.mark.parametrize("rule", ["rebound/2", max])
def test_other_rules_stay_what_they_are(rule):
    assert rules.load(rule) is rule


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def last(lrs): ...", "must take the learning rates and the losses as its first two "),
        ("def last(lrs, losses, more): ...", "and need no more; it takes (lrs, losses, more)"),
        ("def first(lrs, losses): ...", "has no function 'last'"),
    ],
)
def test_a_function_of_another_kind_is_refused(write, source, message):
    path = write(source, "mine.py")
    with pytest.raises(ConfigError) as error:
        rules.load(f"{path}:last")
    assert message in str(error.value)


def test_what_fails_says_where(write):
    path = write("def last(lrs, losses):\n    return lrs.nonsense\n", "mine.py")
    with pytest.raises(PluginError, match=r"failed to suggest a learning rate: Attr.*, line 2\)$"):
        rules.load(f"{path}:last")(np.array([0.1, 0.2]), np.array([1.0, 2.0]))


def test_the_digest_changes_with_the_file(write):
    name = write(SOURCE, "mine.py") + ":last"
    before = rules.digest(name)
    write(SOURCE + "\n", "mine.py")
    assert rules.digest(name) != before


def test_no_keras_is_needed(write):
    name = write(SOURCE, "mine.py") + ":last"
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from onecycle_cli.registry import rules\n"
        f"assert rules.load({name!r})(np.array([.1, .2]), np.array([1., 2.])) == .2\n"
        "sys.exit(', '.join({'keras', 'tensorflow'} & set(sys.modules)) or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
