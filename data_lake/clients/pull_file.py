"""The file a pull writes: pages as received, one per line, landed whole when the pull is done.

    {"kind": "request", "endpoint": ..., "channel_id": ..., "params": ..., "requested_at": ...}
    {"kind": "page", "pass": 1, "params": ..., "received_at": ..., "status": 200, "response_ms": ..., "retries": ...,
     "calls": [...], "body": <the answer>}
    {"kind": "restart", "pass": 2, "query": ..., "reason": ...}     the list was walked again from its start
    {"kind": "failed", "reason": ..., "calls": [...]}               calls that brought no page
    {"kind": "calls", "calls": [...]}                               calls that belong to no list
    {"kind": "end", "finished_at": ..., "rows": ..., "total": ..., "is_complete": ...}

Until then it is `landing/<source>/.pulling/<name>.jsonl.partial`, which no ingest sees and the next pull goes on with.
What to ask for does not belong here (see `pull`).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from data_lake.clients.http import Call, Clock, Trace
from data_lake.clients.twitch.endpoints import cursor_of, rows_of
from data_lake.landing import add
from data_lake.layout import Layout

SOURCE = "twitch_helix"


class PullBusy(Exception):
    """Another process is pulling into this lake."""


@dataclass
class Recorded:
    """What is known of a page without keeping its body."""

    row_ids: list[str]
    cursor: str | None
    total: int | None


@dataclass
class PullFile:
    """One file under way. `recorded` holds the pages it already has, by pass and parameters; `passes` how
    often each query was begun."""

    layout: Layout
    path: Path
    request: dict[str, Any]
    clock: Clock
    passes: dict[str, int] = field(default_factory=dict)
    recorded: dict[str, Recorded] = field(default_factory=dict)
    is_ended: bool = False

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(".partial")

    def page(
        self, number: int, params: Mapping[str, Any], received_at: str, status: int, body: bytes, trace: Trace
    ) -> None:
        """Append a page. Line feeds of the body become spaces: JSON has none inside strings, so no value changes."""
        about = {
            "kind": "page", "pass": number, "params": dict(params), "received_at": received_at, "status": status,
            "response_ms": trace.calls[-1].response_ms, "retries": trace.retries,
            "calls": [c.as_json() for c in trace.calls],
        }  # fmt: skip
        text = json.dumps(about, ensure_ascii=False)
        self._append(text[:-1].encode() + b', "body": ' + body.replace(b"\r", b" ").replace(b"\n", b" ") + b"}\n")

    def restart(self, number: int, query: Mapping[str, Any], reason: str) -> None:
        """Note that a query is begun for the n-th time; nothing when a killed pull had noted it."""
        if self.passes.get(page_key(0, query), 1) < number:
            self.passes[page_key(0, query)] = number
            said = {"kind": "restart", "pass": number, "query": dict(query), "at": self.clock.stamp(), "reason": reason}
            self._line(said)

    def opened(self, calls: Sequence[Call]) -> None:
        """Append calls that were made before this file and belong to no list; nothing when there were none."""
        if calls:
            self._line({"kind": "calls", "calls": [c.as_json() for c in calls]})

    def failed(self, reason: str, trace: Trace) -> None:
        """Append calls that brought no page; nothing when there were none."""
        if trace.calls:
            self._line({"kind": "failed", "reason": reason, "calls": [c.as_json() for c in trace.calls]})

    def land(
        self, *, rows: int | None = None, total: int | None = None, is_complete: bool | None = None, suffix: str = ""
    ) -> Path:
        """Write the end and file it in landing/; returns its place there. Without `is_complete` no end is written."""
        if not self.is_ended and is_complete is not None:
            counts = {"rows": rows, "total": total, "is_complete": is_complete}
            self._line({"kind": "end", "finished_at": self.clock.stamp(), **counts})
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        whole = self.path.with_name(self.name.removesuffix(".jsonl") + suffix + ".jsonl")
        self.path.replace(whole)
        return land_whole(self.layout, whole)

    def _line(self, said: dict[str, Any]) -> None:
        self._append(json.dumps(said, ensure_ascii=False).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)


def land_whole(layout: Layout, whole: Path) -> Path:
    """File a finished pull under its content; does nothing again for content that is there."""
    with whole.open("rb") as file:
        first = json.loads(file.readline())
    said = {"name": whole.name, "platform": "twitch", "exported_at": _naive(first["requested_at"])}
    added = add(layout, whole, source=SOURCE, sidecar=said, move=True)
    whole.unlink(missing_ok=True)
    return added.path


def _naive(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).replace(tzinfo=None)


def landed(layout: Layout, name: str) -> Path | None:
    """The landing file of a pull, if it is there."""
    return next(iter(sorted((layout.landing / SOURCE).glob(f"????????????????-{name}"))), None)


@contextmanager
def pulling_alone(layout: Layout) -> Iterator[None]:
    """Hold the lake's pulls, not the lake: polling goes on while a run builds. Raises PullBusy."""
    folder = layout.pulling(SOURCE)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PullBusy(f"another process is pulling into {layout.root}; wait for it to end") from None
        yield
    finally:
        os.close(descriptor)


