"""What a saved run says when it is read anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onecycle_cli import suggest
from onecycle_cli.kinds import KINDS
from onecycle_cli.runs.records import Record
from onecycle_cli.runs.stores.urls import address
from onecycle_cli.suggest import BANDWIDTH, LRFindings, Scores, Suggestion


@dataclass(frozen=True)
class SuggestedAgain:
    """What a saved run says when it is read anew.

    Attributes:
        folder: the run's folder.
        record: what it holds.
        suggestion: the suggestion; the saved one where it can't be computed again.
        rule: by which rule: a name of `suggest.RULES`, or that of a function; `None`: as the finder
            does.
        rule_file: a digest of the file that the rule is in, if it was given by path.
        bandwidth: the smoothing kernel's width in ln lr; of several, the largest.
        skip_begin: points at the beginning of each curve that were left out.
        skip_end: points at its end that were left out.
        findings: landmarks and every rule's answer, of a range test.
        rounds: the judged losses of each value of a comparison, and of those that ran again; `None`
            where the files don't tell them.
        not_recomputed: why the suggestion is the saved one, in a sentence; empty if it is new.
    """

    folder: Path
    record: Record
    suggestion: Suggestion
    rule: str | None = None
    rule_file: str | None = None
    bandwidth: float = BANDWIDTH
    skip_begin: int = 0
    skip_end: int = 0
    findings: LRFindings | None = None
    rounds: list[Scores] | None = None
    not_recomputed: str = ""

    @property
    def key(self) -> str:
        """What is suggested: `max_lr`, `momentum` or `weight_decay`."""
        return str(KINDS[self.record.kind].finds)

    @property
    def saved(self) -> Suggestion | None:
        """The suggestion in `result.json`, if there is one."""
        return saved_suggestion(self.record)

    @property
    def min_lr(self) -> float | None:
        """A tenth of a suggested `max_lr`, where the 1cycle starts."""
        value = self.suggestion.value
        return suggest.base_lr(value) if self.key == "max_lr" and isinstance(value, float) else None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        data = {
            "run": self.record.label,
            "folder": address(self.folder),
            "kind": self.record.kind,
            "recomputed": not self.not_recomputed,
            "suggestion": self.suggestion.as_dict(),
            "saved": self.saved.as_dict() if self.saved else None,
        }
        if self.not_recomputed:
            data["why_not"] = self.not_recomputed
        if self.findings is not None:
            data |= {
                "min_lr": self.min_lr,
                "rule": self.rule,
                "smoothing": self.bandwidth,
                "skip_begin": self.skip_begin,
                "skip_end": self.skip_end,
                "rules": self.findings.rules,
                "landmarks": [asdict(marks) for marks in self.findings.landmarks],
            }
        if self.rule_file is not None:
            data["rule_file"] = self.rule_file
        return data


def saved_suggestion(record: Record) -> Suggestion | None:
    """Return the suggestion in `result.json`, if there is one."""
    entry = record.result.get("suggestion")
    if not entry:
        return None
    interval: Sequence[float] | None = entry.get("interval")
    return Suggestion(
        value=entry.get("value"),
        interval=(interval[0], interval[1]) if interval else None,
        verdict=str(entry.get("verdict", "")),
        reason=str(entry.get("reason", "")),
    )
