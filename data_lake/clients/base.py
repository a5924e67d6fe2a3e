"""What a client of a platform declares: `CLIENT` in `clients/<name>/client.py`.

From it come the commands `fullhouse connect|pull|poll <name>` and Dagster's asset, job, schedule and sensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from data_lake.clients.limits import CallRules

if TYPE_CHECKING:
    from data_lake.clients.http import Http
    from data_lake.clients.session import Session
    from data_lake.clients.tokens import Account

Row = dict[str, Any]
Body = dict[str, Any]
Params = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Target:
    """What lists are pulled of, a channel or a server: the platform's id of it, and the name people use."""

    id: str
    name: str


@dataclass(frozen=True)
class Paging:
    """How a list comes in pages: the parameters for the size of a page and for where it begins, and what an answer
    holds. `following` gives the cursor of the page after the one these parameters asked for, None for the last; `total`
    the platform's own count of the whole list, None where it states none or none to be trusted."""

    size_param: str
    cursor_param: str
    rows: Callable[[Body], list[Row]]
    following: Callable[[Body, Params], str | None]
    total: Callable[[Body], int | None]


@dataclass(frozen=True, kw_only=True)
class TimeRange:
    """How a list is asked for by date: the parameters and form of both moments, how far back the first pull goes, and
    how much before the last pull the next one begins. A query that brings `capped_rows` may have been cut off."""

    start_param: str
    end_param: str
    form: str
    first: timedelta
    again: timedelta
    capped_rows: int


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One list of a platform.

    `batch` is how many targets one call asks about; with 1 each target's list is a file of its own. `row_id` is the
    member a row is known by. `now_only` is a sentence about what the platform shows in place of the past, None for a
    list that keeps it: with `range` it is asked for by date, else it always comes whole. `total_is_public`: any login
    is given at least the count. `scope` is the right a login needs, `cost` what a call takes of the quota.
    """

    name: str
    path: str
    target_param: str
    paging: Paging
    row_id: str = "id"
    page_size: int | None = None
    batch: int = 1
    max_pages: int | None = None
    now_only: str | None = None
    range: TimeRange | None = None
    scope: str | None = None
    total_is_public: bool = False
    cost: int = 1
    is_daily: bool = True


@dataclass
class Live:
    """A stream that was live at the last snapshot that showed it; `missed` counts the snapshots since."""

    channel_id: str
    stream_id: str
    seen_at: str
    viewer_count: int | None = None
    missed: int = 0


@dataclass(frozen=True)
class Polling:
    """What is sampled because a platform keeps no history of it: who is live. `live` reads a row of the endpoint, seen
    at a moment, and gives None for a row that is no live stream."""

    endpoint: str
    live: Callable[[Row, str], Live | None]


@dataclass(frozen=True)
class Setting:
    """What `fullhouse connect` may be given, as an option of this name. A secret is asked for where nobody reads along,
    and never given on a command line."""

    name: str
    help: str
    is_secret: bool = False


@dataclass(frozen=True)
class Login:
    """How a person logs in. `connect` is given the transport, a way to tell the person something, and the settings; it
    keeps the tokens and returns the name they are connected as. Raises NotConnected."""

    help: str
    settings: tuple[Setting, ...]
    connect: Callable[[Http, Callable[[str], None], Mapping[str, str | None]], str]


@dataclass(frozen=True, kw_only=True)
class Client:
    """A platform and how it is asked.

    `source` is the source that reads the pull files, `world` the kind of audience they are about. What lists are pulled
    of is called `target` (channel, server) and is named by its id or its `named_by` (login, name). `account_for`
    chooses the login to read an endpoint of a target with (None: of several); it raises NoLogin or NotConnected.
    """

    name: str
    title: str
    platform: str
    source: str
    world: str
    target: str
    named_by: str
    description: str
    endpoints: Mapping[str, Endpoint]
    login: Login
    account_for: Callable[[Sequence[Account], Endpoint, Target | None], Account]
    open: Callable[[Http], Session]
    calls: CallRules = field(default_factory=CallRules)
    polling: Polling | None = None

    @property
    def daily(self) -> tuple[str, ...]:
        """The lists one pull of a day asks for."""
        return tuple(name for name, endpoint in self.endpoints.items() if endpoint.is_daily)

    @property
    def connect_command(self) -> str:
        return connect_command(self.name)


def connect_command(name: str) -> str:
    """The command that logs in to a platform, for messages."""
    return f"fullhouse connect {name}"
