import pytest

from onecycle_cli import LRFinder, OneCycleLR

CALLBACKS = {
    LRFinder: (lambda **more: LRFinder(num_steps=7, **more), "LRFinder: "),
    OneCycleLR: (lambda **more: OneCycleLR(max_lr=0.1, **more), " - lr: "),
}
FOLLOWS_FIT = [{}, {"verbose": True}, {"verbose": "auto"}]
ALWAYS = [{"verbose": 1}, {"verbose": 2}]
NEVER = [{"verbose": False}, {"verbose": 0}]
CASES = [
    *[(each, of_fit, of_fit != 0) for each in FOLLOWS_FIT for of_fit in (0, 1, 2, "auto")],
    *[(each, of_fit, True) for each in ALWAYS for of_fit in (0, 2)],
    *[(each, of_fit, False) for each in NEVER for of_fit in (0, 1, 2, "auto")],
]


@pytest.fixture
def trained(regression):
    """Train in graph mode, on one compiled model."""
    model = regression.model("sgd")
    assert not model.run_eagerly

    def train(callback, verbose):
        data = {"x": regression.x, "y": regression.y, "batch_size": 8}
        model.fit(**data, verbose=verbose, callbacks=[callback])

    return train


@pytest.mark.parametrize("kind", CALLBACKS)
@pytest.mark.harness
def test_who_prints(trained, capsys, kind):
    make, line = CALLBACKS[kind]
    for arguments, of_fit, prints in CASES:
        trained(make(**arguments), of_fit)
        printed = capsys.readouterr()
        assert (line in printed.out) == prints, (arguments, of_fit)
        if of_fit == 0 and not prints:
            assert printed.out + printed.err == ""


@pytest.mark.parametrize("kind", CALLBACKS)
@pytest.mark.parametrize("verbose", [3, -1, "yes", None, 1.5])
def test_what_is_no_verbosity_is_refused(kind, verbose):
    make, _ = CALLBACKS[kind]
    with pytest.raises(ValueError, match=r"verbose must be 'auto' or True \(.*\); got "):
        make(verbose=verbose)
