"""The JavaScript that draws the charts of a page, which is made once for each version of it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from importlib.metadata import version
from pathlib import Path

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files

_GLOBALS = "window.onecycleEmbed = vegaEmbed;"
"""What the page calls; see `templates/page.js`."""


@functools.cache
def charting() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, which needs nothing else.

    To put them together takes more than a second, so they are kept in the cache of this program,
    with a checksum. A cache that is damaged, or can't be written, is done without.
    """
    import vl_convert

    kept = _cache() / f"vega-{version('vl-convert-python')}.js"
    if (known := _read(kept)) is not None:
        return known
    script: str = vl_convert.javascript_bundle(_GLOBALS)
    with contextlib.suppress(ResultError):
        files.write_text(kept, f"// {_digest(script)}\n{script}")
    return script


def _read(path: Path) -> str | None:
    try:
        first, _, script = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return script if first == f"// {_digest(script)}" else None


def _digest(script: str) -> str:
    return hashlib.sha256(f"{_GLOBALS}{script}".encode()).hexdigest()


def _cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    above = Path(given) if given else Path("~/.cache").expanduser()
    return above.absolute() / "onecycle" / "report"
