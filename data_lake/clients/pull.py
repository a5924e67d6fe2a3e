"""One pull: every list of every channel, each into a landing file of its own, and a report of what came and what not.

A list is seen once a UTC day; pulling again the same day goes on where a killed pull stopped and asks for nothing
that is there. Viewers of live streams are not pulled but polled (see `poll`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from data_lake.clients.http import NoAnswer, Trace
from data_lake.clients.pull_file import SOURCE, PullFile, begin, land_leftovers, landed, pulling_alone
from data_lake.clients.twitch_auth import Account, NotConnected
from data_lake.clients.twitch_endpoints import DAILY, ENDPOINTS, NO_HISTORY, Endpoint, NoLogin, access, account_for
from data_lake.clients.twitch_helix import HelixClient, HelixError, Refused
from data_lake.clients.walk import Walker
from data_lake.files import replace_file
from data_lake.layout import Layout

State = Literal["pulled", "incomplete", "already there", "skipped", "failed", "no history"]
BATCH = 100
FIRST_CLIPS = timedelta(days=30)
# Clips are made for a day or two after a stream, and Twitch gives a new clip its views late.
CLIPS_AGAIN = timedelta(days=2)


@dataclass(frozen=True)
class Channel:
    """A channel to pull: Twitch's id and login."""

    channel_id: str
    login: str


@dataclass(frozen=True)
class Outcome:
    """What became of one list. `message` is a sentence for people; `path` the landing file, when there is one."""

    endpoint: str
    channel: str
    state: State
    rows: int = 0
    pages: int = 0
    calls: int = 0
    retries: int = 0
    message: str = ""
    path: Path | None = None


