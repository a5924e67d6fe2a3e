"""One pull: every list of every target, each into a landing file of its own, and a report of what came and what not.

A list is seen once a UTC day; pulling again the same day goes on where a killed pull stopped and asks for nothing
that is there. Who is live is not pulled but polled (see `poll`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from data_lake.clients.base import Endpoint, Target, TimeRange
from data_lake.clients.errors import ClientError, NoLogin, NotConnected, Refused
from data_lake.clients.pull_file import PullFile, PullFolder
from data_lake.clients.report import ListReport, PullReport, State
from data_lake.clients.session import Session
from data_lake.clients.targets import resolve
from data_lake.clients.tokens import Account
from data_lake.clients.walk import Walker
from data_lake.layout import Layout

Span = tuple[datetime, datetime]


def pull(
    layout: Layout,
    session: Session,
    names: Sequence[str] = (),
    *,
    endpoints: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    on_list: Callable[[ListReport], None] | None = None,
) -> PullReport:
    """Pull these endpoints (by default those of every day) of these targets (by default the logins' own) into landing/.

    `since` and `until` make it a backfill: endpoints that keep history bring it, the others say why they cannot.
    Without them, a list asked for by date goes back to its last snapshot. A call that fails never stops the pull: see
    the report. Raises PullBusy when another process is pulling, NotConnected when no login works, UnknownTarget for a
    name the platform does not know.
    """
    report = PullReport()
    client = session.client
    folder = PullFolder(layout, client, session.http.clock)

    def done(one: ListReport) -> None:
        report.lists.append(one)
        if on_list:
            on_list(one)

    with folder.alone():
        for login, message in session.check_logins().items():
            done(ListReport("login", login, "failed", message=message))
        folder.land_leftovers()
        targets = resolve(folder, session, names)
        is_backfill = since is not None or until is not None
        for endpoint in (client.endpoints[name] for name in endpoints or client.daily):
            if is_backfill and endpoint.now_only:
                message = f"{endpoint.now_only}; pulled without dates, it is seen as it is today"
                done(ListReport(endpoint.name, f"any {client.target}", "no history", message=message))
                continue
            for group in [targets] if endpoint.batch > 1 else [[target] for target in targets]:
                done(_pull_list(folder, session, endpoint, group, since, until))
    return report


def _pull_list(
    folder: PullFolder, session: Session, endpoint: Endpoint, group: Sequence[Target], since: date | None,
    until: date | None,
) -> ListReport:  # fmt: skip
    client = session.client
    target = group[0] if endpoint.batch == 1 else None
    title = target.name if target else f"{len(group)} {client.target}s"
    note = ""
    try:
        account = session.account_for(endpoint, target)
    except NoLogin as error:
        if not endpoint.total_is_public:
            return ListReport(endpoint.name, title, "skipped", message=str(error))
        account, note = session.accounts[0], str(error)
    now = folder.clock.now()
    span = _span(folder, endpoint, target, since, until, now)
    name = _file_name(endpoint, group, now, span, "-total" if note else "")
    landed = folder.landed(name)
    if landed:
        return ListReport(endpoint.name, title, "already there", message=note, path=landed)
    request = {
        "endpoint": endpoint.path, f"{client.target}_id": target.id if target else None,
        "params": {endpoint.target_param: [t.id for t in group]}, "requested_at": folder.clock.stamp(),
    }  # fmt: skip
    file = folder.begin(name, request, endpoint)
    file.opened(session.take_opening_calls())
    walker = Walker(session, file, endpoint, account)
    try:
        _walk(walker, group, account, span)
    except Refused as error:
        path = file.land(rows=0, is_complete=False, suffix="-refused")
        return _report(walker, title, "skipped", f"{error}; {session.who_may(endpoint, title)}", path)
    except NotConnected as error:
        return _report(walker, title, "failed", str(error))
    except ClientError as error:
        return _report(walker, title, "failed", f"{error}; pull again to go on where it stopped")
    return _finish(walker, file, title, note)


def _walk(walker: Walker, group: Sequence[Target], account: Account, span: Span | None) -> None:
    endpoint = walker.endpoint
    for start in range(0, len(group), endpoint.batch):
        ids = [target.id for target in group[start : start + endpoint.batch]]
        query = walker.session.query(endpoint, ids, account)
        if span and endpoint.range:
            walker.slices(query, endpoint.range, *span)
        else:
            walker.list(query)


def _finish(walker: Walker, file: PullFile, title: str, note: str) -> ListReport:
    walk = walker.walk
    total_only = walk.is_total_only
    complete = walk.is_complete and not total_only
    # Only a complete snapshot is not asked for again the same day.
    suffix = "" if complete or note else "-total" if total_only else "-incomplete"
    path = file.land(rows=len(walk.row_ids), total=walk.total, is_complete=complete, suffix=suffix)
    if total_only:
        reason = note or walker.session.who_may(walker.endpoint, title)
        return _report(walker, title, "skipped", f"only their number was given ({walk.total}): {reason}", path)
    if not complete:
        total = walk.total or "an unknown number of"
        message = f"{len(walk.row_ids)} of {total} rows came; kept as an incomplete snapshot"
        return _report(walker, title, "incomplete", message, path)
    return _report(walker, title, "pulled", "", path)


def _report(walker: Walker, title: str, state: State, message: str, path: Path | None = None) -> ListReport:
    walk = walker.walk
    rows = len(walk.row_ids)
    return ListReport(walker.endpoint.name, title, state, rows, walk.pages, walk.calls, walk.retries, message, path)


def _file_name(endpoint: Endpoint, group: Sequence[Target], now: datetime, span: Span | None, suffix: str) -> str:
    who = group[0].id
    if len(group) > 1:
        who = "set" + hashlib.sha256(" ".join(sorted(target.id for target in group)).encode()).hexdigest()[:12]
    days = f"-{span[0]:%Y-%m-%d}_{span[1] - timedelta(seconds=1):%Y-%m-%d}" if span else ""
    return f"{endpoint.name}-{who}-{now:%Y-%m-%d}{days}{suffix}.jsonl"


def _span(
    folder: PullFolder, endpoint: Endpoint, target: Target | None, since: date | None, until: date | None, now: datetime
) -> Span | None:
    """The moments between which to ask, for an endpoint that can be asked by date."""
    asked: TimeRange | None = endpoint.range
    if asked is None or target is None:
        return None
    tomorrow = datetime(now.year, now.month, now.day) + timedelta(days=1)
    end = min(_midnight(until) + timedelta(days=1), tomorrow) if until else tomorrow
    if since:
        return min(_midnight(since), end - timedelta(days=1)), end
    last = max(_last_days(folder, endpoint, target, now.date()), default=None)
    start = _midnight(last) - asked.again if last else tomorrow - asked.first
    return min(start, end - timedelta(days=1)), end


def _last_days(folder: PullFolder, endpoint: Endpoint, target: Target, today: date) -> list[date]:
    """The last day of each landed snapshot of an earlier day: pulling again the same day asks for the same days."""
    last_days = []
    landing = folder.layout.landing / folder.client.source
    for path in landing.glob(f"????????????????-{endpoint.name}-{target.id}-*.jsonl"):
        days = re.search(r"-(\d{4}-\d\d-\d\d)-\d{4}-\d\d-\d\d_(\d{4}-\d\d-\d\d)\.jsonl$", path.name)
        if days and days[1] != today.isoformat():
            last_days.append(date.fromisoformat(days[2]))
    return last_days


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
