"""The published comparison: peers as in their sources, and the docs as in the file."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "suggestions"


@pytest.fixture(scope="module")
def scoring():
    """The benchmark's modules, which find each other by the folder they lie in."""
    before = list(sys.path)
    sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]
    try:
        import peers
        import score

        yield peers, score
    finally:
        sys.path[:] = before


@pytest.fixture(scope="module")
def peers(scoring):
    return scoring[0]


RATES = np.geomspace(1e-7, 10, 100)


def curve(seed=0, *, explodes=70):
    losses = 2.3 - 2 / (1 + np.exp(-(np.arange(100) - 40) / 6))
    losses += 0.01 * np.random.default_rng(seed).normal(size=100)
    losses[explodes:] += 1.6 ** np.arange(100 - explodes)
    return losses


def fastai_history(losses):
    """Feed fastai's recorder and its LRFinder one loss after another, as their callbacks do."""
    recorded, value, best = [], 0.0, np.inf
    for count, loss in enumerate(losses, start=1):
        value = 0.98 * value + 0.02 * loss
        smooth = value / (1 - 0.98**count)
        recorded.append(smooth)
        best = smooth if smooth < best else best
        if smooth > 4 * best:
            break
    return recorded


@pytest.mark.parametrize("explodes", [60, 80, 100])
def test_fastai_records_the_loss_that_stops_it(peers, explodes):
    losses = curve(explodes=explodes)
    history = fastai_history(losses)
    x, y = peers.fastai(RATES, losses)
    np.testing.assert_allclose(y, history[10:-5])
    np.testing.assert_array_equal(x, RATES[: len(history)][10:-5])
    assert peers.RULES["fastai slide"].steps(losses) == len(history)


def test_fastai_leaves_out_what_is_nan_after_its_five_last(peers):
    losses = curve(explodes=100)
    losses[97:] = np.nan
    _, y = peers.fastai(RATES, losses)
    assert len(y) == 85
    losses[90:] = np.nan
    _, y = peers.fastai(RATES, losses)
    assert len(y) == 80


def test_slide_starts_from_the_sixteenth_from_the_end(peers):
    """A straight line: all slopes are equal, so that the slide never begins."""
    losses = np.linspace(2.0, 1.0, 100)
    x, y = peers.fastai(RATES, losses)
    slope = np.gradient(y)
    assert abs(slope[-1] - slope[-16]) <= 0.005
    assert peers.slide(RATES, losses) == x[-16]


@pytest.mark.parametrize("seed", range(5))
def test_slide_slides_as_in_its_source(peers, seed):
    losses = curve(seed)
    y = np.array(fastai_history(losses)[10:-5])
    x = RATES[10 : 10 + len(y)]
    slope, right = np.gradient(y), len(y) - 1
    expected = x[right - 15]
    while right >= 15 and abs(slope[right] - slope[right - 15]) > 0.005:
        expected, right = x[right - 15], right - 1
    assert peers.slide(RATES, losses) == expected


class KerasOneCycle:
    """The part of keras-one-cycle's `on_batch_end` that records: it returns before it raises."""

    def __init__(self, rates):
        self.rates, self.position = rates, 0
        self.best, self.history = 1e6, []

    def on_batch_end(self, batch, loss):
        shown = loss / (1 - 0.98**batch)
        if batch > 1 and shown > 4 * self.best:
            return
        if shown < self.best or batch == 1:
            self.best = shown
        self.history.append((shown, self.rates[self.position]))
        self.position += 1


def test_keras_one_cycle_leaves_a_batch_out_and_goes_on(peers):
    losses = curve(explodes=100)
    losses[30] = losses[50] = 1e4
    tool = KerasOneCycle(RATES)
    for batch, loss in enumerate(losses, start=1):
        tool.on_batch_end(batch, loss)
    assert len(tool.history) == 98
    assert peers.keras_one_cycle(RATES, losses) == pytest.approx(min(tool.history)[1] / 10)
    assert peers.RULES["keras-one-cycle"].steps(losses) == 100


@pytest.mark.parametrize(
    ("name", "begin", "end", "factor"),
    [("Lightning < 2.5.3", 10, 1, 4.0), ("pytorch-lr-finder", 10, 5, 5.0)],
)
def test_the_others_record_the_loss_that_stops_them_too(peers, name, begin, end, factor):
    losses = curve()
    average = peers.RULES[name].average(losses)
    stop = next(i for i in range(100) if average[i] > factor * average[: i + 1].min())
    seen = average[: stop + 1][begin:-end]
    expected = RATES[begin : begin + len(seen)][np.gradient(seen).argmin()]
    assert peers.RULES[name].rule(RATES, losses) == expected
    assert peers.RULES[name].steps(losses) == stop + 1


