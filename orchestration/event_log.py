"""Dagster's SQLite event log, with writes in bulk.

Dagster stores one planned and one materialization event per asset and partition. The stock class opens and commits
several connections for each: 10 assets over 400 days took 136 s. Here a batch is one transaction per database, and
the planned events of a range of partitions arrive as one event that is spread over its partitions while it is written.
What is read back is what the stock class would hold, but for assets without partitions: Dagster plans every day of a
run for them too, and nothing ever materializes those days. Batches exist only when DAGSTER_EVENT_BATCH_SIZE is set (see
`home`); events outside a batch take the stock path.
"""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster import AssetKey, DagsterEventType, EventLogEntry, Field, StringSource
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, AssetMaterializationPlannedData
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData, serialize_value
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

PLANNED = DagsterEventType.ASSET_MATERIALIZATION_PLANNED
CHECK_PLANNED = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
BULK = {PLANNED, CHECK_PLANNED, DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_OBSERVATION}

# Stands for the partition in an event that is serialized once for all of them; no partition key looks like it.
ANY_PARTITION = "{any partition of this event}"

# Connections kept open: the index, the run being written, and a few that are being looked at.
KEEP_OPEN = 4

TEMPORARY_HOME = "FULLHOUSE_TEMPORARY_EVENT_LOG"

Row = dict[str, Any]


