"""What `dbt_process` reaches into of dbt 1.11 and its DuckDB adapter; it runs there, and imports nothing of ours.

- `drop_events_early`: dbt makes the line of each debug event, 6,600 a run, for the terminal and for the file, and then
  throws it away (a fifth of a run over few rows). Here a log's level counts before.
- `packed`, `unpacked`: the parsed project as dbt writes it for its own partial parsing.
- `close_warehouse`: the adapter keeps the warehouse open until its process ends; ours lives on.
"""

from __future__ import annotations

from typing import Any


def drop_events_early() -> None:
    """Let dbt drop what is below the level of every log before it makes a message of it; until its next command."""
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    order = list(EventLevel)

    class EarlyDropping(EventManager):  # type: ignore[misc]
        def fire_event(self, e: BaseEvent, level: EventLevel | None = None, *args: Any, **more: Any) -> None:
            least = min((order.index(logger.level) for logger in self.loggers), default=0)
            if order.index(level or e.level_tag()) >= least:
                super().fire_event(e, level, *args, **more)

    ctx_set_event_manager(EarlyDropping())


def packed(manifest: Any) -> bytes:
    from dbt.parser.manifest import extended_mashumaro_encoder

    content: bytes = manifest.to_msgpack(extended_mashumaro_encoder)
    return content


def unpacked(content: bytes) -> Any:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    return Manifest.from_msgpack(content, decoder=extended_mashumuro_decoder)


def close_warehouse() -> None:
    """Close the warehouse, so that another process may open it."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    reset_adapters()
    with DuckDBConnectionManager._LOCK:
        environment = DuckDBConnectionManager._ENV
        if environment is not None:
            environment.close()
    DuckDBConnectionManager.close_all_connections()
