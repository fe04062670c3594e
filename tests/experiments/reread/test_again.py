import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml

from onecycle_cli import suggest
from onecycle_cli.errors import ResultError
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.find_momentum import find_momentum
from onecycle_cli.experiments.find_wd import find_wd
from onecycle_cli.experiments.reread import suggest_again, write_suggestion
from onecycle_cli.experiments.train import train
from onecycle_cli.runs import files

ONE_PASS = {"batch_size": 16, "train": {"weight_decay": 1e-3}}  # 22 steps an epoch


@pytest.fixture(scope="module")
def ran(small, tmp_path_factory):
    """One run of each finder, with what each found."""
    out = tmp_path_factory.mktemp("runs")
    config = small(find_lr={"steps": 40, "repeats": 3}, **ONE_PASS)
    found = {
        "find-lr": find_lr(config, out=out),
        "find-wd": find_wd(config, out=out),
        "find-momentum": find_momentum(config, out=out),
    }
    return out / "small", found


@pytest.fixture
def folder(ran, tmp_path):
    """A copy of the experiment's folder, to be written to."""
    return shutil.copytree(ran[0], tmp_path / "small")


@pytest.mark.parametrize("kind", ["find-lr", "find-wd", "find-momentum"])
def test_the_files_alone_give_the_same_suggestion(ran, kind):
    folder, found = ran
    again = suggest_again(folder / kind / "001")

    assert again.not_recomputed == ""
    assert again.suggestion == found[kind].suggestion == again.saved
    assert again.as_dict()["suggestion"] == found[kind].suggestion.as_dict()


def test_a_range_test_is_judged_by_any_rule_and_smoothing(ran):
    folder, found = ran
    sweeps = [(c.lrs, c.losses) for c in found["find-lr"].curves]

    again = suggest_again(folder / "find-lr/001", rule="steep", bandwidth=0.7)

    assert again.findings == suggest.suggest_lr(sweeps, rule="steep", bandwidth=0.7)
    assert again.suggestion != again.saved == found["find-lr"].suggestion


def test_points_are_left_out_as_the_run_did_or_as_asked(small, tmp_path):
    out = tmp_path / "runs"
    config = small(find_lr={"steps": 40, "repeats": 1, "skip_begin": 5, "skip_end": 3}, **ONE_PASS)
    found = find_lr(config, out=out)
    sweeps = [(c.lrs, c.losses) for c in found.curves]
    saved = json.loads((found.folder / "result.json").read_text())
    known = {
        "chance": saved["chance_loss"],
        "planned": (40, 10.0),
        "stopped": saved["stopped"],
    }

    again = suggest_again(found.folder)
    asked = suggest_again(found.folder, skip_begin=0, skip_end=0)

    assert again.findings == found.findings
    assert found.findings == suggest.suggest_lr(sweeps, skip_begin=5, skip_end=3, **known)
    assert asked.findings == suggest.suggest_lr(sweeps, **known) != found.findings
    assert (saved["planned"], saved["skip_begin"], saved["skip_end"]) == ([40, 10.0], 5, 3)
    written = write_suggestion(suggest_again(found.folder, skip_begin=6))
    reason = yaml.safe_load(written.read_text())["max_lr"]["reason"]
    assert reason.endswith("without the first 6 and the last 3 points.")


def test_a_refusal_read_again_names_what_the_finder_saw(small, tmp_path):
    config = small(find_lr={"steps": 20, "repeats": 1, "min_lr": 1e-9, "max_lr": 1e-7})
    found = find_lr(config, out=tmp_path)

    assert found.suggestion.verdict == "never_descended"
    assert "all 20 steps up to 1e-07 were taken" in found.suggestion.reason
    assert suggest_again(found.folder).suggestion == found.suggestion


@pytest.mark.parametrize(
    ("key", "damage"),
    [
        ("skip_begin", -1),
        ("skip_end", "3"),
        ("skip_end", 1.5),
        ("planned", 40),
        ("planned", [40]),
        ("planned", ["40", 10]),
        ("stopped", "tired"),
        ("stopped", 3),
    ],
)
def test_a_damaged_plan(folder, key, damage):
    path = folder / "find-lr/001/result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: damage}))
    with pytest.raises(ResultError, match=f"'{key}' in result.json must be .*; got"):
        suggest_again(folder)


def test_an_experiment_means_its_newest_range_test(folder):
    newer = shutil.copytree(folder / "find-lr/001", folder / "find-lr/002")
    (newer / "result.json").write_text((newer / "result.json").read_text())
    (folder / "find-wd/001/result.json").touch()

    assert suggest_again(folder).folder == newer


def test_the_losses_decide_and_not_what_was_concluded(folder):
    run = folder / "find-wd/001"
    swapped = {1e-2: "0.0001", 1e-4: "0.01"}
    trials = files.read_csv(run / "trials.csv")
    trials["weight_decay"] = [float(swapped[wd]) for wd in trials["weight_decay"]]
    files.write_csv(run / "trials.csv", trials)
    before = suggest_again(folder / "find-momentum/001").rounds
    assert set(before[0]) == {0.5, 0.9}
    swapped_scores = suggest_again(run).rounds[0]
    original = suggest_again(folder.parent / "small/find-wd/001").rounds[0]
    np.testing.assert_array_equal(swapped_scores[1e-2], original[1e-2])
    saved = json.loads((run / "result.json").read_text())
    assert str(suggest.rank(swapped_scores)[0]) != str(saved["best"])


