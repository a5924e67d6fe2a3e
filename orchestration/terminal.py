"""What a terminal shows of a lake and at the end of a run; see `progress_bars` for its steps, `answers` for queries."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from data_lake.status import Status
    from orchestration.run_summary import RunSummary

# Rows shown one value a line, where a table of them is wider than the terminal.
ROWS_BY_LINE = 3
# Landing files named per failed check.
FILES_NAMED = 5


def show_run(console: Console, summary: RunSummary) -> None:
    """The end of a run: what there is now, what was set aside and why, what failed, what to do next."""
    console.print()
    if summary.published and summary.succeeded:
        _say(console, "published", f"version {summary.published.number}, as of {summary.published.as_of}")
        rows = Table()
        rows.add_column("table")
        rows.add_column("rows", justify="right")
        for name, count in sorted(summary.published.rows.items()):
            rows.add_row(name, f"{count:,}")
        console.print(rows)
    if summary.span:
        days = (summary.span[1] - summary.span[0]).days + 1
        _say(console, "days", f"{summary.span[0]} to {summary.span[1]} ({days:,} days)")
    _say(console, "quarantined", _quarantined(summary))
    for name, error in summary.failed_files:
        _say(console, "not read", f"{name}: {error}")
    if summary.checks_passed or summary.failed_checks:
        _say(console, "checks", f"{summary.checks_passed:,} passed, {len(summary.failed_checks):,} failed")
    for check in summary.failed_checks:
        word = "FAILED" if check.is_blocking else "warning"
        _say(console, "", f"{word}: {check.name} on {check.asset}: {check.message}")
        if check.worst_rows:
            _show_rows(console, check.worst_rows)
        for origin in check.origins[:FILES_NAMED]:
            held = f"{origin.row_count:,} {'row' if origin.row_count == 1 else 'rows'} of {origin.entity}"
            when = f"{origin.first} to {origin.last}" if origin.first != origin.last else f"{origin.first}"
            _say(console, "", f"from {origin.file}: {held}, {when} UTC")
    if not summary.succeeded:
        version = summary.published
        _say(console, "run failed", summary.error or "a check failed")
        _say(
            console, "published", f"still version {version.number}, as of {version.as_of}" if version else "nothing yet"
        )
        _say(console, "log", summary.log)
        files = [origin.file for check in summary.failed_checks for origin in check.origins]
        if files:
            _say(console, "way out", f"add a better export, or take out a wrong one: fullhouse forget {files[0]}")
            _say(console, "", "then: fullhouse run; more in docs/runbooks/failed-audit.md")
        return
    if summary.old_models:
        ages = ", ".join(f"{name} {days:,} days" for name, days in sorted(summary.old_models.items()))
        _say(console, "models", f"over two weeks old ({ages}): fullhouse train")
    _say(console, "query", f"duckdb -readonly {shlex.quote(summary.database)}")
    _say(console, "", f'fullhouse sql "{_query(summary)}"')
    _say(console, "next", "fullhouse add FILE... brings your own exports; make ui shows this run; fullhouse status")


def _query(summary: RunSummary) -> str:
    """A query to begin with: the first rows of the largest table."""
    rows = summary.published.rows if summary.published else {}
    return f"from {max(rows, key=lambda table: rows[table])} limit 5" if rows else "show tables"


def _say(console: Console, word: str, text: str) -> None:
    print_text(console, f"{word:<12} {text}")


def print_text(console: Console, text: str) -> None:
    """Text as it is: no colours guessed, no marks read, no line broken."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _quarantined(summary: RunSummary) -> str:
    if not summary.quarantined:
        return "no rows"
    found = summary.quarantined.most_common(5)
    reasons = [f"{count:,} {source} {entity}: {reason}" for (source, entity, reason), count in found]
    more = len(summary.quarantined) - len(reasons)
    total = summary.quarantined.total()
    if more > 0:
        reasons.append(f"{more} more reasons")
    return f"{total:,} {'row' if total == 1 else 'rows'} ({'; '.join(reasons)})"


def show_status(console: Console, status: Status, missing_logins: Sequence[str] = ()) -> None:
    """Zones, days, stale partitions, failed files, freshness, and what no login may pull."""
    _say(console, "lake", status.root)
    files = ", ".join(f"{count:,} {source}" for source, count in sorted(status.landing.items())) or "empty"
    _say(console, "landing", f"{files}; {len(status.waiting):,} not read yet")
    if status.entities:
        zone = Table()
        for column in ("raw entity", "rows read", "partitions", "first day", "last day"):
            zone.add_column(column, justify="left" if column == "raw entity" else "right")
        for entity in status.entities:
            counts = (f"{entity.rows.total():,}", f"{entity.partitions:,}", str(entity.first_day), str(entity.last_day))
            zone.add_row(entity.entity, *counts)
        console.print(zone)
    built = f"as of {status.built_as_of}" if status.built_as_of else "not built"
    _say(console, "warehouse", f"{built}; {len(status.stale):,} raw partitions differ from it")
    if status.published:
        when = status.published.created_at.strftime("%Y-%m-%d %H:%M UTC")
        tables, rows = len(status.published.rows), sum(status.published.rows.values())
        _say(console, "published", f"version {status.published.number} of {when}: {tables} tables, {rows:,} rows")
    else:
        _say(console, "published", "nothing yet: fullhouse run")
    for (source, name, reason), count in status.quarantined.most_common(10):
        _say(console, "quarantined", f"{count:,} {source} {name}: {reason}")
    for entry in status.failed:
        parts = f"{entry.problem_count} parts unread, first: {entry.problems[0]['reason']}" if entry.problems else ""
        _say(console, "failed", f"{entry.source}/{entry.name}: {entry.error or parts}")
    for name in status.missing:
        _say(console, "missing", f"landing/{name} is gone; its rows stay until 'fullhouse forget {name}'")
    for name in status.unknown:
        _say(console, "unknown", f"landing/{name}/ belongs to no source; use 'fullhouse add FILE...'")
    for sentence in missing_logins:
        _say(console, "not pulled", sentence)


def _show_rows(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows as a table where it fits the terminal, else the first of them one value a line."""
    table = _table(list(rows[0]), [list(row.values()) for row in rows])
    if console.measure(table, options=console.options.update(max_width=10_000)).maximum <= console.width:
        console.print(table)
        return
    for row in rows[:ROWS_BY_LINE]:
        console.print()
        for column, value in row.items():
            if value is not None:
                print_text(console, f"  {column:<22} {value}")
    if len(rows) > ROWS_BY_LINE:
        print_text(
            console, f"\n  and {len(rows) - ROWS_BY_LINE:,} more: the check's worst rows in the Dagster UI (make ui)"
        )


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    table = Table()
    for place, column in enumerate(columns):
        is_number = any(isinstance(row[place], int | float) for row in rows)
        table.add_column(escape(column), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    return table
