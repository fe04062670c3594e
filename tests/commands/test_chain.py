"""init, find-lr, find-wd, find-momentum, train, one after the other as a user would."""

import json
import shlex

import pytest
import yaml


@pytest.fixture(scope="module")
def suggestions(chain):
    return yaml.safe_load((chain[0] / "runs/digits/suggestions.yaml").read_text())


def test_every_command_succeeds(chain):
    assert {name: outcome.exit_code for name, outcome in chain[1].items()} == dict.fromkeys(
        chain[1], 0
    ), [outcome.output for outcome in chain[1].values()]


def test_init_says_what_to_do_next(chain):
    assert chain[1]["init"].stdout == ("wrote digits.yaml; now run: onecycle find-lr digits.yaml\n")


def test_suggestions_gather_in_one_file(suggestions):
    assert list(suggestions) == ["max_lr", "momentum", "weight_decay"]
    for entry in suggestions.values():
        assert list(entry) == [
            "value", "interval", "verdict", "reason", "run", "when", "conditions",
        ]  # fmt: skip
        low, high = entry["interval"]
        assert low <= high
    assert suggestions["momentum"]["value"].keys() == {"max", "min"}


def test_each_finder_uses_what_was_found_before(suggestions):
    lr, decay = (suggestions[key]["value"] for key in ("max_lr", "weight_decay"))

    assert suggestions["weight_decay"]["conditions"]["max_lr"] == lr
    assert suggestions["momentum"]["conditions"]["max_lr"] == lr
    assert suggestions["momentum"]["conditions"]["weight_decay"] == decay


def test_train_uses_all_three_and_says_so(chain, suggestions, rows):
    folder, outcomes = chain
    shown = rows(outcomes["train"].stdout)
    momentum = suggestions["momentum"]["value"]

    lr = suggestions["max_lr"]["value"]
    assert shown["max_lr"] == f"{lr:g} (suggestion of digits/find-lr/001)"
    assert shown["momentum"] == (
        f"{momentum['max']:g} to {momentum['min']:g} (suggestion of digits/find-momentum/001)"
    )
    decay = suggestions["weight_decay"]["value"]
    assert shown["weight decay, l2"] == f"{decay:g} (suggestion of digits/find-wd/001)"
    result = json.loads((folder / "runs/digits/train/001/result.json").read_text())
    assert result["max_lr"] == [lr]
    assert result["momentum"] == momentum
    assert result["weight_decay"] == decay
    manifest = json.loads((folder / "runs/digits/train/001/manifest.json").read_text())
    assert manifest["origins"]["train.max_lr"] == "suggestion of digits/find-lr/001"
    assert manifest["origins"]["dataset.limit"] == "--set"
    assert manifest["origins"]["batch_size"] == "file"
    assert manifest["origins"]["seed"] == "default"


def test_who_goes_the_usual_way_is_not_warned(chain):
    for outcome in chain[1].values():
        assert "warning" not in outcome.stderr


def test_each_command_names_the_next_with_all_that_was_typed(chain, small):
    settings = " ".join(shlex.quote(word) for word in small)
    assert {
        name: outcome.stderr.splitlines()[-1]
        for name, outcome in chain[1].items()
        if outcome.stderr
    } == {
        "find-lr": f"next: onecycle find-wd digits.yaml {settings}",
        "find-wd": f"next: onecycle find-momentum digits.yaml {settings}",
        "find-momentum": f"next: onecycle train digits.yaml {settings}",
        "train": "next: onecycle evaluate runs/digits/train/001",
    }


def test_each_command_says_where_its_run_and_its_picture_are(chain, rows):
    folder, outcomes = chain
    for name in ("find-lr", "find-wd", "find-momentum", "train"):
        shown = rows(outcomes[name].stdout)
        assert shown["saved in"] == f"runs/digits/{name}/001"
        assert (folder / shown["picture"]).is_file()
        assert (folder / shown["report"]).is_file()
        running = f"writing to runs/digits/{name}/.001-running"
        assert running in outcomes[name].stderr.splitlines()


def test_before_it_trains_a_command_says_what_and_for_which_score(chain):
    for name in ("find-lr", "find-wd", "find-momentum", "train"):
        assert outcomes_first_line(chain, name) == (
            "360 x 8 x 8 x 1 bytes, 10 classes, cross-entropy; scored by accuracy"
        )


def outcomes_first_line(chain, name):
    return next(line for line in chain[1][name].stderr.splitlines() if "scored by" in line)


def test_find_lr_prints_its_suggestion_and_what_it_was_found_with(chain, suggestions, rows):
    shown = rows(chain[1]["find-lr"].stdout)
    found = suggestions["max_lr"]
    low, high = found["interval"]

    assert list(shown) == [
        "max_lr", "min_lr", "verdict", "reason", "each rule", "momentum", "weight decay, l2",
        "cost", "saved in", "picture", "report",
    ]  # fmt: skip
    assert shown["max_lr"] == f"{found['value']:g} ({low:.3g} to {high:.3g})"
    assert (shown["verdict"], shown["reason"]) == (found["verdict"], found["reason"])
    assert shown["momentum"] == "0.9 (optimizer.momentum, default)"


