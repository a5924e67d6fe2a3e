"""The lines of a pull file to rows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from data_lake.contracts import contract
from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.live.twitch_helix.rows import LARGEST, READERS, Fields, Row, Snapshot, clean, moment
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.repair import session
from data_lake.sources.reading.sidecars import stated_time
from data_lake.sources.reading.splitting import CLIP, PIECES, split_lines
from data_lake.sources.reading.twitch_videos import STREAM_ROWS, VIDEO_ROWS, VIDEOS

# Lists of which a snapshot may be compared with the next: their snapshots are rows of channel_snapshots.
LISTS = {
    "channels/followers": "followers",
    "subscriptions": "subscriptions",
    "moderation/moderators": "moderators",
    "channels/vips": "vips",
    "moderation/banned": "banned",
    "schedule": "schedule",
}
COUNTED = {"channels/followers": "follower_count", "subscriptions": "subscriber_count"}
BATCH_ROWS = 20_000


@dataclass
class _File:
    """What is known of the file while its lines are read."""

    endpoint: str | None = None
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(None, None, None, None))
    end: Row | None = None
    pages: int = 0
    total: int | None = None
    vacation: Row | None = None
    last_received: datetime | None = None
    last_row: int = 1
    held: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    videos: list[tuple[int, str]] = field(default_factory=list)

    def hold(self, entity: str, row: int, columns: Row, problem: str | None = None, text: str | None = None) -> None:
        received = self.snapshot.received_at
        self.held[entity].append(
            {"platform": "twitch", "extracted_at": received, **columns, ROW: row, PROBLEM: problem, TEXT: text}
        )

    def rows(self, at_least: int = 1) -> Iterator[Rows]:
        """The rows held, when there are enough of an entity."""
        for entity in [e for e, rows in self.held.items() if len(rows) >= at_least]:
            yield Rows(entity, _table(entity, self.held.pop(entity)))


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield the rows of every page, one api_calls row per call, and one row about the snapshot.

    A line that cannot be read is a problem and costs only its own page; a row that cannot be read is a bad row.
    """
    problems: list[Problem] = []
    file = _File(end=_end(export))
    complete = bool(file.end and file.end.get("is_complete"))
    try:
        exported_at = stated_time(export.sidecar, "exported_at")
    except ValueError as error:
        exported_at = None
        yield Problem(None, str(error))
    file.snapshot = replace(file.snapshot, observed_at=exported_at, is_complete=complete)
    for lines in split_lines(read_utf8(export.path, problems)):
        columns = (lines.column(name).to_pylist() for name in (ROW, TEXT, PROBLEM))
        for row, text, problem in zip(*columns, strict=True):
            line, reason = (None, problem) if problem else _object(text)
            if line is None:
                yield Problem(row, reason or "", text[:CLIP])
                continue
            yield from _line(file, row, line, text)
            yield from file.rows(BATCH_ROWS)
    yield from problems
    _finish(file)
    yield from file.rows()
    yield from _videos(file)


def _object(text: str) -> tuple[Row | None, str | None]:
    try:
        value = json.loads(text)
    except ValueError as error:
        return None, f"the line is no JSON ({error})"
    except RecursionError:
        return None, "the line is nested too deeply"
    return (value, None) if isinstance(value, dict) else (None, "the line is no JSON object")


def _end(export: Export) -> Row | None:
    """The end line, wherever it stands: whether the snapshot is complete has to be known before its first row."""
    end = None
    for lines in split_lines(read_utf8(export.path, [])):
        for text in lines.column(TEXT).to_pylist():
            if text.startswith('{"kind": "end"'):
                end = _object(text)[0] or end
    return end


def _line(file: _File, row: int, line: Row, text: str) -> Iterator[Problem]:
    kind = line.get("kind")
    if kind == "request":
        file.endpoint = str(line.get("endpoint"))
        began = moment(line.get("requested_at")) or file.snapshot.observed_at
        channel = line.get("channel_id")
        file.snapshot = replace(file.snapshot, observed_at=began, channel_id=clean(str(channel)) if channel else None)
    elif kind in ("page", "failed", "calls"):
        file.snapshot = replace(file.snapshot, received_at=moment(line.get("received_at")))
        calls = line.get("calls")
        _calls(
            file, row, calls if isinstance(calls, list) else [], None if kind == "calls" else file.snapshot.channel_id
        )
        if kind == "page":
            yield from _page(file, row, line, text)
    elif kind not in ("restart", "end"):
        expected = "request, page, restart, failed, calls or end"
        yield Problem(row, f"the line is of kind {kind!r}; expected {expected}", text[:CLIP])


