"""DuckDB as the lake uses it: its connections, and names, texts and paths written into SQL."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import duckdb

from data_lake.layout import Layout

# Half of the 4 GB that the marts may use at ten million messages; larger merges spill to disk.
MEMORY_LIMIT = os.environ.get("FULLHOUSE_MEMORY_LIMIT", "2GB")


def connect(layout: Layout, database: str = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in UTC that spills inside the lake."""
    connection = duckdb.connect(database, read_only=read_only)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    # As text: to take a parameter DuckDB asks whether it is one of pandas' values, and imports pandas for it.
    connection.execute(f"set temp_directory = {literal(str(layout.root / '.duckdb-spill'))}")
    return connection


def quoted(names: Iterable[str], prefix: str = "") -> str:
    """Column names as a SQL list."""
    return ", ".join(f'{prefix}"{name}"' for name in names)


def literal(text: str) -> str:
    """A string as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def file_list(paths: Iterable[Path]) -> str:
    """Paths as the list argument of read_parquet."""
    return "[" + ", ".join(literal(str(p)) for p in paths) + "]"
