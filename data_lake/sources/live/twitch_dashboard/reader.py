"""The records of the dashboard's CSV to daily metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import duckdb

from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.live.twitch_dashboard.header import (
    COUNTS,
    NUMBERS,
    OTHER_REVENUES,
    REFUSAL,
    REVENUES,
    TOTAL,
    is_daily,
    is_monthly,
)
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.money import currency_codes
from data_lake.sources.reading.records import read_records
from data_lake.sources.reading.repair import session
from data_lake.sources.reading.sidecars import stated_text
from data_lake.sources.reading.sql import literal, quoted

_NUMBER = "replace(replace({0}, ',', ''), '$', '')"


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield channel_daily_metrics; a row with a date or a number that is none is a bad row."""
    login = stated_text(export.sidecar, "channel_login")
    channel_id = stated_text(export.sidecar, "channel_id") or (f"login:{login.lower()}" if login else None)
    if channel_id is None:
        yield Problem(
            None,
            "the dashboard CSV does not say its channel: write channel_id or channel_login into its sidecar "
            f"{export.path.name}.yml",
        )
        return
    currency = (stated_text(export.sidecar, "currency") or "").upper() or None
    if currency is not None and currency not in currency_codes():
        yield Problem(None, f"the sidecar's currency is {currency!r}; write an ISO 4217 code such as USD")
        currency = None
    elif currency is None:
        yield Problem(
            None, f"the revenues have no currency: write currency (such as USD) into the sidecar {export.path.name}.yml"
        )
    with session() as con:
        observed_at = None if export.sidecar.get("exported_at") else _end_of_last_day(con, export)
        stated: dict[str, object] = {"channel_id": channel_id, "currency": currency, "observed_at": observed_at}
        yield from _parts(con, export, stated)


def _parts(con: duckdb.DuckDBPyConnection, export: Export, stated: dict[str, object]) -> Iterator[Rows | Problem]:
    problems: list[Problem] = []
    header: list[str] = []
    for part in read_records(read_utf8(export.path, problems, stated_text(export.sidecar, "encoding")), header):
        columns = {name.strip().lower(): name for name in header}
        if is_monthly(list(columns)):
            yield Problem(1, REFUSAL)
            return
        if not is_daily(list(columns)):
            yield Problem(1, "the header lacks 'Date' and the daily columns such as 'Average Viewers', 'Max Viewers'",
                          ",".join(header)[:1000])  # fmt: skip
            return
        if isinstance(part, Problem):
            yield part
            continue
        con.register("records", part)
        yield Rows("channel_daily_metrics", con.execute(_select(columns), stated).to_arrow_table())
        con.unregister("records")
    yield from problems


def _end_of_last_day(con: duckdb.DuckDBPyConnection, export: Export) -> datetime | None:
    """When the file was exported at the earliest; the file is read once for it."""
    header: list[str] = []
    last: date | None = None
    for part in read_records(read_utf8(export.path, [], stated_text(export.sidecar, "encoding")), header):
        dates = [name for name in header if name.strip().lower() == "date"]
        if isinstance(part, Problem) or not dates:
            continue
        con.register("records", part)
        latest = con.execute(f"select max({_day(quoted(dates[0]))}) from records").fetchone()
        con.unregister("records")
        days = [day for day in (last, latest[0] if latest else None) if day is not None]
        last = max(days) if days else None
    return datetime.combine(last + timedelta(days=1), time()) if last is not None and last.year < 9999 else None


def _day(column: str) -> str:
    return f"try_strptime(trim({column}), ['%a %b %d %Y', '%Y-%m-%d', '%b %d %Y'])::date"


def _select(columns: dict[str, str]) -> str:
    """The query from records to rows; `columns` are the file's, by their names in lower case."""

    def value(name: str, kind: str) -> str:
        return f"try_cast({_NUMBER.format(quoted(columns[name]))} as {kind})" if name in columns else f"null::{kind}"

    money = "decimal(18, 4)"
    mapped = {target: value(name, "bigint") for name, target in COUNTS.items()}
    mapped |= {target: value(name, "double") for name, target in NUMBERS.items()}
    mapped |= {target: value(name, money) for name, target in REVENUES.items()}
    others = [value(name, money) for name in OTHER_REVENUES if name in columns]
    mapped["other_revenue"] = f"list_sum([{', '.join(others)}])" if others else f"null::{money}"
    parts = [*REVENUES.values(), "other_revenue"]
    numeric = {**dict.fromkeys(COUNTS, "bigint"), **dict.fromkeys(NUMBERS, "double"),
               **dict.fromkeys((*REVENUES, *OTHER_REVENUES, TOTAL), money)}  # fmt: skip
    when = quoted(columns["date"])
    not_a_day = f"concat('Date: ''', {when}, ''' is not a day such as Fri Sep 04 2026')"
    problems = [f"case when {_day(when)} is null then {not_a_day} end"]
    for name, kind in numeric.items():
        if name in columns:
            column = quoted(columns[name])
            finite = f"or not isfinite({value(name, kind)})" if kind == "double" else ""
            problems.append(
                f"case when {column} is not null and ({value(name, kind)} is null {finite}) then "
                f"concat({literal(columns[name])}, ': ''', {column}[:100], ''' is not a number') end"
            )
    rest = [c for name, c in columns.items() if name not in {"date", *numeric} - {*OTHER_REVENUES}]
    members = ", ".join(f"{literal(json_name(c))} || to_json({quoted(c)})" for c in rest)
    extra = f"nullif('{{' || concat_ws(',', {members}) || '}}', '{{}}')" if rest else "null::varchar"
    fields = ", ".join(f"coalesce({quoted(column)}, '')" for column in columns.values())
    original = f"concat_ws(',', {fields})"
    return f"""
        with read as (
            select {ROW}, {_day(quoted(columns["date"]))} as metric_date,
                {", ".join(f"{sql} as {name}" for name, sql in mapped.items())},
                {value(TOTAL, money)} as stated_total, {extra} as extra, {original} as original,
                coalesce({", ".join(problems)}) as {PROBLEM}
            from records
        )
        select 'twitch' as platform, $channel_id as channel_id, $observed_at::timestamp as observed_at, metric_date,
            $currency as currency, {", ".join(mapped)},
            coalesce(stated_total, list_sum([{", ".join(parts)}])::{money}) as total_revenue, extra, {ROW},
            case when {PROBLEM} is not null then original end as {TEXT}, {PROBLEM}
        from read order by {ROW}"""


def json_name(column: str) -> str:
    """A column's name as the start of a member of a JSON object."""
    return '"' + re.sub(r'["\\\x00-\x1f]', "", column) + '":'
