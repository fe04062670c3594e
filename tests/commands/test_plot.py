import numpy as np
import pytest

from onecycle_cli.commands.plot import name_of
from onecycle_cli.runs.records import Record

pytestmark = pytest.mark.pictures


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG\r\n") and path.stat().st_size > 5000


@pytest.mark.samples(1)
@pytest.mark.parametrize("kind", ["find-lr", "find-wd", "find-momentum", "train"])
def test_a_run_is_redrawn_beside_what_is_there(invoke, chain, own_folders, kind):
    run = chain[0] / "runs/digits" / kind / "001"
    before = {p: p.stat().st_mtime_ns for p in run.iterdir()}

    printed = [invoke("plot", run).stdout for _ in range(3)]

    name = f"digits-{kind}-001"
    assert printed == [f"{name}.png\n", f"{name}-copy-2.png\n", f"{name}-copy-3.png\n"]
    assert sorted(p.name for p in own_folders.iterdir()) == sorted(map(str.strip, printed))
    assert all(is_png(p) for p in own_folders.iterdir())
    assert {p: p.stat().st_mtime_ns for p in run.iterdir()} == before


def test_a_folder_above_means_its_newest_run(invoke, chain, own_folders):
    outcome = invoke("plot", chain[0] / "runs", "--out", "pictures/new")
    assert outcome.stdout == "pictures/new/digits-train-001.png\n"
    train = chain[0] / "runs/digits/train/001"
    drawn = own_folders / "pictures/new/digits-train-001.png"
    assert drawn.read_bytes() == (train / "plot.png").read_bytes()
    assert f"the newest run of {chain[0] / 'runs'} is {train}" in outcome.stderr
    assert invoke("plot", train).stderr == ""


def test_several_runs_go_into_one_picture(invoke, chain, own_folders, config, small):
    assert invoke("find-lr", config, *small, "--seed", "3").exit_code == 0

    outcome = invoke("plot", chain[0] / "runs/digits/find-lr", "runs/digits/find-lr/001")

    assert outcome.stdout == "digits-find-lr-001-and-1-more.png\n"
    assert is_png(own_folders / "digits-find-lr-001-and-1-more.png")


def test_a_folder_of_the_seed(invoke, own_folders):
    seed = own_folders / "weights"
    seed.mkdir()
    losses = 1 + (np.linspace(-5, 1, 60) + 1.5) ** 2
    np.save(seed / "lrs.npy", np.linspace(-5, 1, 60))
    np.save(seed / "losses.npy", losses)

    outcome = invoke("plot", "weights")

    assert (outcome.exit_code, outcome.stdout) == (0, "weights-find-lr.png\n")
    assert is_png(own_folders / "weights-find-lr.png")


def test_a_dangling_link_is_not_written_through(invoke, chain, own_folders):
    (own_folders / "digits-find-lr-001.png").symlink_to(own_folders / "elsewhere")
    printed = invoke("plot", chain[0] / "runs/digits/find-lr").stdout
    assert printed == "digits-find-lr-001-copy-2.png\n"
    assert not (own_folders / "elsewhere").exists()


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_as_svg_light_or_dark(invoke, chain, own_folders, dark):
    run = chain[0] / "runs/digits/find-lr/001"
    outcome = invoke("plot", run, "--format", "svg", *(["--dark"] if dark else []))
    name = f"digits-find-lr-001{'-dark' if dark else ''}.svg"
    assert (outcome.exit_code, outcome.stdout) == (0, f"{name}\n")
    content = (own_folders / name).read_text()
    assert ("#15181e" in content, "#ffffff" in content) == (dark, not dark)


def test_an_unknown_format(invoke, chain):
    outcome = invoke("plot", chain[0] / "runs/digits/find-lr/001", "--format", "gif")
    assert outcome.exit_code == 2
    assert "'gif' is not one of 'png', 'svg'" in " ".join(outcome.stderr.split())


@pytest.mark.parametrize(
    ("label", "kind", "name"),
    [
        ("digits/find-lr/001", "find-lr", "digits-find-lr-001"),
        ("weights", "find-lr", "weights-find-lr"),
        ("../a b/c\nd", "train", "a-b-c-d-train"),
        ("数据/train/002", "train", "数据-train-002"),
        ("x" * 400 + "/train/001", "train", "x" * 60 + "-" + "x" * 50 + "-train-001"),
    ],
)
def test_a_picture_is_called_by_experiment_kind_and_run(label, kind, name):
    assert name_of(Record(kind, label)) == name


# --- previews -----------------------------------------------------------------------------------


def test_a_preview_of_a_given_rate(invoke, config, rows, own_folders):
    outcome = invoke(
        "plot", config, "--set", "train={max_lr: 0.4, shape: linear, cycles: [{epochs: 1}]}"
    )

    assert outcome.exit_code == 0, outcome.output
    assert rows(outcome.stdout) == {
        "steps": "23 = 1 epoch of 23",
        "first lr": "0.04",
        "highest lr": "0.4 at step 5",
        "last lr": "0.0226",
        "max_lr": "0.4 (--set)",
        "momentum": "0.95 to 0.85 (default)",
    }
    assert outcome.stdout.endswith("\ndigits-schedule.png\n")
    assert outcome.stderr == ""
    assert is_png(own_folders / "digits-schedule.png")


