"""What a sample world writes into a lake: export files in landing/, what was planted in truth/, and counts of both."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_lake import landing
from data_lake.layout import Layout

TYPES = {"text": pa.string(), "time": pa.timestamp("us"), "float": pa.float64(), "int": pa.int64(), "bool": pa.bool_()}
EXPORTS = "source:text name:text exported_at:time note:text"
"""The truth table every world has: the files it filed, with what is wrong about them."""


def column_names(columns: str) -> list[str]:
    """The names in `name:type name:type ...`, as truth tables are declared."""
    return [column.split(":")[0] for column in columns.split()]


class Output:
    """The lake a world is written into. `folder` is for files under way; `counts` are rows as they happened."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout, self.folder = layout, folder
        self.counts: Counter[str] = Counter()
        self.files: list[str] = []
        self.truth: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def land(self, source: str, path: Path, exported_at: datetime, note: str = "") -> None:
        """Move a file of `folder` into landing/ as an export of that source."""
        self.files.append(path.name)
        row = {"source": source, "name": path.name, "exported_at": exported_at, "note": note or None}
        self.truth["exports"].append(row)
        landing.add(self.layout, path, source=source, sidecar={"exported_at": exported_at}, move=True)

    def write_truth(self, tables: Mapping[str, str]) -> None:
        """One Parquet file per table in truth/: `tables` gives the columns of each as `name:type name:type ...`.

        Types are those of `TYPES`. A table without rows is written all the same; `exports` needs no declaration.
        """
        self.layout.truth.mkdir(parents=True, exist_ok=True)
        for table, columns in {**tables, "exports": EXPORTS}.items():
            schema = pa.schema([(name, TYPES[kind]) for name, kind in (c.split(":") for c in columns.split())])
            rows = pa.Table.from_pylist(self.truth[table], schema=schema)
            pq.write_table(rows, self.layout.truth / f"{table}.parquet", compression="zstd")
