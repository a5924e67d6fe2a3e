"""The predictions zone: inferred rows, one file per table, as-of day and part; replaced whole and atomically.

The tables are described in dbt_project/models/predictions/*.yml, in the form of the raw contracts, and dbt reads them
as sources. Every row names the model, its version and the run that made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data_lake.contracts import Contract, load_contracts
from data_lake.layout import Layout
from data_lake.store import conform, parquet, replace_file

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
    expected = contract(table)
    keys = [k for k in expected.key if k != "as_of_date"]
    if rows.duplicated(keys).any():
        raise ValueError(f"{table} as of {day}: {int(rows.duplicated(keys).sum())} rows repeat a key {keys}")
    ordered = rows.sort_values(keys, kind="stable")
    stamped = ordered.assign(as_of_date=day)
    return replace_file(path, parquet(conform(pa.Table.from_pandas(stamped, preserve_index=False), expected)))


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


def ensure_readable(layout: Layout) -> None:
    """Put down the files without rows that let dbt read tables nobody has filled."""
    for table, expected in load_contracts(CONTRACTS).items():
        replace_file(layout.prediction_empty(table), parquet(expected.arrow_schema.empty_table()))
