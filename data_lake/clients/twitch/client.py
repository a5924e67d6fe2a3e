"""What Twitch is to the commands and to Dagster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from data_lake.clients.base import Client, Live, Login, Polling, Row, Setting
from data_lake.clients.limits import CallRules
from data_lake.clients.tokens import TokenStore
from data_lake.clients.twitch.endpoints import ENDPOINTS, account_for

if TYPE_CHECKING:
    from data_lake.clients.http import Http
    from data_lake.clients.session import Session


def _open(http: Http) -> Session:
    # The declaration is read where nothing is called: --help, status, Dagster's definitions.
    from data_lake.clients.twitch.helix import HelixSession

    return HelixSession(TokenStore("twitch"), http)


def _connect(http: Http, tell: Callable[[str], None], settings: Mapping[str, str | None]) -> str:
    from data_lake.clients.twitch.login import connect

    return connect(TokenStore("twitch"), http, tell=tell, client_id=settings.get("client_id")).login


def _live(row: Row, seen_at: str) -> Live | None:
    if not row.get("user_id") or not row.get("id"):
        return None
    viewers = row.get("viewer_count")
    return Live(str(row["user_id"]), str(row["id"]), seen_at, viewers if isinstance(viewers, int) else None)


CLIENT = Client(
    name="twitch",
    title="Twitch",
    platform="twitch",
    source="twitch_helix",
    world="live",
    target="channel",
    named_by="login",
    description="Pages of the Twitch API as received: channels, videos, clips, followers, subscriptions, roles, bans, "
    "schedule.",
    endpoints=ENDPOINTS,
    login=Login(
        help="Log in with a code shown in your browser; tokens stay in your own configuration folder.",
        settings=(
            Setting("client_id", "Id of your Twitch application; else TWITCH_CLIENT_ID, else the one used before."),
        ),
        connect=_connect,
    ),
    account_for=account_for,
    open=_open,
    calls=CallRules(remaining_header="ratelimit-remaining", reset_header="ratelimit-reset"),
    polling=Polling("streams", _live),
)
