import subprocess
import sys
import time
from dataclasses import asdict, replace
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex

from onecycle_cli import plotting, schedules, suggest
from onecycle_cli.errors import ResultError
from onecycle_cli.plotting.canvas import VERMILLION, look, number
from onecycle_cli.plotting.schedule import turning_points
from onecycle_cli.runs.curve import Curve
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Landmarks, LRFindings, Suggestion
from onecycle_cli.suggest.trends import Trend

CONFIG = {
    "dataset": {"name": "cifar10"},
    "model": {"name": "some/where/nets.py:tiny"},
    "batch_size": 128,
    "optimizer": {"name": "sgd"},
}
FOUND = LRFindings(
    Suggestion(0.12, (0.08, 0.2), "ok", "half the learning rate at which the loss rebounds."),
    0.012,
    [Landmarks(0.001, 0.01, 0.1, 0.24)],
    {"rebound/2": 0.12, "steep": 0.01, "valley": 0.02, "minimum/10": None},
)
REFUSED = LRFindings(
    Suggestion(None, None, "never_diverged", "the loss was still falling; raise max_lr to 100."),
    None,
    [Landmarks()],
    {"steep": 0.01},
)


# records as they are read back


def sweep(low=1e-5, high=10.0, steps=200, seed=0):
    """A loss that falls from 2.3 to 1.5, explodes past 0.3, and ends in nan."""
    rng = np.random.default_rng(seed)
    x = np.log(schedules.sweep(steps, low, high))
    fall = 0.8 / (1 + np.exp(-1.3 * (x - np.log(0.02))))
    explosion = 0.05 * np.exp(np.clip(2.2 * (x - np.log(0.3)), -50, 12))
    losses = 2.3 - fall + explosion + 0.1 * rng.standard_normal(steps)
    losses[-1] = np.nan
    return np.exp(x).tolist(), losses.tolist()


def find_lr(label="tiny/find-lr/001", repeats=1, findings=FOUND, scale="exp", config=CONFIG, **kw):
    table = {"repeat": [], "step": [], "lr": [], "loss": []}
    for repeat in range(repeats):
        lrs, losses = sweep(seed=repeat, **kw)
        table["repeat"] += [float(repeat)] * len(lrs)
        table["step"] += list(map(float, range(len(lrs))))
        table["lr"] += lrs
        table["loss"] += losses
    result = {
        "kind": "find-lr",
        "label": label,
        "suggestion": findings.suggestion.as_dict(),
        "min_lr": findings.min_lr,
        "landmarks": [asdict(m) for m in findings.landmarks] * repeats,
        "rules": findings.rules,
        "scale": scale,
    }
    return Record("find-lr", label, result, {"curve": table}, config)


def compared(kind, distances, suggestion, *, steps=60, label=None, **result):
    """Two replicates of each candidate; a distance of None is a candidate that diverged."""
    column = "weight_decay" if kind == "find-wd" else "momentum"
    trials = {"trial": [], column: [], "replicate": [], "score": []}
    curves = {"trial": [], "step": [], "lr": [], "momentum": [], "loss": []}
    for candidate, distance in distances.items():
        for replicate in range(2):
            losses = 1 + np.exp(-np.arange(steps) / 20) + (distance or 0) + 0.1 * replicate
            if distance is None:
                losses = np.append(losses[:20] * 1.5 ** np.arange(20), np.inf)
            trial = float(len(trials["trial"]))
            trials["trial"].append(trial)
            trials[column].append(candidate)
            trials["replicate"].append(float(replicate))
            trials["score"].append(float(losses[-1]))
            curves["trial"] += [trial] * len(losses)
            curves["step"] += list(map(float, range(len(losses))))
            curves["lr"] += [0.1] * len(losses)
            curves["momentum"] += [0.9] * len(losses)
            curves["loss"] += losses.tolist()
    differences = {
        str(c): {
            "mean": d,
            "interval": [None, None] if d is None else [d - 0.01, d + 0.01],
        }
        for c, d in distances.items()
        if d != 0
    }
    label = label or f"tiny/{kind}/001"
    result = {
        "kind": kind,
        "label": label,
        "suggestion": suggestion.as_dict(),
        "differences": differences,
        "best": next(c for c, d in distances.items() if d == 0),
        "decay": "l2",
        "momentum_name": "momentum",
        "scored_on": "batches before they were trained on",
    } | result
    return Record(kind, label, result, {"trials": trials, "curves": curves}, CONFIG)


def find_wd(**kw):
    distances = {0.0: 0.03, 1e-2: None, 1e-3: 0.005, 1e-4: 0.0, 1e-5: 0.02, 1e-6: 5.0}
    reason = "2 values from 0.0001 to 0.001 can't be told apart."
    return compared("find-wd", distances, Suggestion(1e-3, (1e-4, 1e-3), "undecided", reason), **kw)


def find_momentum(**kw):
    distances = {0.8: 0.03, 0.85: 0.02, 0.9: 0.01, 0.95: 0.02, 0.99: None, "cycled": 0.0}
    found = Suggestion({"max": 0.95, "min": 0.85}, (0.85, 0.95), "ok", "cycling is best.")
    return compared("find-momentum", distances, found, **kw)


