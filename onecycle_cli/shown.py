"""How results and callbacks show themselves: a few lines of text, and a picture in a notebook."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from pathlib import Path

Facts = Iterable[tuple[str, object]]
"""What to show, in order: a name and its value. A value of `None` is left out."""


class Shown:
    """Shows an object by the few facts that matter, whatever else it holds."""

    def _facts(self) -> Facts:
        """Return what to show."""
        raise NotImplementedError

    def _sentence(self) -> str | None:
        """Return the gist in a sentence, or `None` where the facts are enough."""
        return None

    def _picture(self) -> bytes | None:
        """Return the picture as a PNG file, or `None` where there is none."""
        return None

    def __repr__(self) -> str:
        facts = [(name, _on_one_line(value)) for name, value in self._facts() if value is not None]
        width = max((len(name) for name, _ in facts), default=0)
        return "\n".join([type(self).__name__, *(f"  {n:{width}}  {text}" for n, text in facts)])

    def __str__(self) -> str:
        return self._sentence() or repr(self)

    def _repr_html_(self) -> str:
        sentence = html.escape(self._sentence() or type(self).__name__)
        rows = "".join(
            f'<tr><th style="text-align:left">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(_on_one_line(value))}</td></tr>'
            for name, value in self._facts()
            if value is not None
        )
        return f"<p><b>{sentence}</b></p><table>{rows}</table>{self._as_image()}"

    def _as_image(self) -> str:
        picture = self._picture()
        if picture is None:
            return ""
        data = base64.b64encode(picture).decode("ascii")
        name = html.escape(type(self).__name__)
        return f'<img alt="{name}" style="max-width:100%" src="data:image/png;base64,{data}">'


def kept_picture(folder: Path | None) -> bytes | None:
    """Return the picture in the folder of a run; `None` where there is no folder or no picture."""
    try:
        return None if folder is None else (folder / "plot.png").read_bytes()
    except OSError:
        return None


def _on_one_line(value: object) -> str:
    return " ".join(str(value).split())
