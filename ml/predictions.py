"""The predictions zone: inferred rows, one file per table, as-of day and part; replaced whole and atomically.

The tables are described in dbt_project/models/predictions/*.yml, in the form of the raw contracts, and dbt reads them
as sources. Every row names the model, its version and the run that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data_lake.contracts import Contract, load_contracts
from data_lake.files import replace_file
from data_lake.layout import Layout
from data_lake.store import conform, parquet

# What an answer is compared with may still change for so long after its window: exports come late.
SETTLED_DAYS = 28
LIVE, EVIDENCE = "-live", "evidence"
CONTRACTS = Path(__file__).parents[1] / "dbt_project" / "models" / "predictions"


def contract(table: str) -> Contract:
    """The contract of a prediction table. Raises KeyError for a name that has none."""
    return load_contracts(CONTRACTS)[table]


def write(layout: Layout, table: str, day: date, part: str, rows: pd.DataFrame) -> bool:
    """Replace the rows of one part as of a day; no rows remove it. Returns whether anything changed.

    Raises ContractError when the rows are not the contract's, ValueError when a key is repeated.
    """
    path = layout.prediction_file(table, day, part)
    if rows.empty:
        existed = path.exists()
        path.unlink(missing_ok=True)
        return existed
    return replace_file(path, _file(table, day, rows, {}))


def _file(table: str, day: date, rows: pd.DataFrame, notes: Mapping[str, str]) -> pa.Buffer:
    """The file of a part; `notes` are kept in its footer."""
    expected = contract(table)
    if rows.empty:
        return _parquet(expected.arrow_schema.empty_table(), notes)
    keys = [k for k in expected.key if k != "as_of_date"]
    if rows.duplicated(keys).any():
        raise ValueError(f"{table} as of {day}: {int(rows.duplicated(keys).sum())} rows repeat a key {keys}")
    ordered = rows.sort_values(keys, kind="stable")
    stamped = ordered.assign(as_of_date=day)
    return _parquet(conform(pa.Table.from_pandas(stamped, preserve_index=False), expected), notes)


def _parquet(rows: pa.Table, notes: Mapping[str, str]) -> pa.Buffer:
    return parquet(rows.replace_schema_metadata({**(rows.schema.metadata or {}), **notes}))


def read(layout: Layout, table: str, day: date, part: str) -> pd.DataFrame:
    """The rows of one part as of a day; without rows when nothing was predicted."""
    path = layout.prediction_file(table, day, part)
    if not path.exists():
        return contract(table).arrow_schema.empty_table().to_pandas()
    # The partition is in the path too; the file's own columns are all of them.
    return pq.ParquetFile(path).read().to_pandas()


def days(layout: Layout, table: str, part: str) -> Iterator[date]:
    """The days a part was predicted as of, in order."""
    for path in sorted((layout.predictions / table).glob(f"as_of_date=[12]*/{part}.parquet")):
        yield date.fromisoformat(path.parent.name.removeprefix("as_of_date="))


def to_evaluate(
    layout: Layout, table: str, part: str, *, last_day: date, due_days: int, whole_days: int
) -> Iterator[date]:
    """The as-of days of a part to compare with what happened up to `last_day`, in order.

    A day is due `due_days` after it. It is compared again by every scoring until its window, `whole_days` long, has
    been over for SETTLED_DAYS, and after that when its predictions were made again: scoring costs the same every day.
    """
    for day in days(layout, table, part):
        if day + timedelta(due_days) > last_day:
            continue
        live = _live_file(layout, day, part)
        answers = layout.prediction_file(table, day, part)
        is_settled = day + timedelta(whole_days + SETTLED_DAYS) < last_day
        if not (is_settled and live.exists() and live.stat().st_mtime_ns >= answers.stat().st_mtime_ns):
            yield day


def write_live(layout: Layout, day: date, part: str, rows: pd.DataFrame, evidence: str) -> None:
    """Replace the comparison of a part's predictions as of a day with what happened; `evidence` names what that is.

    A comparison that came to no score is kept without rows: that nothing can be said is known, too.
    """
    replace_file(_live_file(layout, day, part), _file("model_scores", day, rows, {EVIDENCE: evidence}))


def is_evaluated(layout: Layout, day: date, part: str, evidence: str) -> bool:
    """Whether the last comparison of a part as of a day was made from this evidence; if so it is as new as now."""
    path = _live_file(layout, day, part)
    footer = (pq.read_schema(path).metadata or {}) if path.exists() else {}
    if footer.get(EVIDENCE.encode()) != evidence.encode():
        return False
    path.touch()
    return True


def _live_file(layout: Layout, day: date, part: str) -> Path:
    return layout.prediction_file("model_scores", day, part + LIVE)


def ensure_readable(layout: Layout) -> None:
    """Put down the files without rows that let dbt read tables nobody has filled."""
    for table, expected in load_contracts(CONTRACTS).items():
        replace_file(layout.prediction_empty(table), parquet(expected.arrow_schema.empty_table()))
