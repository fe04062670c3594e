from onecycle_cli import plotting


def test_runs_with_the_same_label_are_told_apart(train, legend_texts):
    texts = legend_texts(plotting.draw_overlay([train(), train(), train()]))
    assert [text.split(":")[0] for text in texts] == [
        "tiny/train/001",
        "tiny/train/001 (2)",
        "tiny/train/001 (3)",
    ]


def test_what_was_handed_over_in_python_is_called_by_its_own_names(train, heading):
    record = train()
    record.result["in_hand"] = {"dataset": "BatchDataset", "model": "mine"}
    assert heading(plotting.draw(record))[1] == "BatchDataset, mine, batch size 128, sgd"
