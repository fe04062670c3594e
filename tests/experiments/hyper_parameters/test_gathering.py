import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.experiments.hyper_parameters.conditions import conditions_of
from onecycle_cli.experiments.hyper_parameters.gathering import gather
from onecycle_cli.runs import suggestions_file
from onecycle_cli.suggest import Suggestion


def suggest(out, key, value, conditions, run="small/find-it/001"):
    found = Suggestion(value, (0.1, 0.2), "ok", "because.")
    suggestions_file.write_suggestion(out / "small", key, found, run=run, conditions=conditions)


def test_the_config_goes_before_suggestions_and_these_before_defaults(small, tmp_path, listener):
    config = load_config(small(train={"weight_decay": 3e-4}), ["train.max_lr=0.7"])
    conditions = conditions_of(config, "abc")
    suggest(tmp_path, "max_lr", 0.2, conditions, run="small/find-lr/004")
    suggest(tmp_path, "weight_decay", 0.2, conditions, run="small/find-wd/004")
    suggest(tmp_path, "momentum", {"max": 0.9, "min": 0.7}, conditions, run="small/find-momentum/2")

    values = gather(config, tmp_path, listener, conditions=conditions)

    assert values.max_lr == 0.7
    assert values.weight_decay == 3e-4
    assert values.momentum == {"max": 0.9, "min": 0.7}
    assert values.reference_momentum == 0.8
    assert values.sources == {
        "max_lr": "--set",
        "weight_decay": "file",
        "momentum": "suggestion of small/find-momentum/2",
    }
    assert listener.warnings == []


def test_what_nobody_says_is_a_default_with_one_warning(small, tmp_path, listener):
    config = load_config(small(optimizer={"weight_decay": 2e-5}))

    values = gather(config, tmp_path, listener, conditions={})

    assert values.momentum == {"max": 0.95, "min": 0.85}
    assert values.weight_decay == 2e-5
    assert values.sources == {
        "max_lr": "file",
        "momentum": "default",
        "weight_decay": "optimizer.weight_decay, file",
    }
    assert listener.warnings == [
        "no suggestion yet for momentum (0.95 to 0.85 is used) and weight_decay (2e-05 is used); "
        "'onecycle find-momentum CONFIG' and 'onecycle find-wd CONFIG' find them."
    ]


def test_a_range_of_momentum_has_an_origin_too(small, listener):
    config = load_config(small(train={"momentum": {"max": 0.9, "min": 0.8}}))
    assert gather(config, None, listener, conditions={}).sources["momentum"] == "file"


@pytest.mark.parametrize(
    ("searched", "warned_of"),
    [("max_lr", []), ("weight_decay", []), ("momentum", ["weight_decay"])],
)
def test_a_finder_is_warned_of_what_is_usually_found_before(small, listener, searched, warned_of):
    gather(load_config(small()), None, listener, conditions={}, searched=searched)

    assert len(listener.warnings) == len(warned_of)
    assert all(f"for {key} " in listener.warnings[0] for key in warned_of)


def test_an_unknown_learning_rate_names_the_command_that_finds_it(small, listener):
    config = load_config(small(train={"max_lr": "auto"}))
    values = gather(config, None, listener, conditions={})

    with pytest.raises(ConfigError, match=r"train\.max_lr is auto .*'onecycle find-lr CONFIG'"):
        values.known_max_lr(config)


def test_each_cycle_may_have_a_rate_of_its_own(small, listener):
    cycles = [{"epochs": 1}, {"epochs": 1, "max_lr": 0.005}]
    config = load_config(small(train={"cycles": cycles}))
    values = gather(config, None, listener, conditions={})

    assert values.cycle_rates(config) == [0.1, 0.005]
    assert values.cycle_rate_sources(config) == ["file", "train.cycles.1.max_lr, file"]

    unknown = load_config(small(train={"cycles": cycles, "max_lr": "auto"}))
    with pytest.raises(ConfigError, match="find-lr"):
        gather(unknown, None, listener, conditions={}).cycle_rates(unknown)
    known = load_config(small(train={"cycles": cycles[1:], "max_lr": "auto"}))
    assert gather(known, None, listener, conditions={}).cycle_rates(known) == [0.005]


def test_a_range_test_holds_momentum_at_the_middle_of_the_range(small, tmp_path, listener):
    plain = gather(load_config(small()), None, listener, conditions={}, searched="max_lr")
    assert plain.momentum == {"max": 0.9, "min": 0.9}
    assert plain.sources["momentum"] == "optimizer.momentum, default"

    suggest(tmp_path, "momentum", {"max": 0.95, "min": 0.85}, {})
    found = gather(load_config(small()), tmp_path, listener, conditions={}, searched="max_lr")
    assert found.reference_momentum == 0.9
    assert found.sources["momentum"] == "middle of 0.95 to 0.85, suggestion of small/find-it/001"


def test_the_momentum_search_starts_from_the_momentum_that_the_rate_was_found_with(
    small, tmp_path, listener
):
    config = load_config(small(train={"max_lr": "auto"}))
    suggest(tmp_path, "max_lr", 0.4, {"momentum": 0.8})
    suggest(tmp_path, "momentum", {"max": 0.6, "min": 0.4}, {})

    values = gather(config, tmp_path, listener, conditions={}, searched="momentum")

    assert values.reference_momentum == 0.8


