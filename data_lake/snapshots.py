"""What each snapshot of a catalogue lost of what the snapshot before held: the macro that the models use, for readers
of raw/.

`dbt_project/macros/snapshots.sql` is the one place that says what an incomplete snapshot is.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from data_lake.contracts import ContractError, contract
from data_lake.layout import Layout
from data_lake.store import scan

MACROS = Path(__file__).parents[1] / "dbt_project" / "macros" / "snapshots.sql"


@cache
def _macros() -> Any:
    return jinja2.Environment().from_string(MACROS.read_text(encoding="utf-8")).module


def snapshot_losses_sql(rows: str, listed: str, as_of: date) -> str:
    """One row per snapshot and channel, with what the snapshot lost of the channel: columns as the macro
    `snapshot_losses` says.

    `rows` is a relation with event_date, source, platform, observed_at, channel_id, landing_file and the column named
    `listed`; rows after `as_of` do not count.
    """
    return str(_macros().snapshot_losses(rows, listed, f"date '{as_of}'"))


def incomplete_snapshots(
    layout: Layout, connection: duckdb.DuckDBPyConnection, as_of: date, entity: str
) -> duckdb.DuckDBPyRelation:
    """Snapshots that lack a whole channel, as far as was known at the end of `as_of`.

    Columns source, folder, platform, observed_at, channel_id, rows_before and rows_now (0). Raises ContractError for an
    entity whose snapshots are no catalogues.
    """
    listed = contract(entity).catalogue_of
    if listed is None:
        raise ContractError(f"{entity}.yml names no catalogue_of: its snapshots are not compared with each other")
    rows = scan(layout, entity, connection)
    return rows.query("raw_rows", str(_macros().incomplete_snapshots("raw_rows", listed, f"date '{as_of}'")))