@pytest.fixture(scope="module")
def saved():
    return json.loads((FOLDER / "scores.json").read_text())["results"]


@pytest.mark.parametrize(
    "name", ["fastai slide", "fastai minimum", "Lightning < 2.5.3", "keras-one-cycle"]
)
def test_the_scores_are_those_of_the_recorded_sweeps(scoring, saved, name):
    _, score = scoring
    oracles = score.regret.read()
    made = score.Table(score.SCORED, oracles, lambda p: score.answers(name, p)).summary()
    entry = saved["scored"][name]
    assert {key: entry[key] for key in made} == pytest.approx(made, nan_ok=True)


def test_what_the_packages_themselves_answer(saved):
    """fastai 2.8 and keras-one-cycle, fed with the recorded losses, at their own rates."""
    own = saved["mean_at_own_rates"]
    assert own["fastai slide"] == pytest.approx(10.61, abs=0.01)
    assert own["keras-one-cycle"] == pytest.approx(4.04, abs=0.01)


def test_the_table_in_the_docs_is_that_of_the_file(scoring, saved):
    _, score = scoring
    text = (ROOT / "docs" / "suggestions.md").read_text()
    table = text.partition("<!-- scores -->")[2].partition("<!-- end of scores -->")[0].strip()
    assert table == score.as_table(saved["scored"], saved["refusals"]).strip()


def test_the_recipes_in_the_docs_are_those_of_the_file(scoring):
    import recipe

    text = (ROOT / "docs" / "suggestions.md").read_text()
    table = text.partition("<!-- recipes -->")[2].partition("<!-- end of recipes -->")[0].strip()
    assert table == recipe.summary().strip()


def test_the_sentences_in_the_docs_are_those_of_the_file(saved):
    text = " ".join((ROOT / "docs" / "suggestions.md").read_text().split())
    scored = saved["scored"]
    ours, confirmed = scored["onecycle"], scored["onecycle --confirm"]
    ahead = [-scored[name]["behind onecycle"][0] for name in ("fastai minimum", "keras-one-cycle")]
    worst = [scored[name]["worst"] for name in ("fastai minimum", "keras-one-cycle", "onecycle")]
    began = saved["confirm_began_elsewhere"]
    assert f"on average {ahead[0]:.1f} and {ahead[1]:.1f} points ahead" in text
    assert f"worst cases of {worst[0]:.0f} and {worst[1]:.0f} points; that of `find-lr` alone is {worst[2]:.0f}" in text  # fmt: skip # noqa: E501
    assert f"| mean regret, points | 0.5 | {ours['mean']:.1f} | {confirmed['mean']:.2f} |" in text
    assert f"| 90th percentile | 1.5 | {ours['p90']:.1f} | {confirmed['p90']:.1f} |" in text
    assert f"| catastrophes in 100 | 0 | {ours['catastrophes_per_100']:.0f} | {confirmed['catastrophes_per_100']:.1f} |" in text  # fmt: skip # noqa: E501
    assert f"| sd of log10 over seeds | 0.05 | {ours['sd_log10']:.2f} | {confirmed['sd_log10']:.2f} |" in text  # fmt: skip # noqa: E501
    assert f"| interval meets the plateau | 90 % | {100 * ours['coverage']:.0f} % | {100 * confirmed['coverage']:.0f} % |" in text  # fmt: skip # noqa: E501
    assert f"{began['moved']} of the {began['of']} confirmations" in text
    assert f"a factor of at most {began['at_most']:.2f}" in text
    own = saved["mean_at_own_rates"]
    assert f"slide loses {own['fastai slide']:.2f} and keras-one-cycle {own['keras-one-cycle']:.2f}" in text  # fmt: skip # noqa: E501
    best = {name: rates[0] for name, rates in saved["best_and_plateau"].items()}
    off = [
        np.median([lr for lr in given if lr]) / best[name]
        for name, given in ours["suggestions"].items()
    ]
    assert f"up to {max(max(x, 1 / x) for x in off):.0f} times off the best rate" in text
    assert f"between {min(best.values()):.3f} and {max(best.values()):.1f}" in text
