"""A Streampai table to rows of the entities it fills."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from data_lake.sources.base import Export, Problem, Rows
from data_lake.sources.live.streampai.containers import columns_of, read_tables
from data_lake.sources.live.streampai.private import redacted, without_private
from data_lake.sources.live.streampai.tables import Table, select_of, table_of
from data_lake.sources.reading.blocks import read_head
from data_lake.sources.reading.emotes import with_names
from data_lake.sources.reading.repair import chunked, session


def read(export: Export) -> Iterator[Rows | Problem]:
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


def _rows(con: duckdb.DuckDBPyConnection, table: Table, batch: pa.Table) -> Iterator[Rows | Problem]:
    for entity, query in select_of(table, batch.column_names):
        rows = con.execute(query).to_arrow_table()
        if "emotes" in rows.column_names:
            rows, unnamed = with_names(rows)
            yield from unnamed
        if len(rows):
            yield Rows(entity, without_private(rows))
