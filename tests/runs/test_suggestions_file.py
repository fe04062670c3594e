import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import suggestions_file
from onecycle_cli.suggest import Suggestion

ACCEPTED = Suggestion(0.0874, (0.05, 0.1), "ok", "because")

RANGE = Suggestion({"max": 0.95, "min": 0.85}, (0.85, 0.95), "undecided", "because")

REFUSED = Suggestion(None, None, "never_diverged", "because")


class TestSuggestions:
    def write(self, folder, key, suggestion):
        suggestions_file.write_suggestion(
            folder, key, suggestion, run="name/x/001", conditions={"a": 1e-05}
        )

    def test_none_yet(self, tmp_path):
        assert suggestions_file.read_suggestions(tmp_path) == {}
        assert suggestions_file.read_suggestions(tmp_path / "nowhere") == {}

    def test_is_read_as_it_was_written(self, tmp_path):
        self.write(tmp_path, "max_lr", ACCEPTED)
        entry = suggestions_file.read_suggestions(tmp_path)["max_lr"]
        assert entry.pop("when").endswith("+00:00")
        assert entry == {
            "value": 0.0874,
            "interval": [0.05, 0.1],
            "verdict": "ok",
            "reason": "because",
            "run": "name/x/001",
            "conditions": {"a": 1e-05},
        }

    def test_stands_beside_the_others_in_order_and_replaces_its_own(self, tmp_path):
        for key, suggestion in (
            ("weight_decay", Suggestion(0.0, (0.0, 1e-05), "undecided", "because")),
            ("momentum", RANGE),
            ("max_lr", ACCEPTED),
            ("max_lr", Suggestion(3.0, (1.0, 4.0), "ok", "because")),
        ):
            self.write(tmp_path, key, suggestion)
        known = suggestions_file.read_suggestions(tmp_path)
        assert list(known) == ["max_lr", "momentum", "weight_decay"]
        assert [entry["value"] for entry in known.values()] == [3.0, RANGE.value, 0.0]

    def test_a_refusal_changes_nothing(self, tmp_path, files_in):
        self.write(tmp_path, "max_lr", REFUSED)
        assert files_in(tmp_path) == []
        self.write(tmp_path, "max_lr", ACCEPTED)
        before = (tmp_path / "suggestions.yaml").read_bytes()
        self.write(tmp_path, "max_lr", REFUSED)
        assert (tmp_path / "suggestions.yaml").read_bytes() == before

    @pytest.mark.usefixtures("full_disk")
    def test_a_full_disk_leaves_nothing(self, tmp_path, files_in):
        with pytest.raises(ResultError, match=r"suggestions.yaml: cannot be written"):
            self.write(tmp_path, "max_lr", ACCEPTED)
        assert files_in(tmp_path) == []

    @pytest.mark.parametrize(
        ("text", "value"),
        [("0.1", 0.1), ("1e-2", 0.01), ("3E+1", 30.0), (".5e0", 0.5), ("1", 1)],
    )
    def test_numbers_as_people_write_them(self, tmp_path, text, value):
        (tmp_path / "suggestions.yaml").write_text(f"max_lr:\n  value: {text}\n")
        assert suggestions_file.read_suggestions(tmp_path)["max_lr"]["value"] == value

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("max_lr: {value: 0}", "max_lr.value must be a number above 0; got 0"),
            ("max_lr: {value: -1}", "max_lr.value must be .*; got -1. Correct it, or delete"),
            ("max_lr: {value: .nan}", "max_lr.value must be .*; got nan"),
            ("max_lr: {value: .inf}", "max_lr.value must be .*; got inf"),
            ("max_lr: {value: true}", "max_lr.value must be .*; got True"),
            ("max_lr: {value: high}", "max_lr.value must be .*; got high"),
            ("max_lr: {}", "max_lr.value must be .*; got None"),
            ("max_lr: 0.1", "max_lr.value must be"),
            ("max_lr:", "max_lr.value must be"),
            ("weight_decay: {value: -1e-4}", "weight_decay.value must be a number of at least 0"),
            ("momentum: {value: 0.9}", r"momentum.value must be \{max, min\} with 0 <= min"),
            ("momentum: {value: {max: 0.9}}", "momentum.value must be"),
            ("momentum: {value: {max: 1, min: 0.9}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: 0.9}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: -0.1}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: false}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: .nan}}", "momentum.value must be"),
            ("momentum: {value: {max: 0.8, min: 0.7, a: 1}}", "momentum.value must be"),
            (
                "momentun: {value: 0.1}",
                "unknown key 'momentun'; the known ones are max_lr, momentum",
            ),
            ("max_lr: [", "suggestions.yaml: cannot be read as YAML"),
            ("[1]", "suggestions.yaml: holds no keys and values; delete it and run the finder"),
            ("", "suggestions.yaml: holds no keys and values"),
            ("\0", "suggestions.yaml: cannot be read as YAML"),
            ("a: !!timestamp x", "suggestions.yaml: cannot be read as YAML"),
        ],
    )
    def test_damage_and_mistakes_are_refused(self, tmp_path, text, sentence):
        (tmp_path / "suggestions.yaml").write_text(text)
        for call in (
            lambda: suggestions_file.read_suggestions(tmp_path),
            lambda: self.write(tmp_path, "weight_decay", ACCEPTED),
        ):
            with pytest.raises(ResultError, match=sentence):
                call()
        assert (tmp_path / "suggestions.yaml").read_text() == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max_lr: [unfinished\n", "cannot be read as YAML"),
        ("- a\n- b\n", "holds no keys and values"),
        ("max_lr: 3\n", r"max_lr\.value must be a number above 0; got None"),
        ("max_lr: {value: -1}\n", r"max_lr\.value must be a number above 0; got -1"),
        ("max_lr: {value: .nan}\n", r"max_lr\.value must be a number above 0; got nan"),
        ("momentum: {value: {max: 0.8, min: 0.9}}\n", r"momentum\.value must be {max, min}"),
        ("max_lr: {value: 1}\nmax_lr: {value: 2}\n", "the key 'max_lr' is given twice"),
        ("max_lr: !!python/object/apply:os.system [false]\n", "cannot be read as YAML"),
        ("lr: {value: 1}\n", "unknown key 'lr'"),
    ],
)
def test_suggestions_edited_into_nonsense(tmp_path, text, sentence):
    (tmp_path / "suggestions.yaml").write_text(text)
    with pytest.raises(ResultError, match=sentence) as caught:
        suggestions_file.read_suggestions(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'suggestions.yaml'}: ")
    assert "\n" not in str(caught.value)


def test_suggestions_that_unfold_without_end(tmp_path):
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (tmp_path / "suggestions.yaml").write_text("\n".join([*levels, "max_lr: {value: *a11}"]))
    with pytest.raises(ResultError, match="more than 10,000 entries"):
        suggestions_file.read_suggestions(tmp_path)