def test_a_comparison_prints_every_candidate(chain, suggestions, rows):
    shown = rows(chain[1]["find-momentum"].stdout)
    value = suggestions["momentum"]["value"]

    assert shown["momentum"] == f"{value['max']:g} to {value['min']:g}"
    ranges = ["0.85 to 0.75", "0.95 to 0.85"]
    assert [name for name in shown if name in ranges] == ranges
    assert sum(shown[c].startswith("lowest loss") for c in ranges) == 1
    assert [c for c in ranges if shown[c].endswith("<- suggested")] == [shown["momentum"]]
    assert shown["short trainings"] == "2 of 12 steps"
    assert shown["max_lr"].endswith("(suggestion of digits/find-lr/001)")
    assert shown["cost"].startswith("24 steps = 4 epochs = 2 times the configured training in ")

    shown = rows(chain[1]["find-wd"].stdout)
    assert float(shown["weight_decay, l2"]) == suggestions["weight_decay"]["value"]
    assert shown["momentum"] == "0.95 to 0.85 (default)"


def test_train_prints_the_recorded_accuracies(chain, rows):
    shown = rows(chain[1]["train"].stdout)
    result = json.loads((chain[0] / "runs/digits/train/001/result.json").read_text())

    assert shown["test accuracy"] == f"{result['test_accuracy']:.2%}"
    assert f"accuracy {result['val_accuracy_best']:.2%}" in shown["validation, best"]
    assert f"(epoch {result['best_epoch']})" in shown["validation, best"]
    assert "(epoch 2)" in shown["validation, last"]
    assert shown["speed"] == f"{result['images_per_second']:.0f} examples a second"
    assert shown["peak memory"] == f"{result['cost']['peak_memory_bytes'] / 2**20:.0f} MiB"


def test_progress_goes_to_stderr_in_whole_lines(chain):
    outcomes = chain[1]
    lines = outcomes["find-lr"].stderr.splitlines()
    assert lines[1:5] == [
        "task: multiclass (labels of 10 classes)",
        "writing to runs/digits/find-lr/.001-running",
        "2 range tests from 1e-05 to 10: sgd, momentum 0.9, l2 weight decay 0",
        "at most 80 steps = 13 epochs = 6.7 times the configured training",
    ]
    outcome = outcomes["find-wd"].stderr.splitlines()[-2]
    assert outcome.startswith("first try 4, weight decay ")
    assert outcome.endswith(" after 12 steps")
    assert outcomes["train"].stderr.splitlines()[-2].startswith("epoch 2: loss ")


def test_a_preview_knows_max_lr_once_it_was_found(chain, suggestions, rows):
    before, after = (rows(chain[1][name].stdout) for name in ("preview", "preview again"))
    lr = suggestions["max_lr"]["value"]

    assert before["max_lr"] == "not known yet; 'onecycle find-lr CONFIG' finds it"
    assert before["highest lr"] == "1 x max_lr at step 54"
    assert after["max_lr"] == f"{lr:g} (suggestion of digits/find-lr/001)"
    assert after["highest lr"] == f"{lr:g} at step 54"
    assert after["steps"] == "120 = 20 epochs of 6"
    assert chain[1]["preview"].stdout.splitlines()[-1] == "digits-schedule.png"
    assert chain[1]["preview again"].stdout.splitlines()[-1] == "digits-schedule-copy-2.png"


def test_the_chain_leaves_nothing_else_behind(chain):
    folder = chain[0]
    assert sorted(p.name for p in folder.iterdir()) == [
        ".onecycle-schema.json", "digits-schedule-copy-2.png", "digits-schedule.png", "digits.yaml",
        "runs",
    ]  # fmt: skip
    hidden = [p for p in folder.rglob("*") if p.name.startswith(".")]
    assert [p.name for p in hidden] == [".onecycle-schema.json"]


@pytest.mark.parametrize("kind", ["find-lr", "find-wd", "find-momentum", "train"])
def test_every_run_can_be_exported(chain, invoke, suggestions, kind):
    """Each says what it found itself, and what it used of the others."""
    for to in ("keras", "pytorch", "yaml"):
        outcome = invoke("export", chain[0] / f"runs/digits/{kind}/001", "--to", to, "--json")
        assert outcome.exit_code == 0, outcome.output
        found = json.loads(outcome.stdout)
        assert found["max_lr"] == [suggestions["max_lr"]["value"]]
        if kind != "find-lr":
            assert found["weight_decay"] == suggestions["weight_decay"]["value"]
        if kind in ("find-momentum", "train"):
            assert found["momentum"] == suggestions["momentum"]["value"]
        if to != "yaml":
            compile(found["text"], to, "exec")
