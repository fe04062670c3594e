import base64
import json
from dataclasses import replace

import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.mistakes import FILE, Mistake, read_mistakes, write_mistakes

pytestmark = pytest.mark.lowest

IMAGE = base64.b64encode(b"a picture").decode()
MISTAKE = Mistake(true=3, answer=5, example=17, type="image/png", width=8, height=6, image=IMAGE)


def test_what_is_written_is_read(tmp_path):
    mistakes = [MISTAKE, replace(MISTAKE, example=18, type="image/jpeg")]
    write_mistakes(tmp_path, mistakes)
    assert read_mistakes(tmp_path) == mistakes
    assert json.loads((tmp_path / FILE).read_text())["schema_version"] == 1


def test_no_mistakes_leave_no_file_of_before(tmp_path):
    write_mistakes(tmp_path, [MISTAKE])
    write_mistakes(tmp_path, [])
    assert list(tmp_path.iterdir()) == []
    assert read_mistakes(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    [
        {"type": "image/svg+xml"},
        {"image": "<svg/>"},
        {"image": 5},
        {"true": "cat"},
        {"true": True},
        {"answer": -1},
        {"width": 0},
        {"more": 1},
    ],
)
def test_what_onecycle_does_not_write_is_refused(tmp_path, change):
    (tmp_path / FILE).write_text(json.dumps({"mistakes": [vars(MISTAKE) | change]}))
    with pytest.raises(ResultError, match=f"{FILE}: does not hold images as onecycle writes them"):
        read_mistakes(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"mistakes": 5}', '{"mistakes": [[]]}'])
def test_damage(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ResultError, match="restore it, or remove it"):
        read_mistakes(tmp_path)
