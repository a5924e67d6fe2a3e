"""Every expectation of a subject judged over its frames, with the worst rows and where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from data_lake.expectations.expectation import Expectation, Shape
from data_lake.expectations.profiles import FRAME_ROWS, Frame
from data_lake.expectations.validation import Validator
from data_lake.sql import literal, quoted

WORST_ROWS = 10
SHOWN = 3
NOUNS: dict[Shape, str] = {"rows": "rows", "days": "days", "snapshots": "channels in snapshots"}


@dataclass(frozen=True)
class Verdict:
    """One expectation judged for one subject ('raw/<entity>' or a table's name) and source.

    `name` is unique within the subject and source. `observed` is a sentence of what was seen; `worst` at most ten rows
    outside, JSON-safe, the farthest first, each with its key and its landing_file (null for tables).
    """

    subject: str
    source: str
    name: str
    sentence: str
    blocking: bool
    passed: bool
    observed: str
    worst: list[dict[str, Any]]


def judge(
    connection: duckdb.DuckDBPyConnection,
    validator: Validator,
    subject: str,
    source: str,
    suite: Sequence[Expectation],
    frames: Mapping[Shape, Frame],
) -> list[Verdict]:
    """The verdicts on one subject and source, in the order of the suite; none for a frame without rows."""
    verdicts = {}
    for shape, frame in frames.items():
        expectations = [e for e in suite if e.shape == shape]
        total, seen = _seen(connection, frame, source, expectations)
        if not total or not expectations:
            continue
        name = f"{subject}_{source}_by_{shape}".replace("/", "_")
        failed = validator.failed(name, _pandas(connection, frame, source, expectations), expectations)
        for expectation in expectations:
            passed = expectation.name not in failed
            worst = [] if passed else _worst(connection, frame, source, expectation)
            observed = _observed(expectation, total, seen[expectation.name], worst)
            verdicts[expectation.name] = Verdict(
                subject, source, expectation.name, expectation.sentence, expectation.blocking, passed, observed, worst
            )
    return [verdicts[e.name] for e in suite if e.name in verdicts]


def _value(expectation: Expectation, sql: str) -> str:
    return sql if expectation.one_of is not None else f"({sql})::double"


def _figure(expectation: Expectation) -> str:
    """The expectation's column in the figures of its frame."""
    return _value(expectation, f'"{expectation.column}"')


def _breaks(expectation: Expectation, value: str) -> str:
    if expectation.one_of is not None:
        return f"coalesce({value} not in ({', '.join(map(literal, expectation.one_of))}), false)"
    parts = []
    if expectation.minimum is not None:
        parts.append(f"{value} < {expectation.minimum!r}")
    if expectation.maximum is not None:
        parts.append(f"{value} > {expectation.maximum!r}")
    return f"coalesce({' or '.join(parts)}, false)"


def _distance(expectation: Expectation, value: str, key: Sequence[str]) -> str:
    """How far outside a value lies, for the order of the worst rows; of unknown words one row each comes first."""
    if expectation.one_of is not None:
        return f"-row_number() over (partition by {value} order by {quoted(key)})"
    parts = []
    if expectation.minimum is not None:
        parts.append(f"{expectation.minimum!r} - {value}")
    if expectation.maximum is not None:
        parts.append(f"{value} - {expectation.maximum!r}")
    return f"greatest({', '.join(parts)})"


def _seen(
    connection: duckdb.DuckDBPyConnection, frame: Frame, source: str, expectations: Sequence[Expectation]
) -> tuple[int, dict[str, tuple[int, int, Any, Any]]]:
    """Over the whole set: its rows, and by expectation the values judged and outside, the smallest and the largest."""
    figures = ["count(*)"]
    for e in expectations:
        value = _figure(e)
        figures += [f"count({value})", f"count_if({_breaks(e, value)})", f"min({value})", f"max({value})"]
    row = connection.execute(f"select {', '.join(figures)} from {frame.figures} where source = ?", [source]).fetchone()
    assert row
    return int(row[0]), {e.name: row[4 * i + 1 : 4 * i + 5] for i, e in enumerate(expectations)}


def _pandas(
    connection: duckdb.DuckDBPyConnection, frame: Frame, source: str, expectations: Sequence[Expectation]
) -> Any:
    """The columns under test as a pandas frame of about a million rows at most.

    Of a sampled frame every row outside its range is in the sample: the verdict is that of the whole set.
    """
    columns = ", ".join(f'{_figure(e)} as "{e.column}"' for e in expectations)
    outside = " or ".join(_breaks(e, _figure(e)) for e in expectations)
    sampled = f"(_sampled or {outside})" if frame.is_sampled else "true"
    query = f"select {columns} from {frame.figures} where source = ? and {sampled} limit {2 * FRAME_ROWS}"
    return connection.execute(query, [source]).df()


def _worst(
    connection: duckdb.DuckDBPyConnection, frame: Frame, source: str, expectation: Expectation
) -> list[dict[str, Any]]:
    value = _value(expectation, expectation.sql)
    shown = dict.fromkeys(c for c in (*frame.key, *expectation.shows) if c != expectation.column)
    query = (
        f'select {quoted(shown)}, {value} as "{expectation.column}", {frame.landing_file} as landing_file '
        f"from {frame.rows} as frame where source = ? and {_breaks(expectation, value)} "
        f"order by {_distance(expectation, value, frame.key)} desc, {quoted(frame.key)} limit {WORST_ROWS}"
    )
    rows = connection.execute(query, [source])
    names = [d[0] for d in rows.description or ()]
    return [{n: _json(v) for n, v in zip(names, row, strict=True)} for row in rows.fetchall()]


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.3f}"


def _observed(
    expectation: Expectation, total: int, seen: tuple[int, int, Any, Any], worst: Sequence[Mapping[str, Any]]
) -> str:
    judged, outside, smallest, largest = seen
    noun = NOUNS[expectation.shape]
    if not judged:
        return f"none of {total:,} {noun} can be judged"
    if worst:
        # dict: what several rows have in common is said once
        examples = list(dict.fromkeys(expectation.says.format(**row) for row in worst))
        more = "; ..." if len(examples) > SHOWN or outside > WORST_ROWS else ""
        return f"{outside:,} of {judged:,} {noun} outside: {'; '.join(examples[:SHOWN])}{more}"
    if expectation.one_of is not None:
        return f"all of {judged:,} {noun}"
    return f"all of {judged:,} {noun}, from {_number(smallest)} to {_number(largest)}"
