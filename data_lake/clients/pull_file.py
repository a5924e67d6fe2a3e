"""The file a pull writes: pages as received, one per line, landed whole when the pull is done.

    {"kind": "request", "platform": ..., "endpoint": ..., "<target>_id": ..., "params": ..., "requested_at": ...}
    {"kind": "page", "pass": 1, "params": ..., "received_at": ..., "status": 200, "response_ms": ..., "retries": ...,
     "calls": [...], "body": <the answer>}
    {"kind": "restart", "pass": 2, "query": ..., "reason": ...}     the list was walked again from its start
    {"kind": "failed", "reason": ..., "calls": [...]}               calls that brought no page
    {"kind": "calls", "calls": [...]}                               calls that belong to no list
    {"kind": "end", "finished_at": ..., "rows": ..., "total": ..., "is_complete": ...}

Until then it is `landing/<source>/.pulling/<name>.jsonl.partial`, which no ingest sees and the next pull goes on with.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from data_lake.clients.base import Client, Endpoint, Params, Row
from data_lake.clients.errors import PullBusy
from data_lake.clients.http import Attempts, Call, Clock
from data_lake.landing import add
from data_lake.layout import Layout
from data_lake.lock import ProcessLock


@dataclass
class RecordedPage:
    """What is known of a page without keeping its body."""

    row_ids: list[str]
    cursor: str | None
    total: int | None


@dataclass
class PullFile:
    """One file under way. `recorded` holds the pages it already has, by pass and parameters; `passes` how
    often each query was begun."""

    folder: PullFolder
    path: Path
    request: dict[str, Any]
    passes: dict[str, int] = field(default_factory=dict)
    recorded: dict[str, RecordedPage] = field(default_factory=dict)
    is_ended: bool = False

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(".partial")

    @property
    def requested_at(self) -> datetime:
        return _naive(self.request["requested_at"])

    def page(
        self, number: int, params: Mapping[str, Any], received_at: str, status: int, body: bytes, attempts: Attempts
    ) -> None:
        """Append a page. Line feeds of the body become spaces: JSON has none inside strings, so no value changes."""
        about = {
            "kind": "page", "pass": number, "params": dict(params), "received_at": received_at, "status": status,
            "response_ms": attempts.calls[-1].response_ms, "retries": attempts.retries,
            "calls": [c.as_json() for c in attempts.calls],
        }  # fmt: skip
        text = json.dumps(about, ensure_ascii=False)
        self._append(text[:-1].encode() + b', "body": ' + body.replace(b"\r", b" ").replace(b"\n", b" ") + b"}\n")

    def restart(self, number: int, query: Mapping[str, Any], reason: str) -> None:
        """Note that a query is begun for the n-th time; nothing when a killed pull had noted it."""
        if self.passes.get(page_key(0, query), 1) < number:
            self.passes[page_key(0, query)] = number
            at = self.folder.clock.stamp()
            self._line({"kind": "restart", "pass": number, "query": dict(query), "at": at, "reason": reason})

    def opened(self, calls: Sequence[Call]) -> None:
        """Append calls that were made before this file and belong to no list; nothing when there were none."""
        if calls:
            self._line({"kind": "calls", "calls": [c.as_json() for c in calls]})

    def failed(self, reason: str, attempts: Attempts) -> None:
        """Append calls that brought no page; nothing when there were none."""
        if attempts.calls:
            self._line({"kind": "failed", "reason": reason, "calls": [c.as_json() for c in attempts.calls]})

    def land(
        self, *, rows: int | None = None, total: int | None = None, is_complete: bool | None = None, suffix: str = ""
    ) -> Path:
        """Write the end and file it in landing/; returns its place there. Without `is_complete` no end is written."""
        if not self.is_ended and is_complete is not None:
            counts = {"rows": rows, "total": total, "is_complete": is_complete}
            self._line({"kind": "end", "finished_at": self.folder.clock.stamp(), **counts})
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        whole = self.path.with_name(self.name.removesuffix(".jsonl") + suffix + ".jsonl")
        self.path.replace(whole)
        return self.folder.land_whole(whole)

    def _line(self, record: dict[str, Any]) -> None:
        self._append(json.dumps(record, ensure_ascii=False).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)


class PullLock(ProcessLock):
    """Holds the lake's pulls, not the lake: polling goes on while a run builds."""

    error = PullBusy


