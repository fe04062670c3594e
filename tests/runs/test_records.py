import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import STAGES
from onecycle_cli.runs import files, records
from onecycle_cli.suggest import suggest_lr

pytestmark = pytest.mark.lowest


class TestReadRecord:
    @pytest.mark.parametrize("kind", STAGES)
    def test_every_kind(self, write_run, run_tables, kind):
        record = records.read_record(write_run(kind))
        assert (record.kind, record.label) == (kind, "name/kind/001")
        assert record.config == {"name": "name", "find_lr": {"max_lr": 10.0}}
        assert set(record.tables) == set(run_tables[kind])

    def test_curves_by_repeat(self, write_run):
        first, second = records.read_record(write_run("find-lr")).curves()
        assert (first.lrs, first.losses, first.label) == ([0.1, 0.2], [2.5, 1.5], "repeat 0")
        assert second.lrs == [0.1] and np.isnan(second.losses[0])

    def test_a_folder_of_a_callback_has_no_config(self, write_run):
        folder = write_run("find-lr")
        (folder / "config.yaml").unlink()
        assert records.read_record(folder).config == {}

    def test_a_run_without_a_label_is_called_as_its_folder(self, write_run):
        folder = write_run("train")
        (folder / "result.json").write_text('{"kind": "train"}')
        assert records.read_record(folder).label == "001"

    @pytest.mark.parametrize(
        ("kind", "file", "text", "sentence"),
        [
            ("find-lr", "curve.csv", None, "curve.csv: is missing; restore it, or run"),
            ("train", "history.csv", None, "history.csv: is missing"),
            ("train", "steps.csv", "", "steps.csv: is empty"),
            ("train", "steps.csv", "step,lr,loss\n", "steps.csv: has no rows; run the command"),
            ("train", "steps.csv", "step,loss\n1,2\n", "steps.csv: has no column 'lr'"),
            ("train", "steps.csv", "step,lr,loss\n1,2\n", "line 2: has 2 values where .* has 3"),
            ("train", "steps.csv", "step,lr,loss\n1,2,3\n\n", "line 3: has 0 values"),
            ("train", "steps.csv", "step,lr,loss\n1,,3\n", "'lr' must hold numbers only; got ''"),
            ("find-wd", "trials.csv", "weight_decay,score\nx,1\n", "'weight_decay' .* got 'x'"),
            ("find-lr", "curve.csv", b"lr,loss\n\xff,1\n", "curve.csv: cannot be read as a table"),
            ("find-lr", "curve.csv", "lr,loss\n" + "9" * 200_000 + ",1", "cannot be read as a"),
            ("train", "result.json", '{"kind": "tra', "result.json: cannot be read as JSON"),
            ("train", "result.json", "", "result.json: cannot be read as JSON"),
            ("train", "result.json", "[" * 100_000, "result.json: cannot be read as JSON"),
            ("train", "result.json", b"\xff", "result.json: cannot be read as JSON"),
            ("train", "result.json", "[]", "result.json: is not a result of onecycle"),
            ("train", "result.json", "{}", "result.json: is not a result of onecycle"),
            ("train", "result.json", '{"kind": []}', "'kind' must be one of find-lr, find-wd"),
            ("train", "result.json", '{"kind": "test"}', "'kind' must be one of find-lr"),
            (
                "find-lr",
                "result.json",
                '{"kind": "find-lr", "suggestion": 5}',
                "result.json: 'suggestion' must have keys and values",
            ),
            (
                "find-wd",
                "result.json",
                '{"kind": "find-wd", "differences": [1]}',
                "result.json: 'differences' must have keys and values",
            ),
            (
                "find-lr",
                "result.json",
                '{"kind": "find-lr", "suggestion": {"value": "high"}}',
                "result.json: suggestion.value must be a number above 0; got high",
            ),
            (
                "find-momentum",
                "result.json",
                '{"kind": "find-momentum", "suggestion": {"value": 0.9}}',
                r"result.json: suggestion.value must be \{max, min\} with 0 <= min",
            ),
            ("train", "config.yaml", "a: [", "config.yaml: cannot be read as YAML"),
            ("train", "config.yaml", "!!bool a", "config.yaml: cannot be read as YAML"),
            ("train", "config.yaml", "5", "config.yaml: holds no keys and values"),
        ],
    )
    def test_damage(self, write_run, kind, file, text, sentence):
        folder = write_run(kind)
        if text is None:
            (folder / file).unlink()
        else:
            (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ResultError, match=sentence):
            records.read_record(folder)

    @given(st.data())
    def test_any_damage_is_a_result_error(self, tmp_path_factory, run_tables, data):
        folder = tmp_path_factory.mktemp("run")
        kind = data.draw(st.sampled_from(list(run_tables)))
        (folder / "result.json").write_text(json.dumps({"kind": kind}))
        for name, text in run_tables[kind].items():
            (folder / f"{name}.csv").write_text(text)
        damaged = data.draw(st.sampled_from(sorted(folder.iterdir())))
        content = bytearray(damaged.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            position = data.draw(st.integers(0, len(content)))
            content[position : position + data.draw(st.integers(0, 5))] = data.draw(
                st.binary(max_size=3)
            )
        damaged.write_bytes(content)
        try:
            records.read_record(folder)
        except ResultError as error:
            assert str(error).startswith(str(folder))


def test_what_a_range_test_says(tmp_path):
    lrs = np.geomspace(1e-5, 10, 50)
    findings = suggest_lr([(lrs, np.where(lrs < 1, 2 - np.tanh(lrs), 99))])
    result = records.find_lr_result(findings, scale="exp", cost={"steps": 50})
    records.Record("find-lr", "a", result).write(tmp_path)
    assert files.read_json(tmp_path / "result.json") == {
        "kind": "find-lr",
        "label": "a",
        "suggestion": findings.suggestion.as_dict(),
        "min_lr": findings.min_lr,
        "landmarks": [vars(findings.landmarks[0])],
        "rules": findings.rules,
        "scale": "exp",
        "cost": {"steps": 50},
    }