def train(
    label="tiny/train/001",
    cycles=((4, 0.1), (3, 0.005)),
    per_epoch=10,
    accuracy=True,
    momentum=True,
):
    lrs, momenta, cycle = [], [], []
    for number_, (epochs, max_lr) in enumerate(cycles):
        steps = epochs * per_epoch
        lrs += schedules.learning_rates(steps, max_lr)
        momenta += schedules.momenta(steps, 0.95, 0.85)
        cycle += [float(number_)] * steps
    total, epochs = len(lrs), len(lrs) // per_epoch
    rng = np.random.default_rng(0)
    losses = 0.3 + 2 * np.exp(-np.arange(total) / total * 4) + 0.1 * rng.standard_normal(total)
    steps = {
        "step": list(map(float, range(total))),
        "lr": lrs,
        "momentum": momenta if momentum else [""] * total,
        "loss": losses.tolist(),
        "cycle": cycle,
    }
    history = {
        "epoch": list(map(float, range(1, epochs + 1))),
        "cycle": cycle[::per_epoch],
        "val_loss": np.linspace(2, 0.5, epochs).tolist(),
        "val_accuracy": np.linspace(0.3, 0.9, epochs).tolist() if accuracy else [""] * epochs,
    }
    result = {"kind": "train", "label": label, "test_loss": 0.52, "steps_per_epoch": per_epoch}
    if accuracy:
        result |= {"test_accuracy": 0.9123, "val_accuracy_last": 0.9, "val_accuracy_best": 0.91}
    return Record("train", label, result, {"steps": steps, "history": history}, CONFIG)


# what can be read off a figure


def heading(figure):
    return [text.get_text() for text in figure.texts]


def tick_labels(axis):
    axis.get_figure().canvas.draw()
    return [label.get_text() for label in axis.get_ticklabels()]


def line(axes, label):
    (found,) = [drawn for drawn in axes.lines if drawn.get_label() == label]
    return found


def legend_texts(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def notes(axes):
    return [text.get_text() for text in axes.texts]


# range tests


def test_raw_points_of_a_range_test_are_the_record():
    record = find_lr()
    raw = line(plotting.draw(record).axes[0], "loss at each step")
    np.testing.assert_array_equal(raw.get_xdata(), record.tables["curve"]["lr"])
    np.testing.assert_array_equal(raw.get_ydata(), record.tables["curve"]["loss"])


def test_smooth_line_is_the_one_that_the_suggestion_rests_on():
    record = find_lr()
    judged = Trend.of(record.tables["curve"]["lr"], record.tables["curve"]["loss"])
    smooth = line(plotting.draw(record).axes[0], "smoothed")
    np.testing.assert_array_equal(smooth.get_xdata(), judged.lrs)
    np.testing.assert_array_equal(smooth.get_ydata(), judged.smoothed)


def test_a_long_curve_is_smoothed_through_means_of_neighbours():
    record = find_lr(steps=6000)
    lrs, losses = suggest.finite_part(record.tables["curve"]["lr"], record.tables["curve"]["loss"])
    drawn = line(plotting.draw(record).axes[0], "smoothed")
    assert len(drawn.get_xdata()) == 1500
    exact = suggest.smooth(lrs[::4], losses[::4])
    drawn_there = np.interp(lrs[::4], drawn.get_xdata(), drawn.get_ydata())
    usual = slice(20, 1000)
    np.testing.assert_allclose(drawn_there[usual], exact[usual], atol=0.03)


def test_suggestion_is_marked_and_written_out():
    figure = plotting.draw(find_lr())
    assert heading(figure) == [
        "Learning-rate range test: tiny/find-lr/001",
        "cifar10, nets.py:tiny, batch size 128, sgd",
        "suggested max_lr 0.12 (0.08 to 0.2); min_lr 0.012",
        "Half the learning rate at which the loss rebounds.",
    ]
    axes = figure.axes[0]
    assert line(axes, "suggested max_lr").get_xdata() == [0.12, 0.12]
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((0.08, 0.2))
    assert legend_texts(figure) == [
        "loss at each step",
        "smoothed",
        "the loss rebounds",
        "suggested max_lr",
        "its interval",
    ]


def test_the_rebound_is_ringed_on_the_smooth_line():
    axes = plotting.draw(find_lr(repeats=3)).axes[0]
    ring = line(axes, "the loss rebounds")
    assert list(ring.get_xdata()) == [0.24] * 3
    smooth = line(axes, "smoothed (3 repeats)")
    assert ring.get_ydata()[0] == pytest.approx(
        np.interp(0.24, smooth.get_xdata(), smooth.get_ydata())
    )


def test_learning_rates_are_written_as_rates():
    labels = tick_labels(plotting.draw(find_lr()).axes[1].xaxis)
    assert {"1e-5", "0.0001", "0.001", "0.01", "0.1", "1", "10"} <= set(labels)
    assert not any("^" in label or "$" in label for label in labels)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1e-7, 10.0, ["1e-7", "1e-6", "1e-5", "0.0001", "0.001", "0.01", "0.1", "1", "10"]),
        (0.01, 1.0, ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]),
        (0.1, 0.4, ["0.1", "0.2", "0.3", "0.4"]),
    ],
)
def test_ticks_suit_the_range(low, high, expected):
    axes = plotting.draw(find_lr(low=low, high=high)).axes[1]
    left, right = axes.get_xlim()
    ticks = zip(axes.get_xticks(), tick_labels(axes.xaxis), strict=True)
    assert [label for tick, label in ticks if left <= tick <= right] == expected