def begin(layout: Layout, name: str, request: dict[str, Any], clock: Clock, ids: str = "id") -> PullFile:
    """The partial of this name, resumed, or a new one. `ids` is the field a row is known by."""
    path = layout.pulling(SOURCE) / f"{name}.partial"
    if path.exists():
        found = reopen(layout, path, clock, ids)
        if found:
            return found
    file = PullFile(layout, path, request, clock)
    path.write_bytes(json.dumps({"kind": "request", **request}, ensure_ascii=False).encode() + b"\n")
    return file


def reopen(layout: Layout, path: Path, clock: Clock, ids: str = "id") -> PullFile | None:
    """A partial as it was left; its last line is cut off when it is torn. None when not even the request is whole."""
    file: PullFile | None = None
    whole = 0
    with path.open("rb") as lines:
        for line in lines:
            try:
                said = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                said = None
            if not isinstance(said, dict):
                break
            if file is None:
                file = PullFile(layout, path, {k: v for k, v in said.items() if k != "kind"}, clock)
            elif said["kind"] == "page":
                body = said["body"] if isinstance(said["body"], dict) else {}
                found = Recorded(row_ids(rows_of(body), ids), cursor_of(body), body.get("total"))
                file.recorded[page_key(said["pass"], said["params"])] = found
            elif said["kind"] == "restart":
                file.passes[page_key(0, said["query"])] = said["pass"]
            elif said["kind"] == "end":
                file.is_ended = True
            whole += len(line)
    if file is None:
        return None
    if whole < path.stat().st_size:
        os.truncate(path, whole)
    return file


def row_ids(rows: Sequence[Mapping[str, Any]], ids: str) -> list[str]:
    return [str(row[ids]) for row in rows if row.get(ids)]


def page_key(number: int, params: Mapping[str, Any]) -> str:
    """What a page is found again by when a pull is resumed."""
    return json.dumps([number, sorted((k, list(v) if isinstance(v, tuple) else v) for k, v in params.items())])


def land_leftovers(layout: Layout, clock: Clock) -> list[Path]:
    """File what killed pulls left: whole files, and partials of earlier days, which become incomplete snapshots.

    A snapshot belongs to its UTC day: one whose pages lie on two days shows neither.
    """
    done = [land_whole(layout, p) for p in sorted(layout.pulling(SOURCE).glob("*.jsonl"))]
    for path in sorted(layout.pulling(SOURCE).glob("*.jsonl.partial")):
        file = reopen(layout, path, clock)
        if file is None:
            path.unlink()
        elif file.is_ended or _naive(file.request["requested_at"]).date() < clock.now().date():
            done.append(file.land())
    return done
