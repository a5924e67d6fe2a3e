"""The contract applied to rows: complete what the source left out, then part the good rows from the bad.

Runs in DuckDB over the spooled rows of one entity.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from data_lake.contracts import EARLIEST, LATEST, Column, Contract
from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sql import literal, quoted


def check_rows(
    connection: duckdb.DuckDBPyConnection, expected: Contract, source: str, spooled: pa.RecordBatchReader
) -> None:
    """Make the temporary views `_good` and `_bad` of the spooled rows.

    `_about` must hold landing_file, exported_at and latest_event of each file. Completed are: source, extracted_at and
    the observed_at of a snapshot (the export's time, else the file's latest event), and the synthetic id. `_bad` has
    the reason in `_problem` and the row's original text, or the row itself as JSON, in `_text`.
    """
    filled = {
        "source": literal(source),
        "extracted_at": "coalesce(r.extracted_at, a.exported_at, a.latest_event)",
    }
    if expected.kind == "state":
        filled["observed_at"] = "coalesce(r.observed_at, a.exported_at, a.latest_event)"
    replaced = ", ".join(f'{sql} as "{name}"' for name, sql in filled.items())
    connection.register("_spooled", spooled)
    connection.execute(
        f"""create or replace temp table _complete as
        select r.* replace ({replaced}) from _spooled r join _about a using (landing_file)"""
    )
    connection.unregister("_spooled")
    if expected.synthetic_id:
        connection.execute(_synthetic_ids(expected))
    connection.execute(
        f"create or replace temp view _checked as select * replace ({_problem(expected)} as {PROBLEM}) from _complete"
    )
    names = quoted(expected.column_names)
    connection.execute(
        f"create or replace temp view _good as select {names}, {ROW} from _checked where {PROBLEM} is null"
    )
    connection.execute(
        f"""create or replace temp view _bad as
        select c.* replace (coalesce({TEXT}, to_json(c)::varchar) as {TEXT})
        from _checked c where {PROBLEM} is not null"""
    )


def _synthetic_ids(expected: Contract) -> str:
    """Rows without an id get a hash of what they say and of their place among equal rows of their file.

    Reading a file again changes nothing, and two equal messages stay two.
    """
    assert expected.synthetic_id
    column = expected.synthetic_id.column
    values = ", ".join(f"coalesce(cast(\"{c}\" as varchar), '')" for c in expected.synthetic_id.of)
    place = f"row_number() over (partition by landing_file, {quoted(expected.synthetic_id.of)} order by {ROW})"
    return f"""
        update _complete set "{column}" = _made._id
        from (
            select rowid as _at, 'synthetic:' || md5(concat_ws(chr(31), {values}, {place})) as _id
            from _complete where "{column}" is null
        ) _made
        where _complete.rowid = _made._at"""


def _problem(expected: Contract) -> str:
    """The first reason a row breaks its contract, as a SQL expression; null when it does not."""
    reasons = [PROBLEM]
    for column in expected.columns:
        reasons += [f"case when {when} then {reason} end" for when, reason in _checks(column)]
    time = f'"{expected.event_time}"'
    reasons.append(
        f"case when {time} < timestamp '{EARLIEST}' or {time} >= timestamp '{LATEST}' then "
        f"'{expected.event_time}: ''' || {time} || ''' is outside {EARLIEST} to {LATEST}' end"
    )
    return f"coalesce({', '.join(reasons)})"


def _checks(column: Column) -> list[tuple[str, str]]:
    name = f'"{column.name}"'
    checks = []
    if column.required:
        empty = f"{name} is null or {name} = ''" if column.type == "varchar" else f"{name} is null"
        checks.append((empty, f"'{column.name} is missing'"))
    if column.minimum is not None:
        checks.append((f"{name} < {column.minimum}", _outside(column, "below", column.minimum)))
    if column.maximum is not None:
        checks.append((f"{name} > {column.maximum}", _outside(column, "above", column.maximum)))
    return checks


def _outside(column: Column, word: str, bound: float) -> str:
    return f"'{column.name}: ''' || \"{column.name}\" || ''' is {word} {bound:g}'"
