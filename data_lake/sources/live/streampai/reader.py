"""Streampai's tables (a multi-platform streaming back end) as CSV, JSONL, a JSON array or Parquet: one table per file.

A table is known by its columns, whatever the file is called. How a file becomes columns of text is in
`streampai_reading`, which tables there are in `streampai_tables`.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from data_lake.sources.base import Export, Head, Problem, Rows, Source
from data_lake.sources.live.streampai.containers import columns_of, read_tables
from data_lake.sources.live.streampai.private import redacted, without_private
from data_lake.sources.live.streampai.tables import TABLES, Table, select_of, table_of
from data_lake.sources.reading.blocks import read_head
from data_lake.sources.reading.repair import chunked, session


def recognise(head: Head) -> str | None:
    """What the file is, if its columns are those of a Streampai table."""
    shape = columns_of(head)
    table = table_of(shape.columns) if shape else None
    return f"Streampai table {table.name} ({shape.kind})" if shape and table else None


def parse(export: Export) -> Iterator[Rows | Problem]:
    """Rows of the entities the table fills; every value is read as text and cast, so a bad one costs its row only."""
    shape = columns_of(read_head(export.path))
    table = table_of(shape.columns) if shape else None
    if shape is None or table is None:
        yield Problem(None, f"{export.name} has not the columns of a Streampai table")
        return
    missing = [name for name in table.required if name not in shape.columns]
    if missing:
        listed = ", ".join(sorted(shape.columns))
        yield Problem(None, f"the table {table.name} lacks the column {' and '.join(missing)}; it has: {listed}")
        return
    with session() as con:
        for part in read_tables(con, export.path, shape):
            if isinstance(part, Problem):
                is_open = len(shape.kept) == len(shape.columns)
                yield Problem(part.row, part.reason, redacted(part.text) if is_open else "")
                continue
            con.register("batch", chunked(part))
            yield from _rows(con, table, part)


def _rows(con: duckdb.DuckDBPyConnection, table: Table, batch: pa.Table) -> Iterator[Rows]:
    for entity, query in select_of(table, batch.column_names):
        found = con.execute(query).to_arrow_table()
        if len(found):
            yield Rows(entity, without_private(found))


SOURCE = Source(
    name="streampai",
    version=1,
    entities=tuple(sorted({entity for table in TABLES for entity in table.entities})),
    looks_for="a Streampai table as CSV, JSONL, JSON or Parquet, by its columns: " + ", ".join(t.name for t in TABLES),
    recognise=recognise,
    parse=parse,
)
