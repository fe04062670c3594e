import io
import json

import numpy as np

from onecycle_cli.commands.console.as_json import only_answers, print_json, results_to


def test_one_line_with_keys_in_order_that_every_reader_understands(capsys):
    result = {
        "zeta": np.float64("nan"),
        "losses": np.array([0.5, np.inf]),
        "count": np.int64(3),
        "is_done": np.bool_(True),
        "nested": {"text": "two\nlines, ±1", "range": (-np.inf, 1e-30)},
        "alpha": None,
    }
    print_json("find-lr", result)

    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (1, "")
    assert out.isascii()
    found = json.loads(out, parse_constant=refuse)
    assert list(found) == ["schema_version", "command", *result]
    assert found == {
        "schema_version": 1,
        "command": "find-lr",
        "zeta": None,
        "losses": [0.5, None],
        "count": 3,
        "is_done": True,
        "nested": {"text": "two\nlines, ±1", "range": [None, 1e-30]},
        "alpha": None,
    }


def refuse(name):
    raise AssertionError(f"{name} is no JSON")


def test_results_go_elsewhere_and_what_a_person_reads_does_not_go_with_answers(capsys):
    both, answers = io.StringIO(), io.StringIO()
    with results_to(both):
        print("a table")
        print_json("train", {})
    with only_answers(), results_to(answers):
        print("a table")
        print_json("train", {})
    assert both.getvalue() == "a table\n" + answers.getvalue()
    assert json.loads(answers.getvalue())["command"] == "train"
    assert capsys.readouterr() == ("", "a table\n")
