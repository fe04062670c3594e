from itertools import pairwise

import numpy as np
from matplotlib.text import Text

from onecycle_cli import plotting
from onecycle_cli.suggest import Suggestion

FOUND = Suggestion(1e-4, None, "ok", "it has the lowest loss.")
SEVEN = {0.0: 0.0, **{10.0**-e: 1e-9 for e in range(7, 1, -1)}}


def test_lines_that_lie_on_each_other_can_all_be_seen(compared):
    left = plotting.draw(compared("find-wd", SEVEN, FOUND)).axes[0]
    losses = [drawn.get_ydata() for drawn in left.lines]
    assert np.ptp(losses, axis=0).max() < 1e-6
    widths = [drawn.get_linewidth() for drawn in left.lines]
    assert widths == sorted(widths, reverse=True)
    assert min(-np.diff(widths)) > 0.3
    assert len({(drawn.get_color(), drawn.get_linestyle()) for drawn in left.lines}) == 7


def test_each_line_is_named_at_its_end_without_overlap(compared):
    figure = plotting.draw(compared("find-wd", SEVEN, FOUND))
    names = figure.axes[0].texts
    assert [name.get_text() for name in names] == [
        line.get_label() for line in figure.axes[0].lines
    ]
    assert all(name.xy == (59, line.get_ydata()[-1])
               for name, line in zip(names, figure.axes[0].lines, strict=True))  # fmt: skip
    figure.canvas.draw()
    boxes = sorted((Text.get_window_extent(name) for name in names), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 + 1 for below, above in pairwise(boxes))


def test_what_left_the_picture_is_not_named_in_it(find_wd, notes):
    assert notes(plotting.draw(find_wd()).axes[0]) == ["0", "1e-5", "1e-4", "1e-3"]
