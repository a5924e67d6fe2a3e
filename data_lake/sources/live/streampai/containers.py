"""A table in any of its containers (CSV, JSONL, JSON array, Parquet) to batches whose columns are all text.

A batch has `_row`, `_problem` and one string column per column of the file, except the private ones.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_lake.sources.base import PROBLEM, ROW, TEXT, Head, Problem
from data_lake.sources.live.streampai.private import is_private
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.heads import delimiter_of
from data_lake.sources.reading.records import read_records
from data_lake.sources.reading.repair import chunked, prove_lines
from data_lake.sources.reading.splitting import decoded, is_utf8, split_lines
from data_lake.sources.reading.sql import literal

PARQUET = b"PAR1"
_COLUMNS = 200  # a file with more columns is no such table
_SAMPLED = 50  # rows of JSON whose keys are looked at
_BATCH_ROWS = 50_000


@dataclass(frozen=True)
class Shape:
    """The container of a table, and its columns under their normal names (lower case): normal name to written name."""

    kind: str
    columns: dict[str, str]

    @property
    def kept(self) -> dict[str, str]:
        """The columns that may be read."""
        return {name: written for name, written in self.columns.items() if not is_private(name)}


def columns_of(head: Head) -> Shape | None:
    """The shape of the table a file holds, if it is a table."""
    if head.raw.startswith(PARQUET):
        try:
            return Shape("Parquet", _normal(pq.read_schema(head.path).names))
        except (pa.ArrowException, OSError, ValueError):
            if b"\0" in head.raw:
                return None  # a damaged Parquet file; without a zero byte it is text whose first letters are these
    text = head.text.lstrip()
    lines = [line for line in text.split("\n")[:_SAMPLED] if line.strip()]
    is_lines = 2 * sum(line.startswith("{") for line in lines) > len(lines)
    if text.startswith("[") or is_lines:
        keys = _json_keys(text)
        return Shape("JSON" if text[0] == "[" else "JSONL", _normal(keys)) if keys else None
    header = text.split("\n", 1)[0].rstrip("\r")
    delimiter = delimiter_of(header)
    try:
        names = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return None
    return Shape("CSV", _normal(names)) if len(names) > 1 else None


def _normal(names: list[str]) -> dict[str, str]:
    """Only letters, digits and inner underscores: safe in SQL, and apart from names used there (`_row`, `_said`)."""
    columns: dict[str, str] = {}
    for written in names[:_COLUMNS]:
        name = re.sub(r"[^0-9a-z]+", "_", written.lower()).strip("_")
        if name and (name not in columns or written == name):
            columns[name] = written
    return columns


def _json_keys(text: str) -> list[str]:
    """Keys of the first objects of a JSON array or of JSON lines, those that can be read."""
    keys: dict[str, None] = {}
    decoder = json.JSONDecoder()
    at = 1 if text[0] == "[" else 0
    for _ in range(_SAMPLED):
        at = text.find("{", at)
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = text.find("\n", at) + 1
            if not end:
                break
        else:
            keys.update(dict.fromkeys(value))
        at = end
    return list(keys)


def read_tables(con: duckdb.DuckDBPyConnection, path: Path, shape: Shape) -> Iterator[pa.Table | Problem]:
    """Batches of text columns, and what cannot be read; rows of a batch that cannot be read carry a problem."""
    problems: list[Problem] = []
    if shape.kind == "Parquet":
        yield from _read_parquet(con, path, shape)
    elif shape.kind == "CSV":
        header: list[str] = []
        for part in read_records(read_utf8(path, problems), header):
            yield part if isinstance(part, Problem) else _from_records(part, shape)
    else:
        blocks = read_utf8(path, problems)
        lines = shape.kind == "JSONL"
        for table in prove_lines(con, split_lines(blocks)) if lines else split_elements(con.cursor(), blocks):
            yield _from_json(con, table, shape)
    yield from problems


def _from_records(table: pa.Table, shape: Shape) -> pa.Table:
    columns = {ROW: table[ROW], PROBLEM: pa.nulls(len(table), pa.string()), TEXT: pa.nulls(len(table), pa.string())}
    names = table.column_names
    for name, written in shape.kept.items():
        if written.strip() in names:
            columns[name] = table[written.strip()]
        elif name in names:
            columns[name] = table[name]
    return pa.table(columns)


def _from_json(con: duckdb.DuckDBPyConnection, table: pa.Table, shape: Shape) -> pa.Table:
    """The members of JSON objects; a nested value is JSON text."""
    con.register("pieces", chunked(table))
    columns = ", ".join(f'c[{literal(written)}] as "{name}"' for name, written in shape.kept.items())
    members = json.dumps(dict.fromkeys(shape.kept.values(), "VARCHAR"))
    return con.execute(
        f"""
        with parsed as (
            select {ROW}, {TEXT}, {PROBLEM},
                json_transform(case when {PROBLEM} is null then {TEXT} end, {literal(members)}) as c
            from pieces
        )
        select {ROW}, case when {PROBLEM} is not null then {TEXT} end as {TEXT},
            coalesce({PROBLEM}, case when json_type({TEXT}) <> 'OBJECT' then 'is not a row: it is no JSON object' end)
                as {PROBLEM}, {columns}
        from parsed
        """
    ).to_arrow_table()


def _read_parquet(con: duckdb.DuckDBPyConnection, path: Path, shape: Shape) -> Iterator[pa.Table | Problem]:
    """Row group by row group, so that a damaged one costs itself only."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        yield Problem(None, f"the Parquet file cannot be opened: {error}")
        return
    with file:
        row = 0
        for group in range(file.num_row_groups):
            rows_before, promised = row, file.metadata.row_group(group).num_rows
            try:
                for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=list(shape.kept.values())):
                    yield _as_text(con, pa.Table.from_batches([batch]), row, shape)
                    row += len(batch)
            except (pa.ArrowException, OSError, ValueError, duckdb.Error) as error:
                yield Problem(row + 1, f"row group {group + 1} of the Parquet file cannot be read: {error}")
            else:
                # A damaged page may end a column early, which ends the group without an error.
                if row - rows_before != promised:
                    shortfall = f"holds {row - rows_before:,} of the {promised:,} rows it should: the file is damaged"
                    yield Problem(row + 1, f"row group {group + 1} of the Parquet file {shortfall}; export it again")
            row = rows_before + promised
        if file.metadata.num_rows != row:
            counts = f"says it has {file.metadata.num_rows:,} rows and its row groups {row:,}"
            yield Problem(None, f"the Parquet file {counts}: it is damaged; export it again")