def test_a_preview_of_another_shape(invoke, config, rows):
    options = "{pct_start: 0.5, div_factor: 10, final_div_factor: 4, anneal: linear}"
    outcome = invoke(
        *("plot", config, "--set", "train.max_lr=0.4", "--set", "train.cycles=[{epochs: 4}]"),
        *("--set", "train.shape=pytorch", "--set", f"train.shape_options={options}"),
    )
    assert outcome.exit_code == 0, outcome.output
    shown = rows(outcome.stdout)
    assert (shown["first lr"], shown["last lr"]) == ("0.04", "0.01")
    assert shown["highest lr"] == "0.4 at step 45"  # 92 / 2 - 1


def test_a_preview_of_a_shape_of_ones_own(invoke, config, rows, own_folders):
    """Its path counts from the config's folder; of 3 x 23 steps, the 35th is half-way."""
    source = "def spike(progress):\n    return 1 - abs(2 * progress - 1)\n"
    (own_folders / "mine.py").write_text(source)
    text = (own_folders / config).read_text().replace("[{epochs: 20}]", "[{epochs: 3}]")
    text = text.replace("  # shape: smith ", "  shape: mine.py:spike  # ")
    (own_folders / config).write_text(text)
    outcome = invoke("plot", config, "--set", "train.max_lr=0.4")
    assert outcome.exit_code == 0, outcome.output
    shown = rows(outcome.stdout)
    assert (shown["first lr"], shown["last lr"]) == ("0", "0")
    assert shown["highest lr"] == "0.4 at step 34"

    (own_folders / "mine.py").write_text(source.replace("abs", "3 * abs"))
    outcome = invoke("plot", config, "--set", "train.max_lr=0.4")
    assert outcome.exit_code == 1
    assert "shape mine.py:spike must give a share of max_lr in [0, 1] " in outcome.stderr

    outcome = invoke("plot", config, "--set", "train.shape=mine.py:spkie")
    assert outcome.exit_code == 2
    said = " ".join(outcome.stderr.split())
    assert "--set train.shape=mine.py:spkie: train.shape: " in said
    assert said.endswith("has no function 'spkie'; did you mean 'spike'?")


CYCLES = "train.cycles=[{epochs: 3}, {epochs: 2, max_lr: 0.005}]"


def test_a_preview_of_cycles(invoke, config, rows):
    outcome = invoke("plot", config, "--set", CYCLES, "--set", "train.max_lr=0.4")

    shown = rows(outcome.stdout)
    assert shown["steps"] == "115 = 5 epochs of 23"
    assert shown["max_lr, cycle 1"] == "0.4 (--set)"
    assert shown["max_lr, cycle 2"] == "0.005 (train.cycles.1.max_lr, --set)"
    assert shown["highest lr"] == "0.4 at step 31"


def test_shares_of_an_unknown_rate_are_not_mixed_with_known_ones(invoke, config, rows):
    outcome = invoke("plot", config, "--set", CYCLES)

    shown = rows(outcome.stdout)
    assert outcome.exit_code == 0
    assert shown["highest lr"] == "1 x max_lr at step 31"
    assert shown["max_lr"] == "not known yet; 'onecycle find-lr CONFIG' finds it"


def test_cycles_that_all_know_their_rate_need_no_other(invoke, config, rows):
    outcome = invoke("plot", config, "--set", "train.cycles=[{epochs: 2, max_lr: 0.3}]")
    assert rows(outcome.stdout)["max_lr"] == "0.3 (train.cycles.0.max_lr, --set)"


def test_a_preview_looks_for_suggestions_where_it_is_told(invoke, config, chain, rows):
    outcome = invoke("plot", config, "--runs", chain[0] / "runs")
    shown = rows(outcome.stdout)
    assert shown["max_lr"].endswith("(suggestion of digits/find-lr/001)")
    assert shown["momentum"].endswith("(suggestion of digits/find-momentum/001)")


def test_data_that_are_not_there_need_not_be_fetched_for_a_preview(invoke, own_folders, rows):
    invoke("init", "cifar10")
    outcome = invoke("plot", "cifar10.yaml")
    assert rows(outcome.stdout)["steps"] == "7040 = 20 epochs of 352"


def test_a_confusion_matrix_is_redrawn(invoke, chain, own_folders):
    run = chain[0] / "runs/digits/train/001"
    outcome = invoke("plot", run, "--confusion")
    assert (outcome.exit_code, outcome.stdout) == (0, "digits-train-001-confusion.png\n")
    redrawn = (own_folders / "digits-train-001-confusion.png").read_bytes()
    assert redrawn == (run / "confusion.png").read_bytes()


def test_what_has_no_confusion_matrix(invoke, chain):
    runs = chain[0] / "runs/digits"
    outcome = invoke("plot", runs / "find-lr", "--confusion")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert "has no confusion matrix" in outcome.stderr
    outcome = invoke("plot", runs / "train", runs / "train", "--confusion")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert "--confusion takes the folder of one training at a time" in outcome.stderr


def test_a_preview_of_more_steps_than_fit_a_picture(invoke, config, own_folders):
    outcome = invoke("plot", config, "--set", "train.cycles=[{epochs: 2147483647}]")
    assert outcome.exit_code == 2
    assert outcome.stderr.endswith(
        "2,147,483,647 epochs of 23 steps are too many to draw; a preview takes at most "
        "5,000,000 steps.\n"
    )
