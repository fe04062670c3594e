"""The pictures of the docs are what is drawn of the runs that were kept for them."""

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"
TILE = 12


def script():
    spec = importlib.util.spec_from_file_location("draw_docs", DOCS / "draw.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAW = script()


def tiles(content):
    """Return how bright each tile of a picture is, so that the edge of a letter counts little."""
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("L"), float) / 255
    height, width = (side // TILE * TILE for side in pixels.shape)
    return pixels[:height, :width].reshape(height // TILE, TILE, width // TILE, TILE).mean((1, 3))


def difference(one, other):
    """Return the largest difference between two pictures of one size; 1 for others."""
    a, b = tiles(one), tiles(other)
    return float(np.abs(a - b).max()) if a.shape == b.shape else 1.0


@pytest.mark.parametrize("name", DRAW.PICTURES)
def test_a_picture_of_the_docs_is_as_new_as_the_code(name):
    kept = (DOCS / "images" / f"{name}.png").read_bytes()
    assert difference(kept, DRAW.drawn(name)) < 0.25, "run `python docs/draw.py`"


def test_another_suggestion_would_be_seen():
    assert difference(*(DRAW.drawn(name) for name in ("find-wd", "find-momentum"))) > 0.5


def test_what_is_kept_of_the_runs_is_small_and_readable():
    files = [path for path in (DOCS / "runs").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".csv", ".json", ".yaml"}
    assert sum(path.stat().st_size for path in files) < 1_000_000
