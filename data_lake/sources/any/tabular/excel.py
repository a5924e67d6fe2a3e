"""Rows of an Excel sheet as text, through openpyxl (the extra 'excel')."""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa

from data_lake.sources.base import Problem
from data_lake.sources.reading.records import column_names, table_of_records

BATCH_ROWS = 20_000
# What openpyxl lets through from the parts it is made of when a book is damaged.
_DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, ParseError, ArithmeticError, AttributeError, EOFError, LookupError,
           NotImplementedError, OSError, TypeError, ValueError)  # fmt: skip

_Cells = tuple[int, list[str]]


def read_sheet(path: Path, sheet: str | None = None) -> Iterator[pa.Table | Problem]:
    """Tables of text columns named after the first filled row, with `_row` (the row of the sheet), and problems.

    `sheet` is a sheet's name, by default the first. Times are written as ISO 8601, whole numbers without a point; a
    formula is its stored value. Everything before damage is kept.
    """
    header: list[str] = []
    rows: list[int] = []
    records: list[list[str]] = []
    for part in _cells(path, sheet):
        if isinstance(part, Problem):
            yield part
            continue
        number, cells = part
        if not header:
            header = column_names(cells)
        elif len(cells) > len(header):
            yield Problem(number, f"the row has {len(cells)} cells and the header {len(header)}", "\t".join(cells))
        else:
            rows.append(number)
            records.append(cells + [""] * (len(header) - len(cells)))
        if len(rows) >= BATCH_ROWS:
            yield table_of_records(header, rows, records)
            rows, records = [], []
    if rows:
        yield table_of_records(header, rows, records)


def _cells(path: Path, sheet: str | None) -> Iterator[_Cells | Problem]:
    """(row number, its cells as text up to the last filled one) of each row that is not empty."""
    try:
        openpyxl = importlib.import_module("openpyxl")
    except ImportError:
        yield Problem(None, "reading Excel files needs openpyxl: pip install openpyxl, or save the sheet as CSV")
        return
    done = 0
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        if sheet is not None and sheet not in book.sheetnames:
            yield Problem(None, f"there is no sheet '{sheet}'; the file has: {', '.join(book.sheetnames)}")
            return
        chosen = book[sheet] if sheet is not None else book.worksheets[0]
        for number, values in enumerate(chosen.iter_rows(values_only=True), 1):
            cells = [_text(value) for value in values]
            while cells and not cells[-1]:
                cells.pop()
            done = number
            if cells:
                yield number, cells
    except _DAMAGE as error:
        yield Problem(done or None, f"the Excel file is damaged after row {done} ({type(error).__name__}: {error})")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return str(value)