@dataclass
class PullReport:
    """The outcomes of a pull, in order."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def has_failed(self) -> bool:
        return any(o.state == "failed" for o in self.outcomes)

    @property
    def messages(self) -> list[str]:
        """One sentence per list that did not come whole."""
        return [f"{o.endpoint} of {o.channel}: {o.message}" for o in self.outcomes if o.message]


def pull(
    layout: Layout,
    client: HelixClient,
    names: Sequence[str] = (),
    *,
    endpoints: Sequence[str] = DAILY,
    since: date | None = None,
    until: date | None = None,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> PullReport:
    """Pull these endpoints of these channels (logins or ids; by default the logins' own) into landing/.

    `since` and `until` make it a backfill: endpoints that keep history bring it, the others say why they cannot.
    Without them, clips go back to the last snapshot of them. What a call says never stops the pull: see the report.
    Raises PullBusy when another process is pulling, NotConnected when no login works, HelixError for an unknown
    channel. """  # fmt: skip
    report = PullReport()

    def done(outcome: Outcome) -> None:
        report.outcomes.append(outcome)
        if on_outcome:
            on_outcome(outcome)

    with pulling_alone(layout):
        for login, message in client.validate().items():
            done(Outcome("login", login, "failed", message=message))
        land_leftovers(layout, client.http.clock)
        channels = resolve(layout, client, names)
        backfill = since is not None or until is not None
        for name in endpoints:
            endpoint = ENDPOINTS[name]
            if backfill and endpoint.history == "now":
                message = f"{NO_HISTORY[name]}; pulled without dates, it is seen as it is today"
                done(Outcome(name, "any channel", "no history", message=message))
                continue
            for group in [channels] if endpoint.batch else [[c] for c in channels]:
                done(_pull_list(layout, client, endpoint, group, since, until))
    return report


def resolve(layout: Layout, client: HelixClient, names: Sequence[str] = ()) -> list[Channel]:
    """The channels of these logins or ids, in order; without names those of the logins.

    Unknown logins are looked up once a day, which leaves a landing file. Raises HelixError naming those Twitch does not
    know, and NotConnected when there is no login.
    """
    own = [Channel(a.user_id, a.login) for a in client.accounts]
    account_for(client.accounts, ENDPOINTS["users"], None, "")
    if not names:
        return own
    memory = layout.pulling(SOURCE) / f"channels-{client.http.clock.now():%Y-%m-%d}.json"
    known = _remembered(memory) | {key: c for c in own for key in (c.channel_id, c.login.lower())}
    unknown = [n.lower() for n in names if n.lower() not in known]
    if unknown:
        known |= _look_up(layout, client, unknown)
        replace_file(memory, json.dumps({key: [c.channel_id, c.login] for key, c in known.items()}).encode())
    missing = [n for n in names if n.lower() not in known]
    if missing:
        raise HelixError(f"Twitch knows no channel {', '.join(missing)}; check the spelling of the login")
    return list({known[n.lower()].channel_id: known[n.lower()] for n in names}.values())


def missing_access(layout: Layout, accounts: Sequence[Account]) -> list[str]:
    """One sentence per list that no login may read, of the logins' channels and of those pulled by name before."""
    channels = {a.user_id: a.login for a in accounts}
    for memory in sorted(layout.pulling(SOURCE).glob("channels-*.json")):
        channels = {c.channel_id: c.login for c in _remembered(memory).values()} | channels
    return access(accounts, channels.items()) if accounts else []


def _remembered(memory: Path) -> dict[str, Channel]:
    """The channels looked up today; a login may be another channel's tomorrow. Earlier days' memory is dropped."""
    for old in memory.parent.glob("channels-*.json"):
        if old != memory:
            old.unlink()
    if not memory.exists():
        return {}
    return {key: Channel(*said) for key, said in json.loads(memory.read_text(encoding="utf-8")).items()}


def _look_up(layout: Layout, client: HelixClient, names: Sequence[str]) -> dict[str, Channel]:
    endpoint = ENDPOINTS["users"]
    clock = client.http.clock
    found: dict[str, Channel] = {}
    name = f"users-lookup-{clock.now():%Y-%m-%dT%H-%M-%S}.jsonl"
    request: dict[str, Any] = {"endpoint": endpoint.path, "params": {}, "requested_at": clock.stamp()}
    file = begin(layout, name, request, clock)
    for start in range(0, len(names), BATCH):
        chunk = names[start : start + BATCH]
        params = {"id": tuple(n for n in chunk if n.isdigit()), "login": tuple(n for n in chunk if not n.isdigit())}
        trace = Trace()
        page = client.page(endpoint, {k: v for k, v in params.items() if v}, client.accounts[0], trace)
        file.page(1, page.params, page.received_at, page.status, page.body, trace)
        for row in page.rows:
            channel = Channel(str(row.get("id")), str(row.get("login", "")).lower())
            found |= {channel.channel_id: channel, channel.login: channel}
    file.land(rows=len(found) // 2, is_complete=True)
    return found


def _pull_list(
    layout: Layout, client: HelixClient, endpoint: Endpoint, group: Sequence[Channel], since: date | None,
    until: date | None,
) -> Outcome:  # fmt: skip
    channel = group[0] if not endpoint.batch else None
    title = channel.login if channel else f"{len(group)} channels"
    note = ""
    try:
        account = account_for(client.accounts, endpoint, channel.channel_id if channel else None, title)
    except NoLogin as error:
        if endpoint.name != "followers":
            return Outcome(endpoint.name, title, "skipped", message=str(error))
        # Anyone may read how many followers there are.
        account, note = client.accounts[0], str(error)
    now = client.http.clock.now()
    span = _span(layout, endpoint, channel, since, until, now)
    name = _file_name(endpoint, group, now, span, "-total" if note else "")
    there = landed(layout, name)
    if there:
        return Outcome(endpoint.name, title, "already there", message=note, path=there)
    request = {
        "endpoint": endpoint.path, "channel_id": channel.channel_id if channel else None,
        "params": {endpoint.channel_param: [c.channel_id for c in group]},
        "requested_at": client.http.clock.stamp(),
    }  # fmt: skip
    file = begin(layout, name, request, client.http.clock, endpoint.row_id)
    file.opened(client.take_opening_calls())
    walker = Walker(client, file, endpoint, account)
    try:
        _walk(walker, group, account, span)
    except Refused as error:
        path = file.land(rows=0, is_complete=False, suffix="-refused")
        return _outcome(walker, title, "skipped", f"{error}; {_who(endpoint, title)}", path)
    except NotConnected as error:
        return _outcome(walker, title, "failed", str(error))
    except (HelixError, NoAnswer) as error:
        return _outcome(walker, title, "failed", f"{error}; pull again to go on where it stopped")
    return _finish(walker, file, title, note)


def _walk(walker: Walker, group: Sequence[Channel], account: Account, span: tuple[datetime, datetime] | None) -> None:
    endpoint = walker.endpoint
    for start in range(0, len(group), BATCH):
        ids = tuple(c.channel_id for c in group[start : start + BATCH])
        query: dict[str, str | tuple[str, ...]] = {endpoint.channel_param: ids if endpoint.batch else ids[0]}
        if endpoint.name == "chatters":
            query["moderator_id"] = account.user_id
        if span:
            walker.slices(query, *span)
        else:
            walker.list(query)


def _finish(walker: Walker, file: PullFile, title: str, note: str) -> Outcome:
    walk, endpoint = walker.walk, walker.endpoint
    total_only = walk.is_total_only
    complete = walk.is_complete and not total_only
    # Only a complete snapshot is not asked for again the same day.
    suffix = "" if complete or note else "-total" if total_only else "-incomplete"
    path = file.land(rows=len(walk.row_ids), total=walk.total, is_complete=complete, suffix=suffix)
    if total_only:
        message = f"only their number was given ({walk.total}): {note or _who(endpoint, title)}"
        return _outcome(walker, title, "skipped", message, path)
    if not complete:
        message = (
            f"{len(walk.row_ids)} of {walk.total or 'an unknown number of'} rows came; kept as an incomplete snapshot"
        )
        return _outcome(walker, title, "incomplete", message, path)
    return _outcome(walker, title, "pulled", "", path)


def _outcome(walker: Walker, title: str, state: State, message: str, path: Path | None = None) -> Outcome:
    walk = walker.walk
    rows = len(walk.row_ids)
    return Outcome(walker.endpoint.name, title, state, rows, walk.pages, walk.calls, walk.retries, message, path)


def _who(endpoint: Endpoint, title: str) -> str:
    """Which login would be allowed to read it."""
    who = f"{title} or one of its moderators" if endpoint.reader == "moderator" else title
    return f"log in as {who} and grant {endpoint.scope}: fullhouse connect twitch"


def _file_name(
    endpoint: Endpoint, group: Sequence[Channel], now: datetime, span: tuple[datetime, datetime] | None, suffix: str
) -> str:
    who = group[0].channel_id
    if len(group) > 1:
        who = "set" + hashlib.sha256(" ".join(sorted(c.channel_id for c in group)).encode()).hexdigest()[:12]
    days = f"-{span[0]:%Y-%m-%d}_{span[1] - timedelta(seconds=1):%Y-%m-%d}" if span else ""
    return f"{endpoint.name}-{who}-{now:%Y-%m-%d}{days}{suffix}.jsonl"


def _span(
    layout: Layout, endpoint: Endpoint, channel: Channel | None, since: date | None, until: date | None, now: datetime
) -> tuple[datetime, datetime] | None:
    """The moments between which to ask, for an endpoint that can be asked by date."""
    if endpoint.history != "range" or channel is None:
        return None
    tomorrow = datetime(now.year, now.month, now.day) + timedelta(days=1)
    end = min(_midnight(until) + timedelta(days=1), tomorrow) if until else tomorrow
    if since:
        return min(_midnight(since), end - timedelta(days=1)), end
    last = max(_last_days(layout, endpoint, channel, now.date()), default=None)
    start = _midnight(last) - CLIPS_AGAIN if last else tomorrow - FIRST_CLIPS
    return min(start, end - timedelta(days=1)), end


def _last_days(layout: Layout, endpoint: Endpoint, channel: Channel, today: date) -> list[date]:
    """The last day of each landed snapshot of an earlier day: pulling again the same day asks for the same days."""
    found = []
    for path in (layout.landing / SOURCE).glob(f"????????????????-{endpoint.name}-{channel.channel_id}-*.jsonl"):
        days = re.search(r"-(\d{4}-\d\d-\d\d)-\d{4}-\d\d-\d\d_(\d{4}-\d\d-\d\d)\.jsonl$", path.name)
        if days and days[1] != today.isoformat():
            found.append(date.fromisoformat(days[2]))
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
