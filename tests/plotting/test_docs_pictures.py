"""The pictures of the docs are what is drawn of the runs that were kept for them."""

import importlib.util
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onecycle_cli import plotting
from onecycle_cli.runs.records import read_record

pytestmark = pytest.mark.harness

DOCS = Path(__file__).parents[2] / "docs"
TILE = 12


def script():
    spec = importlib.util.spec_from_file_location("draw_docs", DOCS / "draw.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAW = script()
SAID = json.loads((DOCS / "images" / "drawn.json").read_text(encoding="utf-8"))


def tiles(content):
    """Return how bright each tile of a picture is, so that the edge of a letter counts little."""
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("L"), float) / 255
    height, width = (side // TILE * TILE for side in pixels.shape)
    return pixels[:height, :width].reshape(height // TILE, TILE, width // TILE, TILE).mean((1, 3))


@pytest.mark.parametrize("name", DRAW.PICTURES)
def test_a_picture_of_the_docs_is_as_new_as_the_code(name):
    """By what it says and shows, and roughly by its pixels, which differ between versions."""
    figure = DRAW.figure_of(name)
    assert DRAW.facts_of(figure) == SAID[name], "run `python docs/draw.py`"
    kept, drawn = tiles((DOCS / "images" / f"{name}.png").read_bytes()), tiles(plotting.png(figure))
    assert kept.shape == drawn.shape
    assert np.abs(kept - drawn).max() < 0.3


def test_another_suggestion_would_be_seen():
    record = read_record(DOCS / "runs" / "digits/find-lr/001")
    record.result["suggestion"]["value"] *= 1.01
    assert DRAW.facts_of(plotting.draw(record)) != SAID["find-lr"]


def test_what_is_kept_of_the_runs_is_small_and_readable():
    files = [path for path in (DOCS / "runs").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".csv", ".json", ".yaml"}
    assert sum(path.stat().st_size for path in files) < 1_000_000