def test_a_linear_sweep_has_a_linear_axis():
    axes = plotting.draw(find_lr(low=0.1, high=1.0, scale="linear")).axes[1]
    assert axes.get_xscale() == "linear"
    assert {"0.15", "0.30", "0.45"} <= set(tick_labels(axes.xaxis))


def test_the_explosion_leaves_the_picture():
    record = find_lr()
    low, high = plotting.draw(record).axes[0].get_ylim()
    assert np.nanmax(record.tables["curve"]["loss"]) > 20
    assert 1.0 < low < 1.5
    assert 2.3 < high < 3.2


@pytest.mark.parametrize("last", [1e6, 1e20, 1e37])
def test_how_far_the_loss_exploded_changes_neither_the_line_nor_the_limits(last):
    def picture_of(loss):
        record = find_lr()
        record.tables["curve"]["loss"][-2] = loss
        axes = plotting.draw(record).axes[0]
        (line,) = (line for line in axes.lines if line.get_label() == "smoothed")
        return line.get_ydata(), axes.get_ylim()

    (line, limits), (usual_line, usual_limits) = picture_of(last), picture_of(1e3)
    np.testing.assert_allclose(line, usual_line)
    assert limits == pytest.approx(usual_limits)
    assert line[:100].max() < 2.6


def test_other_rules_have_a_row_each_below_the_curves():
    lane = plotting.draw(find_lr()).axes[1]
    assert notes(lane) == ["rebound/2: 0.12", "steep: 0.01", "valley: 0.02"]
    rows = [text.xy[1] for text in lane.texts]
    assert rows == sorted(set(rows))
    marks = [drawn.get_xdata()[0] for drawn in lane.lines if drawn.get_marker() == "|"]
    assert marks == [0.12, 0.01, 0.02]


def test_a_refusal_says_why_and_marks_nothing():
    figure = plotting.draw(find_lr(findings=REFUSED))
    assert heading(figure)[2:] == [
        "no max_lr suggested (never_diverged)",
        "The loss was still falling; raise max_lr to 100.",
    ]
    assert legend_texts(figure) == ["loss at each step", "smoothed"]
    assert not figure.axes[0].patches


def test_rules_are_not_asked_about_a_curve_that_never_fell():
    suggestion = replace(REFUSED.suggestion, verdict="never_descended")
    assert len(plotting.draw(find_lr(findings=replace(REFUSED, suggestion=suggestion))).axes) == 1


def test_a_long_reason_is_wrapped_into_the_figure():
    suggestion = replace(REFUSED.suggestion, reason="it did not fall, " * 20)
    figure = plotting.draw(find_lr(findings=replace(REFUSED, suggestion=suggestion)))
    figure.canvas.draw()
    assert len(heading(figure)) > 4
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in figure.texts)


CONFIRMED = {
    "suggestion": {"value": 0.1},
    "tried": [0.03, 0.06, 0.12, 0.24, 0.48],
    "best": 0.24,
    "as_good": [0.12, 0.24],
    "rungs": [
        {"name": "first", "steps": 50, "replicates": [0],
         "losses": {"0.03": 0.9, "0.06": 0.7, "0.12": 0.5, "0.24": 0.52, "0.48": None}},
        {"name": "final", "steps": 100, "replicates": [1, 2],
         "losses": {"0.06": 0.5, "0.12": 0.3, "0.24": 0.29}},
    ],
    "differences": {"0.06": {"mean": 0.21, "error": 0.02}, "0.12": {"mean": 0.01, "error": 0.02}},
}  # fmt: skip


def confirmed(**changes):
    record = find_lr()
    return replace(record, result=record.result | {"confirmation": CONFIRMED | changes})


def test_a_confirmation_has_a_panel_of_its_own():
    figure = plotting.draw(confirmed())
    curves, lane, panel = sorted(figure.axes, key=lambda axes: -axes.get_position().y0)
    first, final = line(panel, "50 steps, 1 run"), line(panel, "100 steps, mean of 2 runs")

    assert list(first.get_xdata()) == [0.03, 0.06, 0.12, 0.24]
    assert list(final.get_ydata()) == [0.5, 0.3, 0.29]
    assert "diverged" in notes(panel)
    assert tick_labels(panel.xaxis) == ["0.03", "0.06", "0.12", "0.24", "0.48"]
    bars = [tuple(bar.get_ydata()) for bar in panel.lines if len(set(bar.get_xdata())) == 1]
    assert pytest.approx((0.28, 0.32)) in bars
    assert panel.get_xlim() != curves.get_xlim() == lane.get_xlim()


