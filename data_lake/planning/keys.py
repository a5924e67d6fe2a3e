"""Ids on several days: which other days a changed partition takes a row from, or gives one back to.

Of the rows of one id one stands, on whatever day it lies (the models stg_<entity>_keys). When a row of the id comes,
goes or changes, another one may stand, in a partition that did not change.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.planning.world import Parts, attach_model, in_parts
from data_lake.sql import file_list, quoted


def partitions_sharing_ids(
    layout: Layout, connection: duckdb.DuckDBPyConnection, parts: Mapping[str, Parts]
) -> dict[str, Parts]:
    """Partitions of other days that hold an id which a row of `parts` has, or had when the warehouse was built.

    `connection` has the warehouse attached. Raises PlanError when it lacks the ids of one of the entities.
    """
    shared: dict[str, Parts] = {}
    for entity, changed in parts.items():
        contract = load_contracts()[entity]
        if not contract.has_ids:
            continue
        ids = attach_model(connection, f"stg_{entity}_keys", ("event_date", "source", *contract.key), "keys.py")
        key = quoted(contract.key)
        paths = [layout.raw_partition(entity, day, source) for day, source in changed]
        files = [path for path in paths if path.exists()]
        now = f"union select {key} from read_parquet({file_list(files)}, hive_partitioning = false)" if files else ""
        days = ", ".join(f"date '{day}'" for day in sorted({day for day, _ in changed}))
        found = connection.execute(
            f"""with changed as (select {key} from {ids} where {in_parts(changed)} {now})
            select distinct event_date, source from {ids} semi join changed using ({key})
            where event_date not in ({days})"""
        ).fetchall()
        if found:
            shared[entity] = sorted(found)
    return shared
