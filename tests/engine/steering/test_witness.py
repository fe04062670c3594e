from types import SimpleNamespace

from onecycle_cli.engine.steering.witness import Witness


def test_an_optimizer_that_updates_is_seen(monkeypatch):
    monkeypatch.setattr("onecycle_cli.engine.steering.witness.runs_each_step", lambda: True)
    witness = Witness(gathers=3)
    update = witness.of_updating(lambda *arguments: arguments, rate=None)
    apply = witness.of_taking(lambda gradients, variables=None: update(gradients, variables, 0.1))
    assert not witness.was_asked
    assert apply("gradients", variables="variables") == ("gradients", "variables", 0.1)
    assert witness.was_asked
    assert not witness.leaves_updates_to_others


def test_judged_only_after_as_many_gradients_as_make_an_update(monkeypatch):
    monkeypatch.setattr("onecycle_cli.engine.steering.witness.runs_each_step", lambda: True)
    witness = Witness(gathers=3)
    apply, verdicts = witness.of_taking(lambda gradients: None), []
    for _ in range(4):
        apply("gradients")
        verdicts.append(witness.leaves_updates_to_others)
    assert verdicts == [False, False, True, True]


def test_a_trace_holds_every_branch(monkeypatch):
    monkeypatch.setattr("onecycle_cli.engine.steering.witness.runs_each_step", lambda: False)
    witness = Witness(gathers=3)
    witness.of_taking(lambda gradients: None)("gradients")
    assert witness.leaves_updates_to_others


def test_a_wrapper_that_leaves_a_step_out_is_not_held_against_the_optimizer():
    witness = Witness(gathers=1)
    witness.of_asking(lambda gradients: None)("gradients")
    assert witness.was_asked
    assert not witness.leaves_updates_to_others


def test_one_of_the_variables_read_is_enough():
    first, second = (SimpleNamespace(was_read=True) for _ in range(2))
    witness = Witness(gathers=1)
    witness.watch("momentum", [first, second])

    def read_second(*_):
        second.was_read = True

    witness.of_updating(lambda *_: None, rate=None)([], [], None)
    assert witness.unread == {"momentum"}
    witness.of_updating(read_second, rate=None)([], [], None)
    assert witness.unread == frozenset()


def test_a_rate_is_taken_as_it_is_or_not():
    witness, rate = Witness(gathers=1), [0.1]
    update = witness.of_updating(lambda *_: None, rate)
    update([], [], list(rate))
    assert not witness.takes_the_rate
    update([], [], rate)
    assert witness.takes_the_rate
