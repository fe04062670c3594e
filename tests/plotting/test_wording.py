from onecycle_cli import plotting


def test_runs_with_the_same_label_are_told_apart(train, legend_texts):
    texts = legend_texts(plotting.draw_overlay([train(), train(), train()]))
    assert [text.split(":")[0] for text in texts] == [
        "tiny/train/001",
        "tiny/train/001 (2)",
        "tiny/train/001 (3)",
    ]
