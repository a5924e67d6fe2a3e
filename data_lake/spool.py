"""Rows on their way from the parsers to their partitions: one Arrow stream per entity, on disk.

The files of a group are read side by side and write here in turn, so memory does not grow with their size, and a small
file costs a batch and no file of its own.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.contracts import Contract, contract
from data_lake.sources.base import PROBLEM, ROW, TEXT, Rows

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


def _schema(expected: Contract) -> pa.Schema:
    return pa.schema([*expected.arrow_schema, (ROW, pa.int64()), (TEXT, pa.string()), (PROBLEM, pa.string())])


class Spool:
    """The rows of a group of landing files, by entity. Write from any thread, then close, then open each entity."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._turn = threading.Lock()
        self._writers: dict[str, pa.RecordBatchStreamWriter] = {}
        self._latest: dict[str, dict[bool, datetime]] = defaultdict(dict)

    def write(self, landing_file: str, part: Rows) -> None:
        """Keep rows of one landing file. Raises ArrowInvalid when a column does not cast to the contract's type."""
        expected = contract(part.entity)
        schema = _schema(expected)
        table, count = part.table, part.table.num_rows
        self._see(landing_file, expected, table)
        arrays = []
        for column in schema:
            if column.name == "landing_file":
                arrays.append(pa.repeat(pa.scalar(landing_file), count))
            elif column.name in table.column_names:
                values = table.column(column.name)
                arrays.append(values if values.type == column.type else values.cast(column.type))
            else:
                arrays.append(pa.nulls(count, column.type))
        rows = pa.Table.from_arrays(arrays, schema=schema).combine_chunks()
        with self._turn:
            if part.entity not in self._writers:
                path = self._path(part.entity)
                self._writers[part.entity] = pa.ipc.new_stream(path, schema, options=_COMPRESSED)
            self._writers[part.entity].write_table(rows)

    def _see(self, landing_file: str, expected: Contract, table: pa.Table) -> None:
        names = [c.name for c in expected.columns if c.type == "timestamp" and c.name in table.column_names]
        good = table.select(names)
        if PROBLEM in table.column_names and table.column(PROBLEM).null_count < table.num_rows:
            good = good.filter(pc.is_null(table.column(PROBLEM)))
        latest = self._latest[landing_file]
        if good.num_rows:
            for name in names:
                is_event = expected.kind == "event" and name == expected.event_time
                last = pc.max(good.column(name).cast(pa.timestamp("us"))).as_py()
                if last is not None:
                    latest[is_event] = max(last, latest.get(is_event, last))

    def latest(self, landing_file: str) -> datetime | None:
        """The latest event time in the file, else its latest time of any kind: when it was exported at the earliest."""
        return self._latest[landing_file].get(True, self._latest[landing_file].get(False))

    def close(self) -> None:
        """Finish writing."""
        for writer in self._writers.values():
            writer.close()

    def holds(self, entity: str) -> bool:
        """Whether any rows of the entity were written."""
        return entity in self._writers

    def open(self, entity: str) -> pa.RecordBatchReader:
        """The rows of an entity, to be read once; none when none were written."""
        if not self.holds(entity):
            return pa.RecordBatchReader.from_batches(_schema(contract(entity)), [])
        return pa.ipc.open_stream(pa.OSFile(str(self._path(entity))))

    def _path(self, entity: str) -> Path:
        return self._folder / f"{entity}.arrows"