def test_without_a_confirmation_there_is_no_panel():
    assert len(plotting.draw(confirmed(tried=[])).axes) == 3
    assert len(plotting.draw(find_lr()).axes) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"rungs": [{"steps": 50, "losses": {"0.03": None}}], "tried": [0.03], "as_good": []},
        {"rungs": [], "tried": [0.03]},
        {"rungs": [{"steps": 50, "losses": {"0.1": 0.5}}], "tried": [0.1], "as_good": [0.1]},
        {"rungs": [CONFIRMED["rungs"][0] | {"losses": {"0.03": 1.0, "0.06": 1.1, "0.12": 1e6}}]},
        {"suggestion": {"value": None}, "differences": {}},
    ],
)
def test_odd_confirmations_are_drawn_without_a_warning(changes):
    plotting.png(plotting.draw(confirmed(**changes)))


def test_a_seed_folder_is_judged_and_named():
    table = find_lr().tables["curve"]
    record = Record("find-lr", "weights", tables={"curve": {k: table[k] for k in ("lr", "loss")}})
    figure = plotting.draw(record)
    assert heading(figure)[:2] == [
        "Learning-rate range test: weights",
        "read from keras-one-cycle files",
    ]
    expected = suggest.suggest_lr([(table["lr"], table["loss"])]).suggestion
    assert line(figure.axes[0], "suggested max_lr").get_xdata()[0] == expected.value


@pytest.mark.parametrize("end", [20, -20])
def test_clipping_takes_points_off_either_end(end):
    lrs, losses = sweep()
    figure = plotting.draw_lr_finder(
        [Curve(lrs, losses)], findings=FOUND, title="clipped", clip_beginning=50, clip_end=end
    )
    assert line(figure.axes[0], "loss at each step").get_xdata().tolist() == lrs[50:-20]
    smooth = line(figure.axes[0], "smoothed").get_xdata()
    assert (smooth[0], smooth[-1]) == (lrs[50], lrs[-21])


@pytest.mark.parametrize(
    ("lrs", "losses"),
    [
        ([], []),
        ([0.1], [2.0]),
        ([0.1, 0.2], [2.0, 1.5]),
        ([0.1, 0.2, 0.4], [2.0, np.nan, np.inf]),
        ([0.1, 0.2, 0.4], [np.nan, np.nan, np.nan]),
        ([0.0, 0.1, 0.2], [1.0, 0.9, 3.0]),
        ([0.1] * 20, [0.7] * 20),
        (list(np.geomspace(1e-5, 10, 50)), [0.0] * 50),
    ],
)
@pytest.mark.parametrize("scale", ["exp", "linear"])
def test_poor_curves_are_drawn_without_a_warning(lrs, losses, scale):
    figure = plotting.draw_lr_finder(
        [Curve(lrs, losses)], findings=REFUSED, title="poor", scale=scale
    )
    assert plotting.png(figure).startswith(b"\x89PNG")
    says_so = "no finite loss to draw" in notes(figure.axes[0])
    assert says_so == (not np.isfinite(losses[:1]).any())


def test_clipping_everything_leaves_a_sentence():
    figure = plotting.draw_lr_finder(
        [Curve(*sweep())], findings=FOUND, title="clipped", clip_beginning=1000
    )
    assert "no finite loss to draw" in notes(figure.axes[0])


# comparisons


def test_smoothed_losses_of_the_candidates():
    record = find_wd()
    left = plotting.draw(record).axes[0]
    assert [drawn.get_label() for drawn in left.lines] == [
        "0",
        "1e-6",
        "1e-5",
        "0.0001",
        "0.001",
        "0.01",
    ]
    mean = 1 + np.exp(-np.arange(60) / 20) + 0.05
    np.testing.assert_allclose(
        line(left, "0.0001").get_ydata(), suggest.moving_average(mean, 0.9), rtol=1e-12
    )


def test_a_diverged_candidate_leaves_the_picture():
    left = plotting.draw(find_wd()).axes[0]
    assert max(line(left, "0.01").get_ydata()) > 100
    assert left.get_ylim()[1] < 3


def test_scores_have_their_intervals():
    right = plotting.draw(find_wd()).axes[1]
    assert tick_labels(right.yaxis) == ["0", "1e-6", "1e-5", "0.0001", "0.001", "0.01"]
    whiskers = [drawn.get_xdata() for drawn in right.lines if len(drawn.get_xdata()) == 2]
    expected = [(0.02, 0.04), (0.01, 0.03), (-0.005, 0.015), (0, 0)]
    np.testing.assert_allclose(whiskers, expected, atol=1e-12)
    assert notes(right) == [
        "+0.030 ± 0.010",
        "+5.000 ± 0.010",
        "+0.020 ± 0.010",
        "best: 1.102",
        "+0.005 ± 0.010",
        "diverged",
    ]


