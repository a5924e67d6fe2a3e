"""Polling what a platform keeps no history of: who is live, and with how many viewers.

One poll is one snapshot of all targets. The snapshots of about an hour share a landing file, which is filed when the
hour is over or a stream has ended, so that the analysis of that stream can begin. When to poll is the caller's choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from data_lake.clients.base import Live, Polling, Target
from data_lake.clients.errors import ClientError, NoAnswer, NotConnected
from data_lake.clients.http import Attempts
from data_lake.clients.pull_file import PullFile, PullFolder
from data_lake.clients.session import Session
from data_lake.clients.targets import resolve
from data_lake.files import replace_file
from data_lake.layout import Layout

FILE_SPAN = timedelta(hours=1)
# Pages may leave out a stream that is live: only so many snapshots without it say that it has ended.
SAMPLES_TO_END = 2


@dataclass
class PollReport:
    """What a poll saw: streams live now, streams found ended, files landed, and why it failed (None if it did not)."""

    live: list[Live] = field(default_factory=list)
    ended: list[Live] = field(default_factory=list)
    landed: list[Path] = field(default_factory=list)
    error: str | None = None

    def in_words(self) -> str:
        """What one snapshot saw."""
        if self.error:
            return self.error
        viewers = sum(one.viewer_count or 0 for one in self.live)
        return f"{len(self.live)} live, {viewers:,} viewers" if self.live else "nobody is live"


def poll(layout: Layout, session: Session, names: Sequence[str] = (), *, flush: bool = False) -> PollReport:
    """Take one snapshot of who is live. `flush` files the snapshots so far, as a polling that stops should.

    A snapshot that fails is a hole in the samples and is reported, not raised. Raises PullBusy, NotConnected without
    any login, UnknownTarget for a name the platform does not know, ValueError for a client that polls nothing.
    """
    polling = session.client.polling
    if polling is None:
        raise ValueError(f"nothing of {session.client.title} is polled")
    report = PollReport()
    clock = session.http.clock
    folder = PullFolder(layout, session.client, clock)
    with folder.alone():
        report.landed += folder.land_leftovers()
        targets = resolve(folder, session, names)
        try:
            file = _open_file(folder, session, polling, report.landed)
        except (NoAnswer, NotConnected) as error:
            report.error = str(error)
            return report
        file.opened(session.take_opening_calls())
        try:
            live = _snapshot(session, polling, file, targets)
        except ClientError as error:
            report.error = f"{error}; the viewers of this moment are not known"
        else:
            report.live, report.ended = _compare(folder, live)
        is_over = clock.now() - file.requested_at >= FILE_SPAN
        if flush or is_over or report.ended:
            report.landed.append(file.land(is_complete=True))
    return report


def _open_file(folder: PullFolder, session: Session, polling: Polling, landed: list[Path]) -> PullFile:
    """The file of the present hour; one from before is filed first and added to `landed`."""
    clock = folder.clock
    endpoint = session.client.endpoints[polling.endpoint]
    for path in sorted(folder.path.glob(f"{endpoint.name}-*.jsonl.partial")):
        file = folder.reopen(path)
        if file and clock.now() - file.requested_at < FILE_SPAN:
            return file
        if file:
            landed.append(file.land(is_complete=True))
    # Twitch wants logins to be validated at least every hour.
    session.check_logins()
    request: dict[str, Any] = {"endpoint": endpoint.path, "params": {}, "requested_at": clock.stamp()}
    return folder.begin(f"{endpoint.name}-all-{clock.now():%Y-%m-%dT%H-%M-%S-%f}.jsonl", request, endpoint)


def _snapshot(session: Session, polling: Polling, file: PullFile, targets: Sequence[Target]) -> dict[str, Live]:
    """The live streams by channel. Where pages shift a stream is listed twice: the last one counts."""
    endpoint = session.client.endpoints[polling.endpoint]
    live: dict[str, Live] = {}
    for start in range(0, len(targets), endpoint.batch):
        group = targets[start : start + endpoint.batch]
        account = session.account_for(endpoint, group[0])
        params = session.query(endpoint, [target.id for target in group], account)
        if endpoint.page_size is not None:
            params[endpoint.paging.size_param] = str(endpoint.page_size)
        attempts = Attempts()
        try:
            page = session.page(endpoint, params, account, attempts)
        except ClientError as error:
            file.failed(str(error), attempts)
            raise
        file.page(1, params, page.received_at, page.status, page.body, attempts)
        seen_at = session.http.clock.stamp()
        live |= {one.channel_id: one for row in page.rows if (one := polling.live(row, seen_at))}
    return live


def _compare(folder: PullFolder, live: dict[str, Live]) -> tuple[list[Live], list[Live]]:
    """(live, ended) against the snapshots before, which are remembered beside the files under way."""
    path = folder.path / "live.json"
    ended, waiting = [], []
    for earlier in {one.channel_id: one for one in _read(path)}.values():
        now = live.get(earlier.channel_id)
        if now and now.stream_id == earlier.stream_id:
            continue
        earlier.missed += 1
        if now or earlier.missed >= SAMPLES_TO_END:
            ended.append(earlier)
        else:
            waiting.append(earlier)
    _write(path, [*live.values(), *waiting])
    return list(live.values()), ended


def _read(path: Path) -> list[Live]:
    """What was live; nothing when the file is absent or damaged: it is a memory of minutes, not data."""
    try:
        return [Live(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _write(path: Path, live: Iterable[Live]) -> None:
    replace_file(path, json.dumps([asdict(one) for one in live]).encode())