def _as_text(con: duckdb.DuckDBPyConnection, table: pa.Table, before: int, shape: Shape) -> pa.Table:
    rows = pa.array(before + 1 + np.arange(len(table)), pa.int64())
    table, reasons = _with_sound_text(table)
    con.register("pieces", chunked(table.append_column(ROW, rows).append_column(PROBLEM, reasons)))
    columns = []
    for name, written in shape.kept.items():
        kind = table.schema.field(written).type
        quoted = '"' + written.replace('"', '""') + '"'
        cast = f"to_json({quoted})::varchar" if pa.types.is_nested(kind) else f"{quoted}::varchar"
        columns.append(f'{cast} as "{name}"')
    query = f"select {ROW}, null::varchar as {TEXT}, {PROBLEM}, {', '.join(columns)} from pieces"
    return con.execute(query).to_arrow_table()


def _with_sound_text(table: pa.Table) -> tuple[pa.Table, pa.Array]:
    """The table with bytes that are not UTF-8 replaced, and a reason for each row that had some."""
    reasons: list[str | None] = [None] * len(table)
    for at, field in enumerate(table.schema):
        column = table.column(at)
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            column.validate(full=True)
            continue
        if all(is_utf8(chunk) for chunk in column.chunks):
            continue
        values: list[str | None] = []
        for row, value in enumerate(column.cast(pa.large_binary()).to_pylist()):
            text, reason = (None, None) if value is None else decoded(value)
            values.append(text)
            reasons[row] = reasons[row] or (reason and f"{field.name}: {reason}")
        table = table.set_column(at, field.name, pa.array(values, pa.string()))
    return table, pa.array(reasons, pa.string())