def test_who_was_dropped_is_pale_and_hollow_and_says_when():
    record = find_wd()
    record.result["rungs"] = [{"dropped": [1e-5]}, {"dropped": []}]
    record.tables["trials"]["steps"] = [60.0] * len(record.tables["trials"]["trial"])
    left, right = plotting.draw(record).axes
    assert "+0.020 ± 0.010 (rung 1)" in notes(right)
    assert right.get_xlabel().endswith("hollow: dropped early, after shorter cycles")
    hollow = [d for d in right.lines if d.get_marker() == "o" and d.get_mfc() == "white"]
    assert [d.get_ydata()[0] for d in hollow] == [2]
    assert line(left, "1e-5").get_alpha() < line(left, "0.0001").get_alpha()


def test_only_the_longest_cycles_of_a_candidate_are_drawn():
    record = find_wd()
    trials = record.tables["trials"]
    trials["steps"] = [24.0, 60.0] * (len(trials["trial"]) // 2)
    figure = plotting.draw(record)
    mean = 1 + np.exp(-np.arange(60) / 20) + 0.1  # of the second replicate alone
    np.testing.assert_allclose(
        line(figure.axes[0], "0.0001").get_ydata(), suggest.moving_average(mean, 0.9), rtol=1e-12
    )
    assert "best: 1.152" in notes(figure.axes[1])


def test_what_lies_far_off_is_an_arrow_at_the_edge():
    right = plotting.draw(find_wd()).axes[1]
    edge = right.get_xlim()[1]
    assert edge < 0.1
    arrows = [drawn for drawn in right.lines if drawn.get_marker() == ">"]
    assert [(a.get_xdata()[0], a.get_ydata()[0]) for a in arrows] == [(edge, 1), (edge, 5)]


def test_the_suggested_weight_decay_stands_out():
    figure = plotting.draw(find_wd())
    assert "suggested weight_decay 0.001 (0.0001 to 0.001), undecided" in heading(figure)
    (band,) = figure.axes[1].patches
    assert (band.get_y(), band.get_height()) == (3.5, 1)
    assert to_hex(figure.axes[1].get_yticklabels()[4].get_color()).upper() == VERMILLION
    assert line(figure.axes[0], "0.001").get_linewidth() > 2


@pytest.mark.parametrize(
    ("decay", "label"),
    [
        ("l2", "weight decay (L2: loss + λ·Σw²)"),
        ("decoupled", "weight decay (decoupled: w −= lr·λ·w)"),
    ],
)
def test_the_kind_of_decay_is_named(decay, label):
    figure = plotting.draw(find_wd(decay=decay))
    assert figure.axes[1].get_ylabel() == label
    assert figure.legends[0].get_title().get_text() == label


def test_momentum_and_what_it_was_scored_on_are_named():
    figure = plotting.draw(find_momentum(momentum_name="beta_1", scored_on="validation split"))
    right = figure.axes[1]
    assert right.get_ylabel() == "beta_1"
    assert right.get_xlabel().endswith("(scored on validation split)")
    assert "suggested momentum 0.95 to 0.85" in heading(figure)


def test_the_suggested_range_of_momentum_stands_out():
    right = plotting.draw(find_momentum()).axes[1]
    assert tick_labels(right.yaxis) == [
        "0.8",
        "0.85",
        "0.9",
        "0.95",
        "0.99",
        "cycled\n0.95 to 0.85",
    ]
    assert sorted(patch.get_y() for patch in right.patches) == [0.5, 1.5, 2.5, 4.5]


def test_a_comparison_that_only_diverged_says_so():
    record = compared("find-wd", {1e-3: None, 1e-4: 0.0}, REFUSED.suggestion)
    record.tables["curves"]["loss"] = [np.nan] * len(record.tables["curves"]["loss"])
    record.tables["trials"]["score"] = [np.inf] * 4
    record.result.update(best=None, differences={})
    figure = plotting.draw(record)
    assert notes(figure.axes[0]) == ["no finite loss to draw"]
    assert notes(figure.axes[1]) == ["diverged", "diverged"]
    assert plotting.png(figure)


def test_distances_come_from_the_scores_where_they_were_not_saved():
    record = find_wd()
    record.result.update(best=None, differences={})
    dots = [d for d in plotting.draw(record).axes[1].lines if d.get_marker() == "o"]
    assert sorted(d.get_xdata()[0] for d in dots) == pytest.approx([0, 0.005, 0.02, 0.03])


# training runs


def test_training_is_drawn_over_epochs():
    record = train()
    loss, accuracy, rate, momentum = plotting.draw(record).axes
    batches = line(loss, "loss of each batch")
    np.testing.assert_allclose(batches.get_xdata(), np.arange(70) / 10)
    np.testing.assert_array_equal(batches.get_ydata(), record.tables["steps"]["loss"])
    validation = line(loss, "validation")
    assert validation.get_xdata().tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert validation.get_ydata().tolist() == record.tables["history"]["val_loss"]
    np.testing.assert_allclose(
        line(accuracy, "validation").get_ydata(),
        100 * np.array(record.tables["history"]["val_accuracy"]),
    )
    for axes, name, column in ((rate, "learning rate", "lr"), (momentum, "momentum", "momentum")):
        drawn, values = line(axes, name).get_ydata(), record.tables["steps"][column]
        assert drawn[np.isfinite(drawn)].tolist() == values


def test_the_jump_from_one_cycle_to_the_next_is_a_gap():
    rate = line(plotting.draw(train()).axes[2], "learning rate")
    (gap,) = np.flatnonzero(np.isnan(rate.get_ydata()))
    assert rate.get_xdata()[[gap - 1, gap + 1]].tolist() == [3.9, 4.0]
    assert np.isnan(rate.get_xdata()[gap])


def test_the_smooth_line_of_a_training_does_not_lag():
    record = train(cycles=((20, 0.1),))
    falling = np.linspace(3, 1, 200)
    record.tables["steps"]["loss"] = falling.tolist()
    smooth = line(plotting.draw(record).axes[0], "smoothed").get_ydata()
    np.testing.assert_allclose(smooth[70:130], falling[70:130], atol=1e-3)


def test_the_test_result_is_written_out():
    figure = plotting.draw(train())
    expected = "test accuracy 91.23 %, test loss 0.52, validation accuracy 90.00 % (best 91.00 %)"
    assert expected in heading(figure)
    star = line(figure.axes[1], "test: 91.23 %")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (7, pytest.approx(91.23))


def test_the_second_cycle_is_marked():
    loss = plotting.draw(train()).axes[0]
    assert notes(loss) == ["cycle 2"]
    assert loss.texts[0].xy[0] == 4


def test_cycles_are_found_in_the_history_too():
    record = train()
    del record.tables["steps"]["cycle"]
    assert plotting.draw(record).axes[0].texts[0].xy[0] == 4


def test_regression_has_no_accuracy_and_momentum_may_be_left_alone():
    figure = plotting.draw(train(accuracy=False, momentum=False))
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "learning rate"]
    assert heading(figure)[-1] == "test loss 0.52"


