"""Where the rows that a check found came from: landing files, by what the rows say of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from data_lake.contracts import Contract, load_contracts
from data_lake.layout import Layout
from data_lake.partitions import partitions
from data_lake.sql import connect
from data_lake.store import scan

# Columns that place a row beside its key.
_PLACES = ("event_date", "source", "channel_id", "stream_id", "viewer_id")
ROWS_ASKED = 3


@dataclass(frozen=True)
class Origin:
    """Rows of one landing file in raw/: how many of an entity, and between which moments (UTC)."""

    entity: str
    source: str
    landing_file: str
    row_count: int
    first: datetime
    last: datetime

    @property
    def file(self) -> str:
        return f"{self.source}/{self.landing_file}"


def origins(layout: Layout, rows: Sequence[Mapping[str, Any]], entity: str | None = None) -> list[Origin]:
    """The landing files of the first of these rows, those with the fewest rows first: they are the likeliest.

    `entity` says which the rows are of. Else those tell whose whole key is in a row; where it is of none, every entity
    with rows at its place (its day, channel, stream or viewer) does.
    """
    contracts = load_contracts()
    held = {part.entity for part in partitions(layout)}
    found: dict[tuple[str, str, str], Origin] = {}
    with connect(layout) as connection:
        for name in held:
            scan(layout, name, connection).create_view(f"raw_{name}", replace=True)
        for row in rows[:ROWS_ASKED]:
            stated = {column: value for column, value in row.items() if value is not None}
            keyed = [c for c in contracts.values() if set(c.key) <= stated.keys()]
            asked = [contracts[entity]] if entity else keyed or list(contracts.values())
            for contract in asked:
                if contract.entity in held:
                    for origin in _of_row(connection, contract, stated):
                        found[origin.entity, origin.source, origin.landing_file] = origin
    return sorted(found.values(), key=lambda origin: (origin.row_count, origin.file, origin.entity))


def _of_row(connection: duckdb.DuckDBPyConnection, contract: Contract, stated: Mapping[str, Any]) -> list[Origin]:
    """By all that the row says of its place, else by its source and its time: what is missing has no place."""
    types = {"event_date": "date", **{column.name: column.type for column in contract.columns}}
    named = [name for name in dict.fromkeys((*contract.key, *_PLACES)) if name in stated and name in types]
    timed = [name for name in named if name in ("platform", "source", "event_date", contract.event_time)]
    for columns in (named, timed):
        if not set(columns) - {"platform", "source"}:
            continue
        where = " and ".join(f'"{name}" = try_cast(? as {types[name]})' for name in columns)
        rows = connection.execute(
            f"""select source, landing_file, count(*), min("{contract.event_time}"), max("{contract.event_time}")
            from raw_{contract.entity} where {where} group by all""",
            [str(stated[name]) for name in columns],
        ).fetchall()
        if rows:
            return [Origin(contract.entity, *row) for row in rows]
    return []