def _calls(file: _File, row: int, calls: list[Any], channel_id: str | None) -> None:
    for call in calls:
        f = Fields(call if isinstance(call, dict) else {})
        columns = {
            "requested_at": f.time("requested_at"), "endpoint": f.text("endpoint"), "method": f.text("method"),
            "channel_id": channel_id, "status": f.whole("status"), "response_ms": f.whole("response_ms"),
            "quota_cost": f.whole("quota_cost"), "quota_remaining": f.whole("quota_remaining"),
            "retry_count": f.whole("retry_count"), "error": f.text("error"),
        }  # fmt: skip
        received_at = file.snapshot.received_at or columns["requested_at"]
        file.hold("api_calls", row, {**columns, "extracted_at": received_at, "extra": f.extra()}, f.problem)


def _page(file: _File, row: int, line: Row, text: str) -> Iterator[Problem]:
    body = line.get("body")
    endpoint = file.endpoint or _endpoint(line)
    if not isinstance(body, dict):
        yield Problem(row, "the page holds no JSON object", text[:CLIP])
        return
    if file.snapshot.channel_id is None and endpoint in LISTS:
        asked = Fields(line).inside("params").get("broadcaster_id")
        file.snapshot = replace(file.snapshot, channel_id=clean(str(asked)) if asked else None)
    file.pages += 1
    file.last_row = row
    file.last_received = file.snapshot.received_at or file.last_received
    file.total = file.total if (total := _count(body.get("total"))) is None else total
    data = body.get("data")
    if isinstance(data, dict):
        vacation = data.get("vacation")
        file.vacation = vacation if isinstance(vacation, dict) else file.vacation
        data = data.get("segments")
    if data is None:
        return
    if not isinstance(data, list):
        yield Problem(row, "'data' of the page is no list", text[:CLIP])
    elif endpoint == "videos":
        file.videos.append((row, clean(json.dumps({"data": data}, ensure_ascii=False))))
    elif endpoint in READERS:
        for one in data:
            _row(file, row, endpoint, one)
    else:
        yield Problem(row, f"no rows are read from {endpoint}", text[:CLIP])


def _endpoint(line: Row) -> str:
    """The endpoint a page's own calls name, where the request line is lost."""
    calls = line.get("calls")
    last = calls[-1] if isinstance(calls, list) and calls else {}
    return str(last.get("endpoint")) if isinstance(last, dict) else ""


def _row(file: _File, row: int, endpoint: str, element: object) -> None:
    f = Fields(element if isinstance(element, dict) else {})
    entities = list(READERS[endpoint](f, file.snapshot))
    if not isinstance(element, dict):
        f.problem = "the row is no JSON object"
    text = clean(json.dumps(element, ensure_ascii=False))[:CLIP] if f.problem else None
    for number, (entity, columns) in enumerate(entities):
        if number and f.problem:
            # The object is one bad row, not one per entity.
            return
        file.hold(entity, row, columns, f.problem, text)


def _finish(file: _File) -> None:
    """The rows about the snapshot itself."""
    if not file.pages or file.snapshot.channel_id is None or file.endpoint not in LISTS:
        return
    file.snapshot = replace(file.snapshot, received_at=file.last_received)
    about: Row = {"channel_id": file.snapshot.channel_id, "observed_at": file.snapshot.observed_at}
    snapshot = {
        "list_name": LISTS[file.endpoint], "ended_at": file.last_received, "total_count": file.total,
        "row_count": _count(file.end.get("rows")) if file.end else None, "is_complete": file.snapshot.is_complete,
        "extra": clean(json.dumps({"vacation": file.vacation})) if file.vacation else None,
    }  # fmt: skip
    file.hold("channel_snapshots", file.last_row, {**about, **snapshot})
    if file.endpoint in COUNTED and file.total is not None:
        file.hold("channels", file.last_row, {**about, COUNTED[file.endpoint]: file.total})


def _count(value: object) -> int | None:
    """A number of rows; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST else None


def _table(entity: str, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema([*contract(entity).arrow_schema, *PIECES]))


def _videos(file: _File) -> Iterator[Rows]:
    """The rows of all pages of videos at once: the parts of one stream may lie on two pages."""
    if not file.videos:
        return
    pieces = pa.table(
        {ROW: [r for r, _ in file.videos], TEXT: [t for _, t in file.videos], PROBLEM: [None] * len(file.videos)},
        schema=PIECES,
    )
    with session() as con:
        con.register("pieces", pieces)
        con.execute(VIDEOS)
        for entity, query in (("streams", STREAM_ROWS), ("videos", VIDEO_ROWS)):
            table = con.execute(query).to_arrow_table()
            if table.num_rows:
                yield Rows(entity, _seen(entity, table, file))


def _seen(entity: str, table: pa.Table, file: _File) -> pa.Table:
    """The table with the moment of the snapshot, and whether it was complete."""
    moments: Row = {"observed_at": file.snapshot.observed_at, "extracted_at": file.last_received}
    schema = contract(entity).arrow_schema
    if "is_complete" in schema.names:
        moments["is_complete"] = file.snapshot.is_complete
    for name, value in moments.items():
        kind = schema.field(name).type
        table = table.append_column(name, pa.array([value] * table.num_rows, kind))
    return table
