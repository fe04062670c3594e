"""A document becomes one HTML file that needs no server and no network.

Names, paths and values of a run come from strangers. The template escapes them, charts are data in
a script tag that can't be closed from within, and a content security policy lets the page run no
script but the two that are meant, and load nothing.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.paper.palette import DARK, LIGHT, Palette
from onecycle_cli.report.charting import charting
from onecycle_cli.report.document import Chart, Document, Marked, Section
from onecycle_cli.version import __version__

TEMPLATES = Path(__file__).parent / "templates"

_ENDS_A_SCRIPT = re.compile(r"<(?=/script|!--)", re.IGNORECASE)


def rendered(document: Document) -> str:
    """Return the page as HTML; the same document gives the same bytes."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "is_number": is_number, "anchor": anchor}
    own = _inline(_file("page.js"))
    scripts = [_inline(charting()), own] if _has_charts(document.sections) else [own]
    return environment.get_template("page.html").render(
        document=document,
        scripts=scripts,
        style=_style(),
        policy=_policy(scripts),
        version=__version__,
    )


def shown(cell: Any) -> str:
    """Return a cell of a table as a person reads it."""
    if isinstance(cell, Marked):
        return shown(cell.value)
    if cell is None:
        return ""
    if is_number(cell):
        return number(cell, 4) if isinstance(cell, float) else f"{cell:,}"
    return str(cell)


def is_number(cell: Any) -> bool:
    """Tell whether a cell is set flush right and sorted as a number."""
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)


def anchor(text: str) -> str:
    """Return text as the identity of an element."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"


def _has_charts(sections: Sequence[Section]) -> bool:
    return any(isinstance(part, Chart) for section in sections for part in section.parts)


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _style() -> str:
    """Return the style sheet, in which the colours of the pictures are variables."""
    dark = f"@media screen and (prefers-color-scheme: dark) {{ {_variables(DARK)} }}"
    return "\n".join([_variables(LIGHT), dark, _file("page.css")])


def _variables(palette: Palette) -> str:
    """Return a rule that names the colours of a palette: `--ink`, `--rate`, `--series-1`, ..."""
    colours = asdict(palette)
    colours |= {f"series-{i}": colour for i, colour in enumerate(colours.pop("series"), start=1)}
    return f":root {{ {' '.join(f'--{name}: {colour};' for name, colour in colours.items())} }}"


def _inline(script: str) -> str:
    """Return a script that can stand in a page: nothing in it ends the tag that it stands in."""
    return _ENDS_A_SCRIPT.sub(r"\\x3c", script).replace("\r", "")


def _policy(scripts: Sequence[str]) -> str:
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{found}'" for found in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        f"base-uri 'none'; form-action 'none'"
    )
