"""What one expectation is, and the words in which the suites are written; what is expected of whom is in the suites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["rows", "days", "snapshots"]

# Wide on purpose: a raid or a holiday multiplies a day by less; an export cut off near its start leaves less.
VOLUME_FACTOR = 20


@dataclass(frozen=True)
class Figure:
    """SQL over `_rows` of a figure by source and event_date, and the columns of the rows it needs beside these two."""

    sql: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Expectation:
    """One sentence about one column of a frame; nulls are not judged.

    `shape` says what a row of the frame is: a row of the entity, a day of one source, or a channel in one snapshot.
    `sql` is the column's value; a day's may have to be made first, by `figure`. `minimum` and `maximum` are inclusive.
    `shows` are further columns of the frame that explain a row outside, `says` the words for such a row, with its
    columns in braces.
    """

    name: str
    sentence: str
    shape: Shape
    column: str
    sql: str
    minimum: float | None = None
    maximum: float | None = None
    one_of: tuple[str, ...] | None = None
    blocking: bool = False
    shows: tuple[str, ...] = ()
    says: str = ""
    figure: Figure | None = None


def value(
    column: str,
    sentence: str,
    minimum: float | None,
    maximum: float | None = None,
    *,
    sql: str = "",
    blocking: bool = False,
) -> Expectation:
    """A value of every row lies in a range."""
    return Expectation(
        f"{column}_is_plausible",
        sentence,
        "rows",
        column,
        sql or f'"{column}"',
        minimum,
        maximum,
        blocking=blocking,
        says=f"{column} {{{column}}}",
    )


def published(
    column: str, sentence: str, minimum: float | None, maximum: float | None = None, *, sql: str = ""
) -> Expectation:
    """A value of every row lies in a range, or the table is not published."""
    return value(column, sentence, minimum, maximum, sql=sql, blocking=True)


def known(column: str, sentence: str, one_of: tuple[str, ...]) -> Expectation:
    """A value of every row is one we know; others are kept and counted here."""
    says = f"{column} '{{{column}}}'"
    return Expectation(f"{column}_is_known", sentence, "rows", column, f'"{column}"', one_of=one_of, says=says)


def holds(name: str, column: str, sentence: str, sql: str) -> Expectation:
    """A condition on a column is true of every row that has a value there."""
    judged = f'case when "{column}" is not null then ({sql})::integer end'
    says = f"{column} '{{{column}}}'"
    return Expectation(name, sentence, "rows", name, judged, minimum=1, shows=(column,), says=says)


def daily(
    name: str,
    column: str,
    sentence: str,
    minimum: float | None,
    maximum: float | None,
    *,
    shows: tuple[str, ...],
    says: str,
    figure: Figure | None = None,
) -> Expectation:
    """A figure of every day lies in a range."""
    return Expectation(
        name, sentence, "days", column, f'"{column}"', minimum, maximum, shows=shows, says=says, figure=figure
    )


def seconds(first: str, last: str) -> str:
    """SQL: the seconds between two timestamps."""
    return f'(epoch_us("{last}") - epoch_us("{first}")) / 1e6'


VOLUME = daily(
    "volume_is_usual",
    "volume_ratio",
    f"A day has a {VOLUME_FACTOR}th to {VOLUME_FACTOR} times the rows of the median day of the 28 days before.",
    1 / VOLUME_FACTOR,
    VOLUME_FACTOR,
    shows=("row_count", "usual_count"),
    says="{event_date} has {row_count} rows, the median day before {usual_count}",
)


def _snapshot(name: str, column: str, sentence: str, says: str, *, blocking: bool = False) -> Expectation:
    shows = ("channel_name", "rows_before", "rows_now", "gone_count", "returned_count", "is_back", "has_left")
    return Expectation(
        name, sentence, "snapshots", column, f'"{column}"', None, 0, blocking=blocking, shows=shows, says=says
    )


def snapshots(what: str, *, blocking: bool) -> tuple[Expectation, ...]:
    """A snapshot holds what the snapshot before held; a newest snapshot that lacks a whole channel may block."""
    lost = "{channel_name} ({rows_before} rows before) is gone from the snapshot of {observed_at}"
    return (
        _snapshot(
            "newest_snapshot_has_every_channel",
            "lost_now",
            f"The newest snapshot holds {what} of every channel that the snapshot before held.",
            lost,
            blocking=blocking,
        ),
        _snapshot(
            "earlier_snapshots_have_every_channel",
            "lost_before",
            f"Every earlier snapshot holds {what} of every channel that the snapshot before held.",
            lost + ", which is known to be incomplete",
        ),
        _snapshot(
            "snapshots_keep_rows",
            "gone_count",
            f"A snapshot holds every one of the {what} that the snapshot before held of its channels.",
            "{channel_name} lost {gone_count} rows in the snapshot of {observed_at}, {returned_count} came back",
        ),
    )
