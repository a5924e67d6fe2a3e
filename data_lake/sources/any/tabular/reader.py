"""A file of a table to the rows its mappings make of it."""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Iterator
from datetime import datetime

import duckdb

from data_lake.sources.any.tabular.files import Relation
from data_lake.sources.any.tabular.mapping import (
    Mapping,
    MappingError,
    folder_of,
    name_in,
    read_mapping,
)
from data_lake.sources.any.tabular.rows import rows_of
from data_lake.sources.base import Export, Problem, Rows
from data_lake.sources.reading.sidecars import stated_text, stated_time

# A file is held in DuckDB while its mappings run; what exceeds this spills into a temporary folder.
MEMORY_LIMIT = "512MB"


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield the rows each mapping makes of the file, one mapping after the other.

    A mapping that cannot be used or run is one problem, and the others go on; so is a file no mapping reads.
    """
    folder = folder_of(export.path)
    name = name_in(folder, export.path)
    mappings = []
    for path in sorted(folder.glob("*.sql")):
        try:
            mapping = read_mapping(path)
        except MappingError as error:
            yield Problem(None, str(error))
            continue
        if mapping.reads(name):
            mappings.append(mapping)
    if not mappings:
        yield Problem(None, f"no mapping reads {name}: no '-- files:' line of a .sql file in {folder.name}/ fits it")
        return
    try:
        exported_at = stated_time(export.sidecar, "exported_at")
        encoding = _encoding(export, mappings)
    except ValueError as error:
        yield Problem(None, f"{name}: {error}")
        return
    with tempfile.TemporaryDirectory(prefix="fullhouse-") as spill, duckdb.connect(":memory:") as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        con.execute("set temp_directory = ?", [spill])
        yield from _mapped(Relation(con, export.path, name, export.sidecar, encoding), mappings, exported_at)


def _mapped(relation: Relation, mappings: list[Mapping], exported_at: datetime | None) -> Iterator[Rows | Problem]:
    yield from relation.load()
    if relation.columns:
        for mapping in mappings:
            yield from rows_of(relation, mapping, exported_at)


def _encoding(export: Export, mappings: list[Mapping]) -> str | None:
    """The encoding the sidecar states, else a mapping. Raises ValueError for a name Python does not know."""
    stated = [stated_text(export.sidecar, "encoding"), *(m.encoding for m in mappings)]
    encoding = next((e for e in stated if e), None)
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ValueError(f"the encoding '{encoding}' is unknown; write utf-8, utf-16, latin-1, cp949") from None
    return encoding