@pytest.mark.parametrize(
    ("optimizer", "searched", "times"),
    [("sgd", "", 3), ("sgd", "weight_decay", 3), ("sgd", "momentum", 1), ("adam", "", 1)],
)
def test_a_suggested_rate_goes_with_the_momentum_in_force(
    optimizer, searched, times, small, tmp_path, listener
):
    """Found at 0.9 and used at 0.7, steps are as large at three times the rate."""
    config = load_config(small(train={"max_lr": "auto"}, optimizer={"name": optimizer}))
    suggest(tmp_path, "max_lr", 0.1, {"momentum": 0.9})
    suggest(tmp_path, "momentum", {"max": 0.75, "min": 0.65}, {})
    values = gather(config, tmp_path, listener, conditions={}, searched=searched)
    assert values.max_lr == pytest.approx(0.1 * times)
    assert ("0.1 at momentum 0.9, so x 3 around 0.7" in values.sources["max_lr"]) == (times == 3)


def test_a_rate_of_ones_own_stays(small, tmp_path, listener):
    config = load_config(small(train={"max_lr": 0.2, "momentum": {"max": 0.75, "min": 0.65}}))
    suggest(tmp_path, "max_lr", 0.1, {"momentum": 0.9})
    values = gather(config, tmp_path, listener, conditions={})
    assert (values.max_lr, values.follows_momentum) == (0.2, False)
    handed_on = gather(
        config, None, listener, conditions={}, found={"conditions": {"momentum": 0.9}}
    )
    assert (handed_on.max_lr, handed_on.follows_momentum) == (pytest.approx(0.6), True)


def test_other_conditions_give_one_warning_that_names_each_difference(small, tmp_path, listener):
    then = load_config(small(batch_size=32, optimizer={"name": "adam"}))
    now = load_config(small(train={"max_lr": "auto"}))
    suggest(tmp_path, "max_lr", 0.4, conditions_of(then, "abc"))

    gather(now, tmp_path, listener, conditions=conditions_of(now, "xyz"), searched="weight_decay")

    assert listener.warnings[0] == (
        "the suggested max_lr was made under other conditions: other examples, or another split "
        "of them, batch_size 32, now 64, optimizer adam, now sgd; run 'onecycle find-lr CONFIG' "
        "again to be sure."
    )


@pytest.mark.parametrize("on_record", [True, False])
@pytest.mark.parametrize("normalise", [True, False])
def test_inputs_prepared_otherwise_are_another_condition(
    small, tmp_path, listener, on_record, normalise
):
    """Older suggestions do not say so, and were made with inputs that were normalised."""
    then = conditions_of(load_config(small()), "abc")
    if not on_record:
        del then["normalise"]
    config = load_config(small(dataset={"normalise": normalise}))
    suggest(tmp_path, "momentum", {"max": 0.9, "min": 0.8}, then)

    gather(
        config, tmp_path, listener, conditions=conditions_of(config, "abc"), searched="weight_decay"
    )

    said = [text for text in listener.warnings if "other conditions" in text]
    assert len(said) == (not normalise)
    assert all("conditions: normalise True, now False; run" in text for text in said)


def test_another_data_set_is_named_once(small, tmp_path, listener):
    then = conditions_of(load_config(small(dataset={"name": "mnist"})), "abc")
    now = conditions_of(load_config(small()), "xyz")
    suggest(tmp_path, "momentum", {"max": 0.9, "min": 0.8}, then)

    gather(load_config(small()), tmp_path, listener, conditions=now, searched="weight_decay")

    assert listener.warnings == [
        "the suggested momentum was made under other conditions: dataset mnist, now digits; run "
        "'onecycle find-momentum CONFIG' again to be sure."
    ]


def test_the_suggestion_that_is_searched_again_is_not_judged(small, tmp_path, listener):
    then = conditions_of(load_config(small(batch_size=32)), "abc")
    now = conditions_of(load_config(small()), "abc")
    suggest(tmp_path, "weight_decay", 0.1, then)

    gather(load_config(small()), tmp_path, listener, conditions=now, searched="weight_decay")

    assert not any("other conditions" in text for text in listener.warnings)


@pytest.mark.parametrize("conditions", ["", "conditions:\n", "conditions: [1]\n"])
def test_a_suggestion_written_by_hand_needs_no_conditions(small, tmp_path, listener, conditions):
    folder = tmp_path / "small"
    folder.mkdir()
    entry = "max_lr:\n  value: 0.3\n" + (f"  {conditions}" if conditions else "")
    (folder / "suggestions.yaml").write_text(entry)
    config = load_config(small(train={"max_lr": "auto"}))

    for searched in ("", "momentum"):
        found = gather(
            config, tmp_path, listener, conditions=conditions_of(config), searched=searched
        )
        assert found.max_lr == 0.3
    assert found.sources["max_lr"] == "suggestion of an earlier run"


def test_damaged_suggestions_are_refused(small, tmp_path, listener):
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "suggestions.yaml").write_text("max_lr: {value: -1}\n")

    with pytest.raises(ResultError, match=r"suggestions\.yaml: .*max_lr"):
        gather(load_config(small()), tmp_path, listener, conditions={})


def test_conditions_say_how_the_images_are_augmented(small):
    by_default = conditions_of(load_config(small(dataset={"name": "cifar10"})), "abc")
    assert by_default["augment"] == {"flip": True, "crop": 4, "cutout": 0}
    assert conditions_of(load_config(small()))["augment"] is None
