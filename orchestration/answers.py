"""What `fullhouse sql` prints: rows as a box that fits the terminal or one value a line, as CSV, or as JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import duckdb

# Of longer answers a part is shown, and it is said.
ROWS_SHOWN = 1_000
# DuckDB's box leaves out columns that do not fit, and says so at its end.
COLUMNS_LEFT_OUT = re.compile(r" columns \(\d+ shown\)\s*$")


def show_answer(connection: duckdb.DuckDBPyConnection, query: str, width: int, out: TextIO) -> None:
    """Rows as DuckDB's box of this width; one value a line where whole columns would not fit.

    Floats are rounded to two decimals, small ones to four digits. Prints nothing for a statement that has no rows.
    """
    answer = connection.sql(query)
    if answer is None:
        return
    answer = _rounded(answer)
    box = _box(answer, width)
    if COLUMNS_LEFT_OUT.search(box):
        _write_by_line(answer, width, out)
    else:
        out.write(box.rstrip() + "\n")


def _write_by_line(answer: duckdb.DuckDBPyRelation, width: int, out: TextIO) -> None:
    names = answer.columns
    indent = max(map(len, names))
    rows = answer.fetchmany(ROWS_SHOWN)
    for number, row in enumerate(rows, start=1):
        out.write(f"── row {number} ".ljust(min(width, indent + 30), "─") + "\n")
        for name, value in zip(names, row, strict=True):
            out.write(f"{name:>{indent}}  {'NULL' if value is None else value}\n")
    if answer.fetchone():
        out.write(f"These are the first {len(rows):,} rows; --format csv writes all of them.\n")


def _box(answer: duckdb.DuckDBPyRelation, width: int) -> str:
    drawn = io.StringIO()
    with redirect_stdout(drawn):
        answer.show(max_width=width, max_rows=ROWS_SHOWN)
    return drawn.getvalue()


def _rounded(answer: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The same columns by their places, as names may repeat; integers and decimals are exact and stay."""
    columns = []
    for place, (name, kind) in enumerate(zip(answer.columns, answer.types, strict=True), start=1):
        value = f"#{place}"
        if str(kind) in {"DOUBLE", "FLOAT"}:
            # Four digits, and two decimals where that is more: 0.01235, 1.235, 1234.57.
            decimals = f"greatest(2, 3 - floor(log10(abs({value}))))::int"
            value = f"case when {value} = 0 or not isfinite({value}) then {value} else round({value}, {decimals}) end"
        quoted = name.replace('"', '""')
        columns.append(f'{value} as "{quoted}"')
    return answer.project(", ".join(columns))


def write_answer(connection: duckdb.DuckDBPyConnection, query: str, format_: str, out: TextIO) -> None:
    """Every row with its values as they are: CSV with a header, or a JSON list of objects."""
    result = connection.execute(query)
    columns = [column[0] for column in result.description or []]
    rows: list[tuple[Any, ...]] = result.fetchall()
    if format_ == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if value is None else value for value in row] for row in rows)
    else:
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        json.dump(records, out, default=str, ensure_ascii=False, indent=1)
        out.write("\n")
