from onecycle_cli.commands.console.progress.bars import Bars
from onecycle_cli.commands.console.progress.lines import Lines

from .conftest import screen


def test_a_long_search_is_remarked_with_what_to_do_about_it(terminal, pace, capsys):
    pace(1)
    for observer in (Bars(terminal, "do less"), Lines(progress=True, advice="do less")):
        observer.expect(1000)
        observer.begin("probe 1", 1000)
        for _ in range(20):
            observer.advance(loss=1.0)
    said = "all of it may take 17 min on this machine; do less"
    assert said in screen(terminal)
    assert said in capsys.readouterr().err.splitlines()
