import ast

from onecycle_cli.export import keras_code, pytorch_code


def test_every_value_says_where_it_came_from(plan):
    comments = keras_code(plan(result={"steps_per_epoch": 23})).partition("import")[0]
    assert "max_lr 0.1 (suggestion of digits/find-lr/001)" in comments
    assert "momentum 0.95 to 0.85 (default)" in comments
    assert "weight decay 0.01 (file); l2: loss + wd * sum(w^2) over the kernels" in comments
    assert "batch size 50, 20 epochs of 23 steps" in comments
    assert "Not in this code" not in comments
    assert "batch size 50, 1 epoch of" in keras_code(
        plan({"cycles": [{"epochs": 1}]}, result={"steps_per_epoch": 23})
    )


def test_what_is_left_out_is_said(plan):
    train = {
        "ema": 0.99,
        "flip_evaluation": True,
        "early_finish": {"patience": 3},
        "resize": [{"until": 0.3, "size": 24}],
    }
    dataset = {"normalise": True, "augment": {"flip": True, "crop": 4}}
    code = keras_code(plan(train, dataset=dataset, result={"events": [{}, {}]}))
    words = " ".join(code.replace("\n#", " ").split())
    for said in (
        "Not in this code:",
        "the inputs were standardised",
        "changed at random: flip True, crop 4",
        "size 24 until 0.3",
        "ema 0.99",
        "no better for 3 epochs",
        "its mirror image",
        "diverged 2 times",
    ):
        assert said in words


def test_how_the_inputs_were_standardised(plan):
    dataset = {"normalise": True}
    few = {"inputs": {"dtype": "uint8", "mean": [0.25], "std": [0.125]}}
    assert "# - the inputs were standardised: (x / 255 - [0.25]) / [0.125]\n" in keras_code(
        plan(dataset=dataset, result=few)
    )
    assert "in its result.json, under inputs" in " ".join(keras_code(plan(dataset=dataset)).split())
    assert "standardised" not in keras_code(plan(dataset={"normalise": False}, result=few))


def test_how_the_targets_were_standardised_and_are_brought_back(plan):
    result = {"targets": {"mean": [300000.0], "std": [1500.0]}}
    words = " ".join(keras_code(plan(result=result)).replace("\n#", " ").split())
    assert "the targets were standardised: (y - [300000]) / [1500]" in words
    assert "y = [1500] * answer + [300000]" in words
    assert "targets were standardised" not in keras_code(plan(result={"targets": None}))


def test_what_a_strangers_run_says_stays_in_the_comments(plan):
    """Its files are quoted, and code that is pasted is going to be run."""
    evil = "x\nimport os\rimport sys\x0cimport re\u2028import io"
    sections = {"dataset": {"augment": evil}, "model": {"name": evil}, "precision": "float32"}
    for to in (keras_code, pytorch_code):
        dangerous, harmless = to(plan(**sections)), to(plan())
        assert "import os" in dangerous
        assert [ast.dump(node) for node in ast.parse(dangerous).body] == [
            ast.dump(node) for node in ast.parse(harmless).body
        ]
