"""Reading and writing the raw zone: scan, write one partition, merge new rows into the partitions they touch.

A partition is one file per (entity, UTC day, source). It is replaced whole and atomically, and only when its bytes
change.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_lake.contracts import Contract, ContractError, contract
from data_lake.files import replace_file
from data_lake.layout import Layout
from data_lake.sql import connect, file_list, literal, quoted

CONTRACT_KEY = b"contract"
MERGE_ROWS = 200_000
# Partitions are many and small: Arrow leaves the interpreter while it writes one.
WRITERS, DAYS_HELD = 2, 16


def parquet(table: pa.Table) -> pa.Buffer:
    """The table as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table.combine_chunks(), sink, compression="zstd", compression_level=1)
    return sink.getvalue()


def _stamped(table: pa.Table, expected: Contract) -> pa.Buffer:
    return parquet(table.replace_schema_metadata({CONTRACT_KEY: expected.hash.encode()}))


def conform(table: pa.Table, expected: Contract) -> pa.Table:
    """The table with exactly the contract's columns and types; columns it lacks are null.

    Raises ContractError for a column the contract does not have or values that do not cast.
    """
    unknown = set(table.column_names) - set(expected.column_names)
    if unknown:
        raise ContractError(f"{expected.entity} has no column {sorted(unknown)}; put such fields into 'extra'")
    columns = []
    for column in expected.arrow_schema:
        if column.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, column.type))
            continue
        try:
            columns.append(table.column(column.name).cast(column.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ContractError(f"{expected.entity}.{column.name} must be {column.type}: {error}") from error
    return pa.Table.from_arrays(columns, schema=expected.arrow_schema)


def write_partition(layout: Layout, entity: str, day: date, source: str, table: pa.Table) -> bool:
    """Replace one partition by these rows, sorted by event time and key; no rows remove it.

    Returns whether anything changed. Raises ContractError when the rows are not the contract's: a column it lacks,
    a type that does not cast, a null in a required column, a repeated key, a row of another day.
    """
    expected = contract(entity)
    path = layout.raw_partition(entity, day, source)
    if table.num_rows == 0:
        return _remove_partition(path)
    rows = conform(table, expected)
    for column in expected.columns:
        if column.required and rows.column(column.name).null_count:
            raise ContractError(
                f"{entity} of {day}: {column.name} is missing in {rows.column(column.name).null_count} rows"
            )
    days = pc.unique(rows.column(expected.event_time).cast(pa.date32())).to_pylist()
    if days != [day]:
        raise ContractError(f"{entity} of {day}: holds rows of {sorted(set(days) - {day})}")
    order = [expected.event_time, *(k for k in expected.key if k != expected.event_time)]
    rows = rows.sort_by([(name, "ascending") for name in order])
    keys = rows.select(list(expected.key)).group_by(list(expected.key)).aggregate([])
    if keys.num_rows != rows.num_rows:
        raise ContractError(f"{entity} of {day}: {rows.num_rows - keys.num_rows} rows repeat a key {expected.key}")
    return _replace_partition(path, rows, expected)


def _replace_partition(path: Path, rows: pa.Table, expected: Contract) -> bool:
    return replace_file(path, _stamped(rows, expected))


def _remove_partition(path: Path) -> bool:
    if not path.exists():
        return False
    path.unlink()
    for folder in (path.parent, path.parent.parent):
        if not any(folder.iterdir()):
            folder.rmdir()
    return True


def drop_rows(layout: Layout, entity: str, day: date, source: str, landing_file: str) -> None:
    """Take the rows of one landing file out of a partition, of whatever contract it is."""
    path = layout.raw_partition(entity, day, source)
    table = pq.read_table(path, partitioning=None)
    kept = table.filter(pc.not_equal(table.column("landing_file"), landing_file))
    if kept.num_rows:
        replace_file(path, parquet(kept))
    else:
        _remove_partition(path)


def ensure_readable(layout: Layout, entity: str) -> None:
    """Put down the file without rows that lets dbt read an entity nobody has filled."""
    expected = contract(entity)
    replace_file(layout.raw_empty(entity), _stamped(expected.arrow_schema.empty_table(), expected))


def contract_of(path: Path) -> str | None:
    """The contract hash in a partition's footer."""
    stamp = (pq.read_schema(path).metadata or {}).get(CONTRACT_KEY)
    return stamp.decode() if stamp else None


def renew(layout: Layout, entity: str, source: str) -> None:
    """Give partitions written under an older contract the columns and types of today's.

    For rows that no landing file can bring again: what the older contract did not have is null, what today's does not
    have goes. Raises ContractError when today's contract cannot hold them.
    """
    expected = contract(entity)
    for path in sorted(layout.raw_entity(entity).glob(f"event_date=[12]*/source={source}/part-0.parquet")):
        if contract_of(path) == expected.hash:
            continue
        table = pq.read_table(path, partitioning=None)
        rows = conform(table.select([n for n in table.column_names if n in expected.column_names]), expected)
        missing = [c.name for c in expected.columns if c.required and rows.column(c.name).null_count]
        if missing:
            raise ContractError(
                f"{path} holds rows of an older contract without {missing}: put the landing files they were read from "
                "back, so that they can be read again"
            )
        _replace_partition(path, rows, expected)


def scan(layout: Layout, entity: str, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
    """All rows of an entity as a DuckDB relation with the contract's columns and `event_date`."""
    ensure_readable(layout, entity)
    reader = connection or connect(layout)
    return reader.sql(
        f"select * from read_parquet({literal(layout.raw_glob(entity))}, hive_partitioning = true, "
        "hive_types = {'event_date': date}) where event_date is not null"
    )


def merge(
    layout: Layout,
    connection: duckdb.DuckDBPyConnection,
    entity: str,
    source: str,
    rows: str,
    *,
    landing_files: Sequence[str],
    also_days: Iterable[date] = (),
) -> list[date]:
    """Merge the rows of the relation named `rows` into the partitions of their days; returns the days that changed.

    `rows` has the contract's columns and `_row`. Rows that earlier reads of `landing_files` left behind are dropped,
    on `also_days` too. Of rows with one key one that names its stream wins (a highlight repeats messages of a
    broadcast and does not), then the latest extracted_at, then the greater landing file name (it starts with the
    content's hash), then the later row: the order in which files arrive does not matter.
    """
    expected = contract(entity)
    day_of = f'cast("{expected.event_time}" as date)'
    new_days = {d for (d,) in connection.execute(f"select distinct {day_of} from {rows}").fetchall()}
    touched = sorted(new_days | set(also_days))
    if not touched:
        return []
    paths = {day: layout.raw_partition(entity, day, source) for day in touched}
    # A partition written under another contract is left out: its landing files are all being read again, and what
    # landing/ no longer has was renewed before.
    kept = [p for p in paths.values() if p.exists() and contract_of(p) == expected.hash]
    names = quoted(expected.column_names)
    union = f"select {names}, _row from {rows}"
    if kept:
        gone = ", ".join(map(literal, landing_files)) or "''"
        union += (
            f" union all select {names}, 0 from read_parquet({file_list(kept)}, hive_partitioning = false)"
            f" where landing_file not in ({gone})"
        )
    key = quoted(expected.key)
    connection.execute(f"create or replace temp view _merging as select {day_of} as _day, * from ({union})")
    connection.execute(
        f"create or replace temp table _repeated as select _day, {key} from _merging group by all having count(*) > 1"
    )
    keys = " and ".join(f'm."{k}" = r."{k}"' for k in expected.key)
    is_repeated = f"(select 1 from _repeated r where m._day = r._day and {keys})"
    best = ["extracted_at desc", "landing_file desc", "_row desc"]
    if "stream_id" in expected.column_names:
        best.insert(0, "stream_id is null")
    order = quoted([expected.event_time, *(k for k in expected.key if k != expected.event_time)])
    reader = connection.execute(
        f"""with once as (
            select _day, {names} from _merging m where not exists {is_repeated}
        ), winners as (
            select _day, {names} from _merging m where exists {is_repeated}
            qualify row_number() over (
                partition by _day, {key} order by {", ".join(best)}
            ) = 1
        )
        select * from (from once union all from winners) order by _day, {order}"""
    ).to_arrow_reader(MERGE_ROWS)

    def write(part: tuple[date, pa.Table]) -> tuple[date, bool]:
        day, table = part
        return day, _replace_partition(paths[day], table.cast(expected.arrow_schema), expected)

    written: dict[date, bool] = {}
    days = _by_day(reader)
    with ThreadPoolExecutor(WRITERS) as writers:
        while some := list(itertools.islice(days, DAYS_HELD)):
            written.update(writers.map(write, some))
    changed = [day for day, is_changed in written.items() if is_changed]
    changed += [day for day in touched if day not in written and _remove_partition(paths[day])]
    connection.execute("drop view _merging; drop table _repeated")
    return sorted(changed)


def _by_day(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[date, pa.Table]]:
    """Group batches sorted by `_day` into one table a day, holding one day at a time."""
    day: date | None = None
    pending: list[pa.Table] = []
    for batch in batches:
        days = batch.column("_day").to_numpy(zero_copy_only=False)
        edges = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist(), len(days)]
        for first, stop in itertools.pairwise(edges):
            if first == stop:
                continue
            part = pa.Table.from_batches([batch.slice(first, stop - first)])
            value = part.column("_day")[0].as_py()
            if value != day:
                if day is not None:
                    yield day, pa.concat_tables(pending)
                day, pending = value, []
            pending.append(part.drop_columns(["_day"]))
    if day is not None:
        yield day, pa.concat_tables(pending)
