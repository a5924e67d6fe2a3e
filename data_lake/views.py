"""A published version as DuckDB reads it: a view per table, and as comments what tables and columns mean.

analytics.duckdb holds these views, with absolute paths, for every client. What we run ourselves opens no file that a
client may hold open or have changed: it makes the views in a connection of its own, wherever the lake lies now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from data_lake.layout import DATABASE, MANIFEST, Layout
from data_lake.sql import literal


def open_version(layout: Layout, folder: Path, *, with_comments: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection in UTC with the views of one version's folder; nothing done in it changes what is published.

    `with_comments` takes half a second more.
    """
    connection = duckdb.connect()
    catalog = Path(DATABASE).stem
    connection.execute(f"set TimeZone = 'UTC'; attach ':memory:' as {catalog}; use {catalog}")
    connection.execute(f"set temp_directory = {literal(str(layout.root / '.duckdb-spill'))}")
    create_views(connection, folder)
    if with_comments:
        manifest = _manifest(folder)
        comment(connection, manifest["descriptions"], manifest["columns"])
    return connection


def create_views(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """A view per table of a version: its Parquet file, or its folder with one per day."""
    views = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".parquet":
            views.append((path.stem, f"read_parquet({literal(str(path))})"))
        elif path.is_dir() and any(path.glob("event_date=*")):
            days = literal(str(path / "*" / "*.parquet"))
            views.append((path.name, f"read_parquet({days}, hive_partitioning = false)"))
    _at_once(connection, (f'create view "{name}" as from {rows}' for name, rows in views))


def comment(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str], columns: Mapping[str, Mapping[str, str]]
) -> None:
    """Say of each table, and of its columns, what it means."""
    statements = []
    for table, description in tables.items():
        statements.append(f'comment on view "{table}" is {literal(description)}')
        for column, meaning in columns[table].items():
            statements.append(f'comment on column "{table}"."{column}" is {literal(meaning)}')
    _at_once(connection, statements)


def moved_from(layout: Layout, folder: Path) -> str | None:
    """The lake that the views in a version's analytics.duckdb still point into, when it is not this one."""
    root: str = _manifest(folder).get("root", "")
    return root if root and root != str(layout.root) else None


def _manifest(folder: Path) -> dict[str, Any]:
    # Not `read_json`: what types and words it takes longer to load than a query to answer.
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return content


def _at_once(connection: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    """In one transaction: each statement of its own would be written and synced by itself."""
    connection.execute(";\n".join(["begin", *statements, "commit"]))
