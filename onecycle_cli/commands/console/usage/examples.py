"""The examples that help shows, by command; each fits into a window of 80 letters."""

from __future__ import annotations

from collections.abc import Sequence

EXAMPLES: dict[str, Sequence[str]] = {
    "onecycle": (
        "onecycle init digits",
        "onecycle find-lr digits.yaml",
        "onecycle train digits.yaml",
        "onecycle evaluate runs/digits",
    ),
    "find-lr": (
        "onecycle find-lr digits.yaml",
        "onecycle find-lr digits.yaml --set batch_size=32 --seed 1",
        "onecycle find-lr digits.yaml --method sweep",
        "onecycle find-lr --resume runs/digits",
    ),
    "find-wd": (
        "onecycle find-wd digits.yaml",
        'onecycle find-wd digits.yaml --set "find_wd.values=[0, 1e-4, 1e-3]"',
        "onecycle find-wd --resume runs/digits",
    ),
    "find-momentum": (
        "onecycle find-momentum digits.yaml",
        "onecycle find-momentum digits.yaml --set find_momentum.repeats=2",
        "onecycle find-momentum --resume runs/digits",
    ),
    "train": (
        "onecycle train digits.yaml",
        "onecycle train digits.yaml --set train.max_lr=0.1",
        'onecycle train digits.yaml --set "train.cycles=[{epochs: 5}]"',
        "onecycle train --resume runs/digits",
    ),
    "run": (
        "onecycle run digits.yaml --dry-run",
        "onecycle run digits.yaml",
        "onecycle run digits.yaml --skip find-momentum --out trials",
        "onecycle run --resume runs/digits",
    ),
    "evaluate": (
        "onecycle evaluate runs/digits",
        "onecycle evaluate runs/digits/train/001 --best --part validation",
        "onecycle evaluate runs/digits --json",
    ),
    "ls": (
        "onecycle ls",
        "onecycle ls runs/digits --json",
    ),
    "show": (
        "onecycle show",
        "onecycle show runs/digits/find-lr/001",
    ),
    "report": (
        "onecycle report runs/digits/find-lr/001",
        "onecycle report runs/digits/train/001 runs/digits/train/002",
    ),
    "export": (
        "onecycle export runs/digits",
        "onecycle export runs/digits/train/001 --to pytorch --out train.py",
    ),
    "suggest": (
        "onecycle suggest runs/digits/find-lr/001",
        "onecycle suggest runs/digits --rule valley --smooth 0.2",
    ),
    "plot": (
        "onecycle plot digits.yaml",
        "onecycle plot runs/digits/train/001 runs/digits/train/002",
        "onecycle plot runs/digits/train/001 --confusion",
    ),
    "check": (
        "onecycle check digits.yaml",
        "onecycle check digits.yaml --set batch_size=32",
    ),
    "doctor": (
        "onecycle doctor",
        "onecycle doctor --fast",
    ),
    "schema": (
        "onecycle schema",
        "onecycle schema --out onecycle.schema.json",
    ),
    "init": (
        "onecycle init",
        "onecycle init cifar10 --out configs",
    ),
    "list": (
        "onecycle list models",
        "onecycle list datasets",
    ),
}


def in_markdown(examples: Sequence[str]) -> str:
    """Return examples as a list in Markdown."""
    return "\n\n".join(["Examples:", *(f"- `{example}`" for example in examples)])
