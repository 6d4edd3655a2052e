"""``results.csv`` and ``results.parquet``: one row per unit, for spreadsheets, pandas and databases.

Columns: unit, scenario, title, rig, seed, unit_seed, verdict, reason, end, frames, then one column per metric, then
``p.NAME`` for each parameter. A metric that does not exist for a unit is an empty field (null), never 0. In the
Parquet file a column of numbers is double, else text; both files hold the same bytes for the same results.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridge.results import Result

CSV_NAME, PARQUET_NAME = "results.csv", "results.parquet"
LEADING = ("unit", "scenario", "title", "rig", "seed", "unit_seed", "verdict", "reason", "end", "frames")
INTEGERS = ("seed", "unit_seed", "frames")
PARAMETER = "p."


def rows(results: Sequence[Result]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the columns, and one row per result; parameters that are numbers become numbers."""
    metrics = sorted({name for result in results for name in result.metrics})
    parameters = sorted({name for result in results for name in result.unit.parameters})
    numeric = {name for name in parameters if all(_is_number(r.unit.parameters.get(name, "0")) for r in results)}
    table = []
    for result in results:
        unit = result.unit
        row: dict[str, Any] = {
            "unit": unit.name,
            "scenario": unit.label or unit.name,
            "title": unit.title,
            "rig": unit.rig,
            "seed": unit.base_seed,
            "unit_seed": unit.seed,
            "verdict": result.verdict,
            "reason": "; ".join(result.reasons),
            "end": result.end,
            "frames": result.frames,
        }
        row |= {name: result.metrics.get(name) for name in metrics}
        for name in parameters:
            text = unit.parameters.get(name)
            row[PARAMETER + name] = float(text) if text is not None and name in numeric else text
        table.append(row)
    return [*LEADING, *metrics, *(PARAMETER + name for name in parameters)], table


def write(folder: Path, results: Sequence[Result]) -> None:
    """Write both files; each is complete when it has its name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns, table = rows(results)
    partial = folder / f".{CSV_NAME}.partial"
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in table:
            writer.writerow(["" if row[name] is None else row[name] for name in columns])
    partial.replace(folder / CSV_NAME)
    arrays = {}
    for name in columns:
        values = [row[name] for row in table]
        if name in INTEGERS:
            arrays[name] = pa.array(values, pa.int64())
        elif any(isinstance(value, str) for value in values):
            arrays[name] = pa.array([None if v is None else str(v) for v in values], pa.string())
        else:
            arrays[name] = pa.array([None if v is None else float(v) for v in values], pa.float64())
    partial = folder / f".{PARQUET_NAME}.partial"
    pq.write_table(pa.table(arrays), partial)
    partial.replace(folder / PARQUET_NAME)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "-inf", "infinity", "-infinity")
