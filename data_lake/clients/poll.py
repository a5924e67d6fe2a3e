"""Polling what Twitch keeps no history of: who is live, and with how many viewers.

One poll is one snapshot of /streams for all channels. The snapshots of about an hour share a landing file, which is
filed when the hour is over or a stream has ended, so that the analysis of that stream can begin. When to poll is not
decided here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from data_lake.clients.http import NoAnswer, Trace
from data_lake.clients.pull import BATCH, resolve
from data_lake.clients.pull_file import SOURCE, PullFile, begin, land_leftovers, pulling_alone, reopen
from data_lake.clients.twitch_auth import NotConnected
from data_lake.clients.twitch_endpoints import ENDPOINTS, account_for
from data_lake.clients.twitch_helix import HelixClient, HelixError, Params
from data_lake.files import replace_file
from data_lake.layout import Layout

FILE_SPAN = timedelta(hours=1)
# Pages may leave out a stream that is live: only so many snapshots without it say that it has ended.
SAMPLES_TO_END = 2


@dataclass
class Live:
    """A stream that was live at the last snapshot that showed it."""

    channel_id: str
    stream_id: str
    seen_at: str
    viewer_count: int | None = None
    missed: int = 0


@dataclass
class PollReport:
    """What a poll saw: streams live now, streams found ended, files landed, and why it failed (None if it did not)."""

    live: list[Live] = field(default_factory=list)
    ended: list[Live] = field(default_factory=list)
    landed: list[Path] = field(default_factory=list)
    error: str | None = None


def poll(layout: Layout, client: HelixClient, names: Sequence[str] = (), *, flush: bool = False) -> PollReport:
    """Take one snapshot of who is live. `flush` files the snapshots so far, as a polling that stops should.

    A snapshot that fails is a hole in the samples and is reported, not raised. Raises PullBusy, NotConnected without
    any login, HelixError for an unknown channel.
    """
    report = PollReport()
    clock = client.http.clock
    with pulling_alone(layout):
        report.landed += land_leftovers(layout, clock)
        channels = resolve(layout, client, names)
        try:
            file = _open_file(layout, client, report.landed)
        except (NoAnswer, NotConnected) as error:
            report.error = str(error)
            return report
        file.opened(client.take_opening_calls())
        try:
            rows = _snapshot(client, file, [c.channel_id for c in channels])
        except (HelixError, NoAnswer, NotConnected) as error:
            report.error = f"{error}; the viewers of this moment are not known"
        else:
            report.live, report.ended = _compare(layout, rows, clock.stamp())
        is_over = clock.now() - _began(file) >= FILE_SPAN
        if flush or is_over or report.ended:
            report.landed.append(file.land(is_complete=True))
    return report


def _open_file(layout: Layout, client: HelixClient, landed: list[Path]) -> PullFile:
    """The file of the present hour; one from before is filed first and added to `landed`."""
    clock = client.http.clock
    for path in sorted(layout.pulling(SOURCE).glob("streams-*.jsonl.partial")):
        file = reopen(layout, path, clock)
        if file and clock.now() - _began(file) < FILE_SPAN:
            return file
        if file:
            landed.append(file.land(is_complete=True))
    # Twitch wants logins to be validated at least every hour.
    client.validate()
    endpoint = ENDPOINTS["streams"]
    request: dict[str, Any] = {"endpoint": endpoint.path, "params": {}, "requested_at": clock.stamp()}
    return begin(layout, f"streams-all-{clock.now():%Y-%m-%dT%H-%M-%S-%f}.jsonl", request, clock)


def _began(file: PullFile) -> datetime:
    return datetime.fromisoformat(file.request["requested_at"]).replace(tzinfo=None)


def _snapshot(client: HelixClient, file: PullFile, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The live streams by channel. Twitch lists a stream twice where pages shift: the last one counts."""
    endpoint = ENDPOINTS["streams"]
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), BATCH):
        account = account_for(client.accounts, endpoint, ids[start], ids[start])
        params: Params = {"user_id": tuple(ids[start : start + BATCH]), "first": str(endpoint.page_size)}
        trace = Trace()
        try:
            page = client.page(endpoint, params, account, trace)
        except (HelixError, NoAnswer, NotConnected) as error:
            file.failed(str(error), trace)
            raise
        file.page(1, params, page.received_at, page.status, page.body, trace)
        found |= {str(row["user_id"]): row for row in page.rows if row.get("user_id") and row.get("id")}
    return found


def _compare(layout: Layout, rows: dict[str, dict[str, Any]], stamp: str) -> tuple[list[Live], list[Live]]:
    """(live, ended) against the snapshots before, which are remembered beside the files under way."""
    path = layout.pulling(SOURCE) / "live.json"
    before = {live.channel_id: live for live in _read(path)}
    live = [
        Live(channel, str(row["id"]), stamp, row["viewer_count"] if isinstance(row.get("viewer_count"), int) else None)
        for channel, row in rows.items()
    ]
    now = {one.channel_id: one for one in live}
    ended, waiting = [], []
    for channel, earlier in before.items():
        if channel in now and now[channel].stream_id == earlier.stream_id:
            continue
        earlier.missed += 1
        if channel in now or earlier.missed >= SAMPLES_TO_END:
            ended.append(earlier)
        else:
            waiting.append(earlier)
    _write(path, [*live, *waiting])
    return live, ended


def _read(path: Path) -> list[Live]:
    """What was live; nothing when the file is absent or damaged: it is a memory of minutes, not data."""
    try:
        return [Live(**said) for said in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _write(path: Path, live: Iterable[Live]) -> None:
    replace_file(path, json.dumps([asdict(one) for one in live]).encode())
