"""The outcomes of a data set as a table: ``episodes.csv`` for people, ``episodes.parquet`` for programs."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from learning.episodes.record import Outcome

CSV_FILE, PARQUET_FILE = "episodes.csv", "episodes.parquet"


def rows(outcomes: Sequence[Outcome]) -> tuple[list[str], list[list[Any]]]:
    """Return the columns' names and the rows: the fields of the outcome, then ``parameters.<name>``, sorted."""
    own = [field.name for field in fields(Outcome) if field.name != "parameters"]
    parameters = sorted({name for outcome in outcomes for name in outcome.parameters})
    table = []
    for outcome in outcomes:
        values = asdict(outcome)
        table.append([values[name] for name in own] + [outcome.parameters.get(name) for name in parameters])
    return own + [f"parameters.{name}" for name in parameters], table


def write(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Write both tables; an empty field is a quantity that does not exist."""
    import pyarrow
    import pyarrow.parquet

    names, table = rows(outcomes)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([["" if value is None else value for value in row] for row in table])
    partial = folder / f".{CSV_FILE}.partial"
    partial.write_text(text.getvalue(), encoding="utf-8")
    os.replace(partial, folder / CSV_FILE)

    columns = {name: [row[index] for row in table] for index, name in enumerate(names)}
    partial = folder / f".{PARQUET_FILE}.partial"
    pyarrow.parquet.write_table(pyarrow.table({name: _column(values) for name, values in columns.items()}), partial)
    os.replace(partial, folder / PARQUET_FILE)


def _column(values: Sequence[Any]) -> Any:
    """A column that has numbers is one of floats if any of them is one; anything mixed with text becomes text."""
    import pyarrow

    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if not present or (kinds <= {int, float} and float in kinds):
        return pyarrow.array([None if value is None else float(value) for value in values], pyarrow.float64())
    if len(kinds) == 1:
        return pyarrow.array(values)
    return pyarrow.array([None if value is None else str(value) for value in values])
