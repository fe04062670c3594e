"""What every benchmark says of itself: figures with their spread, machine, versions and date."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onecycle_cli.engine.start import versions

VECTORS = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "asimd", "sve")


def spread(values: Sequence[float], digits: int = 4) -> dict[str, float]:
    """Median, lowest and highest of repeated measurements, to so many significant digits."""
    found = {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}
    return {name: float(f"{value:.{digits}g}") for name, value in found.items()}


def write(script: str, what: str, results: dict[str, Any], target: str | None = None) -> None:
    """Write the results beside the script, or to `target`, and print them."""
    record = {
        "what": what,
        "machine": {
            "platform": platform.platform(),
            "cpu": cpu(),
            "cpus": os.cpu_count(),
            "instructions": instructions(),
        },
        "versions": versions(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "results": results,
    }
    path = Path(target) if target else Path(script).with_suffix(".json")
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(results, indent=2))


def in_markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text, and the others figures."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def insert(document: Path, name: str, text: str) -> None:
    """Replace what stands between the comments `name` and `end of name` in a document."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = document.read_text().partition(begin)
    _, _, after = rest.partition(end)
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def cpu() -> str:
    """The processor's name, where the system tells it."""
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def instructions() -> str:
    """What it can do to several numbers at once, where the system tells it."""
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    known = set(flags[1].split()) if flags else set()
    return " ".join(name for name in VECTORS if name in known)


def _read(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else ""
