"""That everything can be seen and told apart, also by the colour-blind."""

from dataclasses import fields
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from onecycle_cli import plotting
from onecycle_cli.plotting.paper.palette import DARK, LIGHT, colors, drawn_in, look, look_apart

BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
"""In linear RGB. Source: Machado, Oliveira, Fernandes (2009), severity 1."""

IN_ONE_PANEL = [
    ("training", "validation"), ("training", "chance"), ("validation", "chance"),
    ("rate", "momentum"), ("training", "rate"), ("rate", "chance"),
]  # fmt: skip
THEMES = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])


def linear(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Return the ratio that WCAG 2.2 defines."""
    low, high = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = xyz @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@THEMES
def test_every_line_stands_out_from_the_paper_and_every_text_can_be_read(palette):
    named = {f.name: getattr(palette, f.name) for f in fields(palette)}
    for name in ("training", "validation", "test", "rate", "momentum", "decay", "chance"):
        assert contrast(named[name], palette.paper) >= 3, name
    for name in ("ink", "faint"):
        assert contrast(named[name], palette.paper) >= 4.5, name


@THEMES
@pytest.mark.parametrize("blindness", [None, *BLINDNESS])
def test_what_shares_a_panel_is_told_apart_by_everyone(palette, blindness):
    seen = np.eye(3) if blindness is None else np.array(BLINDNESS[blindness])
    for one, other in IN_ONE_PANEL:
        ends = [lab(seen @ linear(getattr(palette, name))) for name in (one, other)]
        assert np.linalg.norm(ends[0] - ends[1]) > 12, (one, other)


@THEMES
def test_runs_beside_each_other_look_different(palette):
    with drawn_in(palette):
        assert len({str(look(i)) for i in range(21)}) == 21
        assert len({str(look_apart(i)) for i in range(28)}) == 28
    assert len(set(palette.series)) == 7
    assert min(np.linalg.norm(lab(linear(a)) - lab(linear(b)))
               for a, b in combinations(palette.series, 2)) > 20  # fmt: skip


def test_the_colours_are_back_after_a_failure():
    with pytest.raises(ZeroDivisionError), drawn_in(DARK):
        assert colors() is DARK
        raise ZeroDivisionError
    assert colors() is LIGHT


def test_a_dark_picture_is_dark_and_all_its_text_can_be_read(find_lr):
    with drawn_in(DARK):
        figure = plotting.draw(find_lr())
    plotting.png(figure)  # in the light style again
    texts = [t for t in figure.findobj(Text) if t.get_text().strip()]
    assert len(texts) > 20
    assert all(contrast(text.get_color(), DARK.paper) >= 4.5 for text in texts)
    assert {axes.get_facecolor()[:3] for axes in figure.axes} == {to_rgb(DARK.paper)}
    assert figure.get_facecolor()[:3] == to_rgb(DARK.paper)
