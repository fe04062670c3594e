def test_a_config_is_checked_and_nothing_written(
    invoke, answer_of, config, own_folders, small, rows
):
    before = sorted(own_folders.rglob("*"))
    outcome = invoke("check", config, *small)
    assert outcome.exit_code == 0, outcome.output
    first = outcome.stdout.splitlines()[0]
    assert first == ("360 x 8 x 8 x 1 bytes, 10 classes, cross-entropy; scored by accuracy")
    assert rows(outcome.stdout)["training"] == "2 epochs of 6 steps"
    assert rows(outcome.stdout)["warnings"] == "none"

    answer = answer_of(invoke("check", config, *small, "--json"))
    assert (answer["command"], answer["preamble"]) == ("check", first)
    assert sorted(own_folders.rglob("*")) == before


def test_a_mistake_is_told_before_anything_is_built(invoke, config):
    outcome = invoke("check", config, "--set", "model.name=mlq")
    assert outcome.exit_code == 2
    assert "did you mean 'mlp'" in outcome.stderr
