"""Streampai's tables (a multi-platform streaming back end) as CSV, JSONL, a JSON array or Parquet: one table per file.

A table is known by its columns, whatever the file is called. How a file becomes columns of text is in `containers`,
which tables there are in `tables`.
"""

from __future__ import annotations

from data_lake.sources.base import Evidence, Head, Source, reader_of
from data_lake.sources.live.streampai.tables import TABLES, table_of


def recognise(head: Head) -> str | None:
    """What the file is, if its columns are those of a Streampai table."""
    from data_lake.sources.live.streampai.containers import columns_of  # loads what reads Parquet

    shape = columns_of(head)
    table = table_of(shape.columns) if shape else None
    return f"Streampai table {table.name} ({shape.kind})" if shape and table else None


SOURCE = Source(
    name="streampai",
    world="live",
    version=2,
    entities=tuple(sorted({entity for table in TABLES for entity in table.entities})),
    evidence=Evidence.SHAPE,
    trust=60,
    looks_for="a Streampai table as CSV, JSONL, JSON or Parquet, by its columns: " + ", ".join(t.name for t in TABLES),
    recognise=recognise,
    parse=reader_of(__name__),
)