@dataclass(frozen=True)
class PullFolder:
    """Where the pulls of a client into a lake are under way, and where they land."""

    layout: Layout
    client: Client
    clock: Clock

    @property
    def path(self) -> Path:
        return self.layout.pulling(self.client.source)

    def alone(self) -> PullLock:
        """The right to pull from this platform into the lake. Raises PullBusy when another process has it."""
        activity = f"{self.client.title} is being pulled into {self.layout.root}"
        return PullLock(self.path / ".lock", activity, "pull", wait=False)

    def begin(self, name: str, request: dict[str, Any], endpoint: Endpoint) -> PullFile:
        """The partial of this name, resumed, or a new one."""
        path = self.path / f"{name}.partial"
        resumed = self.reopen(path, endpoint) if path.exists() else None
        if resumed:
            return resumed
        first = {"kind": "request", "platform": self.client.platform, **request}
        path.write_bytes(json.dumps(first, ensure_ascii=False).encode() + b"\n")
        return PullFile(self, path, request)

    def reopen(self, path: Path, endpoint: Endpoint | None = None) -> PullFile | None:
        """A partial as it was left; its last line is cut off when it is torn. None when not even the request is whole.

        Of the pages it has, those of `endpoint` are recorded.
        """
        file: PullFile | None = None
        whole = 0
        with path.open("rb") as lines:
            for line in lines:
                try:
                    record = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    record = None
                if not isinstance(record, dict):
                    break
                if file is None:
                    file = PullFile(self, path, {k: v for k, v in record.items() if k != "kind"})
                elif record["kind"] == "page" and endpoint:
                    file.recorded[page_key(record["pass"], record["params"])] = _recorded(record, endpoint)
                elif record["kind"] == "restart":
                    file.passes[page_key(0, record["query"])] = record["pass"]
                elif record["kind"] == "end":
                    file.is_ended = True
                whole += len(line)
        if file is None:
            return None
        if whole < path.stat().st_size:
            os.truncate(path, whole)
        return file

    def landed(self, name: str) -> Path | None:
        """The landing file of a pull, if there is one."""
        return next(iter(sorted((self.layout.landing / self.client.source).glob(f"????????????????-{name}"))), None)

    def land_whole(self, whole: Path) -> Path:
        """File a finished pull under its content; does nothing again for content that is there."""
        with whole.open("rb") as file:
            first = json.loads(file.readline())
        sidecar = {
            "name": whole.name, "platform": self.client.platform, "exported_at": _naive(first["requested_at"]),
        }  # fmt: skip
        added = add(self.layout, whole, source=self.client.source, sidecar=sidecar, move=True)
        whole.unlink(missing_ok=True)
        return added.path

    def land_leftovers(self) -> list[Path]:
        """File what killed pulls left: whole files, and partials of earlier days, which become incomplete snapshots.

        A snapshot belongs to its UTC day: one whose pages lie on two days shows neither.
        """
        done = [self.land_whole(p) for p in sorted(self.path.glob("*.jsonl"))]
        for path in sorted(self.path.glob("*.jsonl.partial")):
            file = self.reopen(path)
            if file is None:
                path.unlink()
            elif file.is_ended or file.requested_at.date() < self.clock.now().date():
                done.append(file.land())
        return done


def _naive(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).replace(tzinfo=None)


def _recorded(record: dict[str, Any], endpoint: Endpoint) -> RecordedPage:
    body = record["body"] if isinstance(record["body"], dict) else {}
    paging = endpoint.paging
    cursor = paging.following(body, record["params"])
    return RecordedPage(row_ids(paging.rows(body), endpoint.row_id), cursor, paging.total(body))


def row_ids(rows: Sequence[Row], row_id: str) -> list[str]:
    """The ids of rows, by the member they are known by."""
    return [str(row[row_id]) for row in rows if row.get(row_id) not in (None, "")]


def page_key(number: int, params: Params) -> str:
    """What a page is found again by when a pull is resumed."""
    return json.dumps([number, sorted((k, list(v) if isinstance(v, tuple) else v) for k, v in params.items())])
