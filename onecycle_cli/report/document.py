"""What a report is made of, before it becomes a page: sections of text, tables, charts and code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Text:
    """A paragraph; `tone` is `plain`, `muted`, or how sure it is: `sure`, `doubtful`, `refused`."""

    text: str
    tone: str = "plain"
    part: ClassVar[str] = "text"


@dataclass(frozen=True)
class Headline:
    """The answer in large letters, and how sure it is: `sure`, `doubtful` or `refused`."""

    text: str
    sureness: str
    badge: str
    part: ClassVar[str] = "headline"


@dataclass(frozen=True)
class Grid:
    """A table: its caption, its columns, and a row of cells for each entry.

    Attributes:
        caption: what it shows.
        columns: the headings.
        rows: numbers are set flush right, and sorted as numbers.
        is_sortable: whether readers may sort and filter it.
        is_folded: whether it is shown on request only.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    is_sortable: bool = False
    is_folded: bool = False
    part: ClassVar[str] = "grid"


@dataclass(frozen=True)
class Marked:
    """A cell of a table that is highlighted."""

    value: Any


@dataclass(frozen=True)
class Code:
    """Text to be copied, and what it is."""

    title: str
    text: str
    part: ClassVar[str] = "code"


@dataclass(frozen=True)
class Swatch:
    """An entry of a legend: `shape` is line, dashed, dotted, point, ring, band or square."""

    name: str
    colour: str
    shape: str = "line"


@dataclass(frozen=True)
class Zoom:
    """What can be zoomed: the field along x, the limits that are shown first, and the scale."""

    column: str
    limits: tuple[float, float]
    is_logarithmic: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart, as Vega-Lite says it.

    Attributes:
        name: the identity of its element; different from those of all others on the page.
        title: its caption.
        description: for those who can't see it.
        spec: in Vega-Lite.
        legend: what its colours and lines mean.
        zoom: along which axis it can be zoomed; `None`: not at all.
        margin: pixels beside the panels of a chart that has several.
        widest: how many pixels wide it may get; 0: as wide as the page.
    """

    name: str
    title: str
    description: str
    spec: dict[str, Any]
    legend: Sequence[Swatch] = ()
    zoom: Zoom | None = None
    margin: int = 0
    widest: int = 0
    part: ClassVar[str] = "chart"


@dataclass(frozen=True)
class Picture:
    """A small image: where it is, as a data URI; what it shows; and how large it is, in pixels."""

    source: str
    description: str
    width: int
    height: int
    is_enlarged: bool = False


@dataclass(frozen=True)
class Gallery:
    """Small images in groups, each group under a caption of its own."""

    title: str
    about: str
    groups: Sequence[tuple[str, Sequence[Picture]]]
    part: ClassVar[str] = "gallery"


Part = Text | Headline | Grid | Code | Chart | Gallery


@dataclass(frozen=True)
class Link:
    """A link: within the page if it begins with `#`, else to a file beside the report."""

    text: str
    target: str


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading of its own.

    Attributes:
        name: the identity of its element, for links.
        heading: in words.
        parts: what it holds, in order.
        level: of the heading, 2 or 3.
    """

    name: str
    heading: str
    parts: list[Part] = field(default_factory=list)
    level: int = 2


@dataclass(frozen=True)
class Document:
    """A whole page."""

    title: str
    subtitle: str
    sections: list[Section]
