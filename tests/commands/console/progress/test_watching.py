import io

from onecycle_cli.commands.console.progress.bars import Bars
from onecycle_cli.commands.console.progress.lines import Lines, Quiet
from onecycle_cli.commands.console.progress.watching import watching


def test_the_observer_suits_where_stderr_goes(monkeypatch):
    with watching(quiet=True, progress=True) as observer:
        assert type(observer) is Quiet
    with watching(quiet=False, progress=True) as observer:
        assert type(observer) is Lines
    monkeypatch.setattr("sys.stderr", Terminal())
    with watching(quiet=False, progress=True) as observer:
        assert type(observer) is Bars
    with watching(quiet=False, progress=False) as observer:
        assert type(observer) is Lines


class Terminal(io.StringIO):
    def isatty(self):
        return True
