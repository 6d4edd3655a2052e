"""Run the benchmarks and print one table: our figure, the limit measured in the same run, their ratio, the target.

``python -m benchmarks [NAME ...]`` runs all of them, or those whose module names contain one of the words. Nothing here
asserts: a machine's speed is not a property of the code. Rows that miss their target are marked.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import time
from pathlib import Path
from typing import TypedDict

from rich.console import Console
from rich.table import Table

import benchmarks

INFORMATION = "for information"
"""The target of a row that is held to nothing."""


class Row(TypedDict):
    """One figure. ``ratio`` is value / limit_value; ``target`` reads like ">= 0.5" or "<= 2"."""

    name: str
    value: float
    unit: str
    limit_value: float
    ratio: float
    target: str


def holds(ratio: float, target: str) -> bool:
    """Whether ``ratio`` meets a target such as ``>= 0.5`` or ``<= 2``."""
    relation, number = target.split()[:2]
    if relation not in (">=", "<="):
        raise ValueError(f"target {target!r} must start with >= or <=")
    return ratio >= float(number) if relation == ">=" else ratio <= float(number)


def main(words: list[str]) -> None:
    """Run the chosen benchmarks, print the table and keep it in ``out/bench.json``."""
    names = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name.startswith("bench_"))
    chosen = [name for name in names if not words or any(word in name for word in words)]
    console = Console()
    table = Table("figure", "ours", "limit, same run", "ratio", "target", "")
    rows: list[Row] = []
    for name in chosen:
        began = time.monotonic()
        with console.status(f"{name} ..."):
            found: list[Row] = importlib.import_module(f"benchmarks.{name}").run()
        for row in found:
            mark = "" if row["target"] == INFORMATION else "ok" if holds(row["ratio"], row["target"]) else "MISSED"
            table.add_row(
                row["name"],
                f"{row['value']:.4g} {row['unit']}",
                f"{row['limit_value']:.4g} {row['unit']}",
                f"{row['ratio']:.2f}",
                row["target"],
                mark,
            )
        rows += found
        console.log(f"{name}: {time.monotonic() - began:.0f} s")
    console.print(table)
    out = Path("out")
    out.mkdir(exist_ok=True)
    (out / "bench.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