def test_a_spike_of_the_validation_loss_leaves_the_picture():
    record = train()
    record.tables["history"]["val_loss"][2] = 50.0
    assert plotting.draw(record).axes[0].get_ylim()[1] < 5


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_a_run_that_broke_off_in_its_first_epoch(steps):
    record = train()
    tables = {
        "steps": {name: column[:steps] for name, column in record.tables["steps"].items()},
        "history": {name: [] for name in record.tables["history"]},
    }
    figure = plotting.draw(Record("train", "broken", {"kind": "train"}, tables))
    assert plotting.png(figure)
    assert heading(figure) == ["1cycle training: broken"]


def test_losses_that_become_nan_end_the_line():
    record = train()
    record.tables["steps"]["loss"][30:] = [np.nan] * 40
    record.tables["history"]["val_loss"][3:] = [np.nan] * 4
    loss = plotting.draw(record).axes[0]
    assert line(loss, "smoothed").get_xdata()[-1] == pytest.approx(2.9)
    assert len(line(loss, "validation").get_xdata()) == 3


def test_a_long_training_is_drawn_fast():
    record = train(cycles=((40, 0.1), (30, 0.005)), per_epoch=352)
    begin = time.perf_counter()
    plotting.png(plotting.draw(record))
    assert time.perf_counter() - begin < 4  # a fraction of it on an idle machine


# overlays


def test_overlaid_range_tests_are_named_with_their_suggestions():
    other = find_lr("tiny/find-lr/002", findings=REFUSED, config=CONFIG | {"batch_size": 32})
    figure = plotting.draw_overlay([find_lr(repeats=2), other])
    assert legend_texts(figure) == [
        "tiny/find-lr/001, batch size 128: suggested max_lr 0.12 (0.08 to 0.2)",
        "tiny/find-lr/002, batch size 32: no max_lr suggested (never_diverged)",
    ]
    assert heading(figure)[:2] == ["Learning-rate range tests", "cifar10, nets.py:tiny, sgd"]
    (axes,) = figure.axes
    dotted = [drawn for drawn in axes.lines if drawn.get_linestyle() == ":"]
    assert [(d.get_xdata()[0], d.get_color()) for d in dotted] == [(0.12, look(0)["color"])]
    assert axes.get_ylim()[1] < 3.2


def test_runs_with_the_same_label_are_told_apart():
    texts = legend_texts(plotting.draw_overlay([train(), train(), train()]))
    assert [text.split(":")[0] for text in texts] == [
        "tiny/train/001",
        "tiny/train/001 (2)",
        "tiny/train/001 (3)",
    ]


@pytest.mark.parametrize("make", [find_wd, find_momentum])
def test_overlaid_comparisons_share_their_rows(make):
    other = make(label="other/002")
    for column in other.tables["trials"].values():
        del column[:2]
    figure = plotting.draw_overlay([make(), other])
    (axes,) = figure.axes
    assert len(tick_labels(axes.yaxis)) == 6
    assert [text.split(":")[0] for text in legend_texts(figure)] == [make().label, "other/002"]
    assert "diverged" in notes(axes)


