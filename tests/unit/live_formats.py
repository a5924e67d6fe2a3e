"""Reads an export with its source, for the tests of formats; every table is checked against its contract's columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_lake.contracts import contract
from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Source
from data_lake.sources.reading.blocks import read_head


class Read:
    """What a file gave: good rows by entity, bad rows, and problems."""

    def __init__(
        self,
        source: Source,
        folder: Path,
        content: str | bytes,
        sidecar: Mapping[str, Any] | None = None,
        name: str = "export",
    ) -> None:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.what = source.recognise(read_head(path))
        self.problems: list[Problem] = []
        self.bad: list[dict[str, Any]] = []
        self._rows: dict[str, list[dict[str, Any]]] = {entity: [] for entity in source.entities}
        for part in source.parse(Export(path, source.name, name, sidecar or {})):
            if isinstance(part, Problem):
                self.problems.append(part)
                continue
            self._take(part.entity, part.table)

    def _take(self, entity: str, table: pa.Table) -> None:
        schema = contract(entity).arrow_schema
        assert {ROW, TEXT, PROBLEM} <= set(table.column_names)
        for name in set(table.column_names) - {ROW, TEXT, PROBLEM}:
            table.column(name).cast(schema.field(name).type)
        for row in table.to_pylist():
            (self.bad if row[PROBLEM] is not None else self._rows[entity]).append(row)

    def rows(self, entity: str) -> list[dict[str, Any]]:
        return self._rows[entity]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self._rows["chat_messages"]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self._rows["stream_events"]

    @property
    def actions(self) -> list[dict[str, Any]]:
        return self._rows["moderation_actions"]

    @property
    def reasons(self) -> list[str]:
        return [row[PROBLEM] for row in self.bad]
