"""What `dbt_process` reaches into of dbt 1.11 and its DuckDB adapter; it runs there, and imports nothing of ours.

- `drop_events_early`: dbt fills in each debug event, 6,600 a run, makes its line for the terminal and for the file, and
  then throws it away (a fifth of a run over few rows). Here a log's level counts before.
- `packed`, `unpacked`: the parsed project as dbt writes it for its own partial parsing.
- `close_warehouse`: the adapter keeps the warehouse open until its process ends; ours lives on.
"""

from __future__ import annotations

from functools import cache
from typing import Any


def drop_events_early() -> None:
    """Let dbt drop what is below the level of every log before it makes a message of it; until its next command."""
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    ctx_set_event_manager(_early_dropping()())


@cache
def _early_dropping() -> Any:
    """A class of event managers that drop early; while one is at work, debug events that it drops stay empty."""
    from dbt_common.events.base_types import BaseEvent, DebugLevel, EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import get_event_manager

    order = list(EventLevel)

    class EarlyDropping(EventManager):  # type: ignore[misc]
        def drops(self, level: EventLevel) -> bool:
            return order.index(level) < min((order.index(logger.level) for logger in self.loggers), default=0)

        def fire_event(self, e: BaseEvent, level: EventLevel | None = None, *args: Any, **more: Any) -> None:
            if not self.drops(level or e.level_tag()):
                super().fire_event(e, level, *args, **more)

    fill = BaseEvent.__init__

    def start(self: BaseEvent, *args: Any, **content: Any) -> None:
        manager = get_event_manager()
        if isinstance(self, DebugLevel) and isinstance(manager, EarlyDropping) and manager.drops(EventLevel.DEBUG):
            self.pb_msg = getattr(self.PROTO_TYPES_MODULE, type(self).__name__)()
        else:
            fill(self, *args, **content)

    BaseEvent.__init__ = start
    return EarlyDropping


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