def test_overlaid_trainings():
    figure = plotting.draw_overlay([train(), train("b/001", cycles=((5, 0.2),), accuracy=False)])
    loss, accuracy, rate, _momentum = figure.axes
    assert legend_texts(figure) == [
        "tiny/train/001: test accuracy 91.23 %, test loss 0.52",
        "b/001: test loss 0.52",
    ]
    assert max(accuracy.lines[0].get_ydata()) == pytest.approx(90)
    lengths = [np.isfinite(drawn.get_xdata()).sum() for drawn in rate.lines]
    assert lengths == [70, 50]
    assert loss.get_xlim()[1] > 7


def test_one_record_needs_no_overlay():
    assert heading(plotting.draw_overlay([train()])) == heading(plotting.draw(train()))


def test_nine_runs_look_different():
    looks = {tuple(look(i).values()) for i in range(9)}
    assert len(looks) == 9


def test_mixed_kinds_are_refused():
    with pytest.raises(ResultError, match=r"different kinds \(find-lr, train\).*runs of one kind"):
        plotting.draw_overlay([find_lr(), train()])


def test_nothing_and_unknown_kinds_are_refused():
    with pytest.raises(ResultError, match="no result to draw"):
        plotting.draw_overlay([])
    with pytest.raises(ResultError, match="'dance' is no kind of result"):
        plotting.draw(Record("dance", "x"))


# schedules


def test_a_schedule_is_drawn_with_its_values():
    lrs, momenta = schedules.learning_rates(100, 0.12), schedules.momenta(100, 0.95, 0.85)
    figure = plotting.draw_schedule(lrs, momenta, title="smith\n5 epochs", steps_per_epoch=20)
    rate, momentum = figure.axes
    assert rate.get_yscale() == "linear"
    assert rate.lines[0].get_ydata().tolist() == lrs
    assert momentum.lines[0].get_ydata().tolist() == momenta
    assert notes(rate) == ["peak 0.12 at step 45", "start 0.012", "end 0.00131"]
    assert notes(momentum) == ["lowest 0.85", "start 0.95", "end 0.95"]
    assert heading(figure) == ["smith", "5 epochs"]
    (top,) = rate.child_axes
    assert tick_labels(top.xaxis) == ["0", "1", "2", "3", "4", "5"]
    grey = [drawn.get_xdata()[0] for drawn in rate.lines if len(drawn.get_xdata()) == 2]
    assert grey == [0, 20, 40, 60, 80, 100]


def test_each_cycle_has_its_peak_written_out():
    lrs = schedules.learning_rates(100, 0.1) + schedules.learning_rates(50, 0.005)
    axes = plotting.draw_schedule(lrs, None, title="two cycles", steps_per_epoch=None).axes[0]
    assert notes(axes)[:2] == ["peak 0.1 at step 45", "peak 0.005 at step 122"]


def test_peaks_that_lie_close_together_do_not_write_over_each_other():
    lrs = schedules.learning_rates(140, 0.1, shape="sgdr", num_cycles=3, cycle_mult=2)
    axes = plotting.draw_schedule(lrs, None, title="restarts", steps_per_epoch=None).axes[0]
    assert notes(axes)[:2] == ["peak 0.1 at step 0", "peak 0.1 at step 60"]


@pytest.mark.parametrize("lrs", [[], [0.1], [0.1, 0.1], [0.1, 0.2] * 10])
def test_odd_schedules_are_drawn_without_a_warning(lrs):
    assert plotting.png(plotting.draw_schedule(lrs, lrs, title="odd", steps_per_epoch=1))


def test_turning_points():
    assert turning_points(np.array([1.0, 2, 3, 3, 2, 1, 5, 4])) == [2, 6]
    assert turning_points(np.array([3.0, 3, 1])) == [0]
    assert turning_points(np.array([1.0, 1, 2])) == [2]
    assert turning_points(np.array([1.0])) == [0]


# the room


def test_png_is_the_same_for_the_same_figure():
    figure = plotting.draw(find_lr())
    first = plotting.png(figure)
    figure.canvas.draw()
    assert first == plotting.png(figure) == plotting.png(plotting.draw(find_lr()))
    assert b"Software" not in first
    assert b"Matplotlib" not in first


def test_the_style_of_the_caller_is_left_alone_and_does_not_show():
    plain = plotting.png(plotting.draw(find_lr()))
    with mpl.rc_context({"axes.facecolor": "black", "lines.linewidth": 9}):
        assert plotting.png(plotting.draw(find_lr())) == plain
        assert mpl.rcParams["lines.linewidth"] == 9


