"""Rows as Dagster shows them."""

from __future__ import annotations

from typing import Any

import dagster as dg

WORST_ROWS = 10


def table(records: list[dict[str, Any]]) -> dg.TableMetadataValue:
    """Rows as metadata: numbers and booleans as they are, everything else as text."""
    names = list(records[0])
    shown = [{n: v if isinstance(v, bool | int | float) else _text(v) for n, v in r.items()} for r in records]
    schema = dg.TableSchema([dg.TableColumn(name, _type(shown, name)) for name in names])
    return dg.MetadataValue.table([dg.TableRecord(record) for record in shown], schema)


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:500]


def _type(records: list[dict[str, Any]], name: str) -> str:
    kinds = {type(record[name]) for record in records}
    return {bool: "bool", int: "int", float: "float"}.get(kinds.pop(), "string") if len(kinds) == 1 else "string"
