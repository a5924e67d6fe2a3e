"""What is published, in a notebook, as polars frames.

    import fullhouse

    fullhouse.tables()                                     # what there is, with rows and meaning
    fullhouse.describe("fct_streams")                      # its columns: type and meaning
    fullhouse.read("fct_streams", columns=["title", "average_viewers"])
    fullhouse.scan("fct_chat_messages").filter(pl.col("event_date") >= date(2026, 10, 1)).collect()

Every call reads the version that is current at that moment of the lake that LAKE_ROOT names. polars keeps no comments
on columns: `describe` has them, as the DuckDB file does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from data_lake.layout import Layout
from data_lake.publish import PublishError, Version, current_version

__all__ = ["PublishError", "describe", "read", "scan", "tables"]


def tables() -> pl.DataFrame:
    """One row per published table: table, row_count, description. Raises PublishError when nothing is published."""
    _, version = _current()
    names = sorted(version.rows)
    rows = [(name, version.rows[name], version.descriptions.get(name)) for name in names]
    schema = {"table": pl.String, "row_count": pl.Int64, "description": pl.String}
    return pl.DataFrame(rows, schema, orient="row")


def describe(table: str) -> pl.DataFrame:
    """One row per column of a table: column, type, description (with unit and additivity). Raises as `read` does."""
    schema = scan(table).collect_schema()
    _, version = _current()
    meanings = version.columns.get(table, {})
    rows = [(name, str(kind), meanings.get(name)) for name, kind in schema.items()]
    return pl.DataFrame(rows, schema={"column": pl.String, "type": pl.String, "description": pl.String}, orient="row")


def read(table: str, columns: Sequence[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
    """The rows of a published table; only the columns and rows that are asked for are read from its files.

    Raises PublishError when nothing is published, KeyError for a table that is not, polars' ColumnNotFoundError for a
    column it does not have.
    """
    rows = scan(table)
    if where is not None:
        rows = rows.filter(where)
    return (rows if columns is None else rows.select(columns)).collect()


def scan(table: str) -> pl.LazyFrame:
    """A published table as a lazy frame; filters on event_date open the files of those days only. Raises as `read`."""
    folder, version = _current()
    if table not in version.rows:
        raise KeyError(f"no table {table!r} is published; there are {', '.join(sorted(version.rows))}")
    if table in version.by_day:
        files = folder / table / "*" / "*.parquet"
        return pl.scan_parquet(files, hive_partitioning=True, hive_schema={"event_date": pl.Date})
    return pl.scan_parquet(folder / f"{table}.parquet")


def _current() -> tuple[Path, Version]:
    layout = Layout.from_env()
    version = current_version(layout)
    if version is None:
        raise PublishError(f"nothing is published in {layout.root} (LAKE_ROOT): 'fullhouse run' publishes")
    # The version's own folder: a publish meanwhile does not change what a lazy frame reads.
    return layout.published_version(version.number), version