def test_names_in_any_script_and_with_dollars_are_welcome():
    config = CONFIG | {"dataset": {"name": "数据_$x^2$"}, "model": {"name": "m" * 200}}
    figure = plotting.draw(find_lr("$a$" * 40, config=config))
    assert plotting.png(figure)
    assert any("数据_$x^2$" in text for text in heading(figure))
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in figure.texts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1e-5, "1e-5"),
        (3e-7, "3e-7"),
        (0.0001, "0.0001"),
        (0.12345, "0.123"),
        (10, "10"),
        (0.30000000000000004, "0.3"),
        (-0.25, "-0.25"),
        (1.5e7, "1.5e7"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_drawing_needs_neither_pyplot_nor_keras():
    program = (
        "import sys\n"
        "from onecycle_cli import plotting, schedules\n"
        "lrs = schedules.learning_rates(10, .1)\n"
        "plotting.png(plotting.draw_schedule(lrs, None, title='x', steps_per_epoch=5))\n"
        "print([m for m in ('matplotlib.pyplot', 'keras', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("kind", "tables"),
    [
        ("find-lr", {"curve": {"repeat": [], "lr": [], "loss": []}}),
        (
            "find-wd",
            {
                "trials": {"trial": [], "weight_decay": [], "score": []},
                "curves": {"trial": [], "step": [], "loss": []},
            },
        ),
        ("train", {"steps": {"step": [], "lr": [], "loss": []}, "history": {"epoch": []}}),
    ],
)
def test_empty_tables_are_drawn_without_a_warning(kind, tables):
    record = Record(kind, "empty", tables=tables)
    assert plotting.png(plotting.draw(record))
    assert plotting.png(plotting.draw_overlay([record, record]))


# confusion matrices


def confused(counts, names=None, **result):
    names = names or [f"class {i}" for i in range(len(counts))]
    per_class = [{"class": name} for name in names]
    result = {"kind": "train", "confusion": counts, "per_class": per_class} | result
    return Record("train", "tiny/train/001", result, {}, CONFIG)


def test_a_confusion_matrix_shows_its_numbers():
    names = ["cat", "dog", "a name that is too long to be written out"]
    axes = plotting.draw_confusion(confused([[8, 2, 0], [1, 9, 0], [0, 0, 0]], names)).axes[0]

    cells = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "8", (1, 0): "2", (0, 1): "1", (1, 1): "9"}
    assert [t.get_text() for t in axes.get_xticklabels()] == ["cat", "dog", "a name that is to…"]
    assert [t.get_text() for t in axes.get_yticklabels()][:2] == ["cat  80 %", "dog  90 %"]
    wrong, right = (image.get_array() for image in axes.images)
    assert right.compressed().tolist() == [0.8, 0.9, 0]
    assert wrong.compressed().tolist() == [0.2, 0, 0.1, 0, 0, 0]


def test_a_confusion_matrix_says_what_is_mistaken_most_often():
    lines = heading(plotting.draw_confusion(confused([[8, 2, 0], [1, 9, 0], [0, 3, 0]])))
    assert "test accuracy 73.91 % of 23" in lines
    assert (
        "Most often mistaken: class 2 for class 1 (3), class 0 for class 1 (2), class 1 for class "
        "0 (1)."
    ) in " ".join(lines)


def test_of_many_classes_neighbours_share_a_square():
    """401 classes: 134 squares of three, the last of two."""
    counts = np.eye(401, dtype=int) * 8
    counts[0, 1] = 4  # a neighbour, within the square
    counts[6:9, 300] = 4  # a third of what another square holds
    figure = plotting.draw_confusion(confused(counts))
    wrong, right = (image.get_array() for image in figure.axes[0].images)
    assert wrong.shape == right.shape == (134, 134)
    rights = right.diagonal()
    assert rights[0] == 24 / 28
    assert rights[2] == pytest.approx(2 / 3)
    assert set(rights.tolist()) == {24 / 28, 2 / 3, 1.0}
    assert np.argwhere(wrong.filled(0) > 0).tolist() == [[2, 100]]
    assert wrong[2, 100] == pytest.approx(1 / 3)
    assert [tuple(image.get_extent()) for image in figure.axes[0].images] == [
        (-0.5, 401.5, 401.5, -0.5)
    ] * 2
    text = " ".join(heading(figure))
    assert "A square stands for 3 classes and 3 answers." in text
    assert "the darkest are 33.33 % of the classes" in text
    assert "class 6 for class 300 (4)" in text


def test_names_of_older_files_that_are_no_text_are_drawn():
    axes = plotting.draw_confusion(confused([[1, 0], [0, 1]], ["caf\udce9", "tea"])).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == [r"caf\udce9", "tea"]


@pytest.mark.parametrize("classes", [2, 10, 100, 300, 1500])
def test_a_confusion_matrix_of_any_size_is_named_without_overlap(classes):
    figure = plotting.draw_confusion(confused(np.eye(classes, dtype=int).tolist()))
    assert plotting.png(figure).startswith(b"\x89PNG")
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        boxes = [t.get_window_extent() for t in axis.get_ticklabels() if t.get_text()]
        assert 2 <= len(boxes) <= classes
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))


@pytest.mark.parametrize(
    "result",
    [
        {"confusion": None},
        {"confusion": [[1, 2], [3]]},
        {"confusion": [[1]]},
        {"confusion": [[1, -2], [3, 4]]},
        {"per_class": [3, 4]},
        {"per_class": 3},
    ],
)
def test_no_confusion_matrix(result):
    record = confused([[1, 2], [3, 4]], **result)
    with pytest.raises(ResultError, match="tiny/train/001 has no confusion matrix; only"):
        plotting.draw_confusion(record)