@pytest.mark.parametrize(("kind", "key"), [("find-wd", "usual"), ("find-momentum", "reference")])
def test_a_result_that_lacks_what_it_went_by_is_damaged(folder, kind, key):
    run = folder / f"{kind}/001"
    result = json.loads((run / "result.json").read_text())
    del result[key]
    (run / "result.json").write_text(json.dumps(result))
    with pytest.raises(ResultError, match=f"result.json is damaged .*{key}.*run {kind} again"):
        suggest_again(run)


def test_a_comparison_of_an_earlier_version_is_taken_as_it_is(folder):
    run = folder / "find-wd/001"
    result = json.loads((run / "result.json").read_text())
    del result["usual"]
    (run / "result.json").write_text(json.dumps(result | {"rungs": []}))
    again = suggest_again(run)
    assert "an earlier version" in again.not_recomputed
    assert again.suggestion == again.saved


def test_scores_that_are_not_those_of_the_losses(folder):
    run = folder / "find-wd/001"
    text = (run / "trials.csv").read_text().splitlines()
    text[1] = ",".join([*text[1].split(",")[:-1], "1.5"])
    (run / "trials.csv").write_text("\n".join(text))

    again = suggest_again(run)

    assert "the saved scores are not the means" in again.not_recomputed
    assert again.suggestion == again.saved


def test_scores_on_the_validation_split_are_taken_as_saved(small, tmp_path):
    found = find_wd(small(), out=tmp_path)  # 12 steps are two passes

    again = suggest_again(found.folder)

    assert again.suggestion == found.suggestion
    assert again.not_recomputed == (
        "the trials were judged on the validation split, whose losses are not saved."
    )
    assert again.as_dict()["recomputed"] is False


def test_a_rule_is_for_curves_only(ran):
    for asked in ({"rule": "steep"}, {"bandwidth": 1.0}, {"skip_begin": 0}, {"skip_end": 5}):
        with pytest.raises(ResultError, match="points to skip are for the curves of range tests"):
            suggest_again(ran[0] / "find-wd/001", **asked)


def test_a_training_suggests_nothing(small, tmp_path):
    folder = train(small(train={"cycles": [{"epochs": 1}]}), out=tmp_path).folder
    with pytest.raises(ResultError, match="is a run of 'train', which suggests nothing"):
        suggest_again(folder)


# --- writing ------------------------------------------------------------------------------------


def suggestions(folder):
    return yaml.safe_load((folder / "suggestions.yaml").read_text())


def test_a_rule_s_value_is_written_with_how_it_was_found(folder):
    before = suggestions(folder)

    path = write_suggestion(suggest_again(folder, rule="minimum", bandwidth=0.5))

    after = suggestions(folder)
    assert path == folder / "suggestions.yaml"
    assert after["max_lr"]["value"] != before["max_lr"]["value"]
    assert after["max_lr"]["reason"].endswith(
        "Computed again from the saved curves by the rule minimum, smoothing 0.5 in ln lr."
    )
    assert after["max_lr"]["conditions"] == before["max_lr"]["conditions"]
    assert after["max_lr"]["run"] == "small/find-lr/001"
    assert {k: v for k, v in after.items() if k != "max_lr"} == {
        k: v for k, v in before.items() if k != "max_lr"
    }


@pytest.mark.parametrize(("kind", "key"), [("find-wd", "weight_decay"), ("find-lr", "max_lr")])
def test_conditions_that_were_not_saved_come_from_the_config(folder, kind, key):
    before = suggestions(folder)[key]
    path = folder / kind / "001/result.json"
    files.write_json(
        path, {k: v for k, v in json.loads(path.read_text()).items() if k != "conditions"}
    )

    write_suggestion(suggest_again(folder / kind / "001"))

    after = suggestions(folder)[key]
    assert after["value"] == before["value"]
    assert after["conditions"] | {"data": None} == before["conditions"] | {"data": None}


def test_a_refusal_is_not_written(folder):
    before = (folder / "suggestions.yaml").read_bytes()
    again = suggest_again(folder, bandwidth=1e3)

    write_suggestion(again)

    assert again.suggestion.verdict == "never_descended"
    assert (folder / "suggestions.yaml").read_bytes() == before


def test_a_folder_on_its_own_has_nowhere_to_write_to(ran, tmp_path):
    alone = shutil.copytree(ran[0] / "find-lr/001", tmp_path / "alone")
    with pytest.raises(ResultError, match="is not in the folder of an experiment"):
        write_suggestion(suggest_again(alone))
    assert [p.name for p in tmp_path.iterdir()] == ["alone"]


SCRIPT = """
import sys
from onecycle_cli.experiments.reread import suggest_again, write_suggestion
write_suggestion(suggest_again(sys.argv[1]))
heavy = {"keras", "tensorflow", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""


def test_keras_is_not_needed(folder):
    subprocess.run([sys.executable, "-c", SCRIPT, str(folder)], check=True)