class BatchingSqliteEventLogStorage(SqliteEventLogStorage):
    """The stock SQLite event log, under `home` (DAGSTER_HOME unless stated), where a stock instance looks for it."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._open: OrderedDict[str, Connection] = OrderedDict()
        self._shared: dict[str, Connection] = {}
        # Reentrant, unlike the stock lock: a batch calls methods that connect while it holds a connection.
        self._connection_lock = threading.RLock()
        self._process = os.getpid()
        self._partitioned: tuple[str, set[AssetKey]] = ("", set())
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        return {"home": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> BatchingSqliteEventLogStorage:
        folder = config_value.get("home") or os.environ.get("DAGSTER_HOME") or _temporary_home()
        return cls(str(Path(folder) / "history" / "runs"), inst_data)

    @property
    def supports_partition_subset_in_asset_materialization_planned_events(self) -> bool:
        return True

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """A connection in a transaction; inside `_one_transaction`, the one that is already open."""
        with self._connection_lock:
            if shard in self._shared:
                yield self._shared[shard]
                return
            connection = self._kept_open(shard)
            with connection.begin():
                yield connection

    def _kept_open(self, shard: str) -> Connection:
        """An open connection to a shard. The stock class opens and closes one for each event, and every close copies
        the write-ahead log into the database: 6 ms of an event's 20."""
        if self._process != os.getpid():
            self._open, self._process = OrderedDict(), os.getpid()  # SQLite connections do not survive a fork
        if shard in self._open:
            self._open.move_to_end(shard)
            return self._open[shard]
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=NullPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        connection = engine.connect()
        # With a write-ahead log this loses at most the last events when the machine (not the process) dies.
        connection.exec_driver_sql("pragma synchronous = normal")
        connection.commit()
        self._open[shard] = connection
        while len(self._open) > KEEP_OPEN:
            self._open.popitem(last=False)[1].close()
        return connection

    def _close_all(self) -> None:
        with self._connection_lock:
            while self._open:
                self._open.popitem()[1].close()

    def wipe(self) -> None:
        self._close_all()
        super().wipe()

    def dispose(self) -> None:
        self._close_all()
        super().dispose()

    @contextmanager
    def _one_transaction(self, shard: str) -> Iterator[Connection]:
        """Every connection to the shard that is asked for inside is this one: one open, one commit."""
        with self._connection_lock, self._connect(shard) as connection:
            outermost = shard not in self._shared
            self._shared[shard] = connection
            try:
                yield connection
            finally:
                if outermost:
                    del self._shared[shard]

    def store_event(self, event: EventLogEntry) -> None:
        if _is_bulk(event):
            self.store_event_batch([event])
        elif event.dagster_event_type in ASSET_CHECK_EVENTS:
            with self._one_transaction(INDEX_SHARD_NAME):
                super().store_event(event)
        else:
            super().store_event(event)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in order: one transaction in each run's database, then one in the index."""
        bulk = [event for event in events if _is_bulk(event)]
        for event in events:
            if not _is_bulk(event):
                super().store_event(event)
        rows = [(event, row) for event in bulk for row in self._rows(event)]
        for run_id in dict.fromkeys(event.run_id for event, _ in rows):
            with self.run_connection(run_id) as connection:
                own = [row for _, row in rows if row["run_id"] == run_id]
                connection.execute(SqlEventLogStorageTable.insert(), own)
        if rows:
            self._index(rows)

    def _index(self, rows: Sequence[tuple[EventLogEntry, Row]]) -> None:
        """Mirror the rows in the index, as the stock class does event by event."""
        with self._one_transaction(INDEX_SHARD_NAME) as connection:
            ids = _insert(connection, [row for _, row in rows])
            entries = [(event, identifier) for (event, _), identifier in zip(rows, ids, strict=True)]
            assets = [(event, identifier) for event, identifier in entries if event.dagster_event_type in ASSET_EVENTS]
            self._store_asset_event_tags(connection, [event for event, _ in assets], [number for _, number in assets])
            # An asset's row keeps its last event of each type only: write it once.
            last = {(_key(event), event.dagster_event_type): (event, number) for event, number in assets}
            for event, number in last.values():
                self._store_asset_event(connection, event, number)
            checks = [row for event, number in entries for row in self._check_rows(event, number)]
            if checks:
                connection.execute(AssetCheckExecutionsTable.insert(), checks)

    def _rows(self, event: EventLogEntry) -> Iterator[Row]:
        """The event's rows: one, or one per partition of a planned range."""
        dagster_event = event.get_dagster_event()
        if event.dagster_event_type != PLANNED or dagster_event.partitions_subset is None:
            yield self._event_to_row(event)
            return
        key = dagster_event.asset_materialization_planned_data.asset_key
        if key not in self._partitioned_assets(event.run_id):
            whole = dagster_event._replace(event_specific_data=AssetMaterializationPlannedData(key))
            yield self._event_to_row(event._replace(dagster_event=whole))
            return
        one = dagster_event._replace(event_specific_data=AssetMaterializationPlannedData(key, ANY_PARTITION))
        template = self._event_to_row(event._replace(dagster_event=one))
        for partition in dagster_event.partitions_subset.get_partition_keys():
            body = template["event"].replace(ANY_PARTITION, partition)
            yield template | {"partition": partition, "event": body}

    def _partitioned_assets(self, run_id: str) -> set[AssetKey]:
        """Assets among the outputs of a run that are kept by partition, as the run's plan has them."""
        if self._partitioned[0] != run_id:
            run: Any = self._instance.get_run_by_id(run_id)
            plan: Any = self._instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
            outputs = [output.properties for step in plan.steps for output in step.outputs]
            self._partitioned = run_id, {o.asset_key for o in outputs if o.asset_key and o.is_asset_partitioned}
        return self._partitioned[1]

    def _check_rows(self, event: EventLogEntry, identifier: int) -> Iterator[Row]:
        if event.dagster_event_type != CHECK_PLANNED:
            return
        planned: Any = event.get_dagster_event().event_specific_data
        partitions = planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None]
        body = serialize_value(event)
        for partition in partitions:
            yield {
                "asset_key": planned.asset_key.to_string(),
                "check_name": planned.check_name,
                "partition": partition,
                "run_id": event.run_id,
                "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
                "evaluation_event": body,
                "evaluation_event_timestamp": self._event_insert_timestamp(event),  # type: ignore[no-untyped-call]
                "evaluation_event_storage_id": identifier,
            }


def _temporary_home() -> str:
    """A folder that lasts as long as this process, for it and its children.

    Without DAGSTER_HOME, commands such as `dagster definitions validate` make a temporary instance from the
    dagster.yaml they find, and do not tell us where.
    """
    if TEMPORARY_HOME not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="fullhouse-dagster-")
        atexit.register(folder.cleanup)
        os.environ[TEMPORARY_HOME] = folder.name
    return os.environ[TEMPORARY_HOME]


def _is_bulk(event: EventLogEntry) -> bool:
    return event.dagster_event_type in BULK


def _key(event: EventLogEntry) -> Any:
    return event.get_dagster_event().asset_key


def _insert(connection: Connection, rows: Sequence[Row]) -> range:
    """Insert the rows and return their ids: inside one transaction SQLite numbers them without gaps."""
    connection.execute(SqlEventLogStorageTable.insert(), rows)
    last: int = connection.execute(text("select last_insert_rowid()")).scalar_one()
    return range(last - len(rows) + 1, last + 1)
