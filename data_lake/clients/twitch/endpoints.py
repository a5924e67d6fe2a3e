"""The Helix endpoints that are pulled: paths, page sizes, scopes, and what each can tell about the past.

How a call is made does not belong here (see `twitch_helix`), nor what a row means (see `sources.twitch_helix`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_lake.clients.twitch.login import Account, NotConnected

LOGIN = "fullhouse connect twitch"


@dataclass(frozen=True)
class Endpoint:
    """One list.

    `reader` says whose login may read it: anyone's, a moderator's of the channel, or the broadcaster's own. `history`:
    'range' can be asked for by date, 'kept' always gives all that Twitch keeps, 'now' shows only the present.
    """

    name: str
    path: str
    channel_param: str
    page_size: int | None = 100
    scope: str | None = None
    reader: Literal["anyone", "moderator", "broadcaster"] = "anyone"
    history: Literal["range", "kept", "now"] = "now"
    batch: bool = False  # one call asks about up to 100 channels
    row_id: str = "user_id"
    max_pages: int | None = None


ENDPOINTS = {
    e.name: e
    for e in (
        Endpoint("users", "users", "id", page_size=None, batch=True, row_id="id"),
        Endpoint("channels", "channels", "broadcaster_id", page_size=None, batch=True, row_id="broadcaster_id"),
        Endpoint("streams", "streams", "user_id", batch=True),
        Endpoint("videos", "videos", "user_id", history="kept", row_id="id"),
        Endpoint("clips", "clips", "broadcaster_id", history="range", row_id="id"),
        # A schedule that repeats goes on for ever: ten pages are about the next half year.
        Endpoint("schedule", "schedule", "broadcaster_id", page_size=25, row_id="id", max_pages=10),
        Endpoint(
            "followers", "channels/followers", "broadcaster_id", scope="moderator:read:followers", reader="moderator"
        ),
        Endpoint(
            "subscriptions", "subscriptions", "broadcaster_id", scope="channel:read:subscriptions", reader="broadcaster"
        ),
        Endpoint(
            "moderators", "moderation/moderators", "broadcaster_id", scope="moderation:read", reader="broadcaster"
        ),
        Endpoint("vips", "channels/vips", "broadcaster_id", scope="channel:read:vips", reader="broadcaster"),
        Endpoint("banned", "moderation/banned", "broadcaster_id", scope="moderation:read", reader="broadcaster"),
        Endpoint("chatters", "chat/chatters", "broadcaster_id", 1000, "moderator:read:chatters", "moderator"),
    )
}
# What one pull of a day asks for; streams and chatters are polled instead.
DAILY = tuple(name for name in ENDPOINTS if name not in ("streams", "chatters"))


def rows_of(said: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an answer: `data`, or its segments for a schedule. What is no object is left out."""
    data = said.get("data")
    if isinstance(data, dict):
        data = data.get("segments")
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def cursor_of(said: dict[str, Any]) -> str | None:
    """The cursor of the next page; a schedule keeps it inside `data`."""
    for place in (said, said.get("data")):
        pagination = place.get("pagination") if isinstance(place, dict) else None
        if isinstance(pagination, dict) and pagination.get("cursor"):
            return str(pagination["cursor"])
    return None


class NoLogin(Exception):
    """None of the logins may read this; the message says which would."""


def account_for(accounts: Sequence[Account], endpoint: Endpoint, channel_id: str | None, channel: str) -> Account:
    """The login to read an endpoint of a channel with. Raises NoLogin, or NotConnected without any login."""
    if not accounts:
        raise NotConnected(f"no Twitch login yet; run: {LOGIN}")
    own = next((a for a in accounts if a.user_id == channel_id), None)
    if endpoint.scope is None:
        return own or accounts[0]
    if own:
        if endpoint.scope in own.scopes:
            return own
        raise NoLogin(f"log in again as {own.login} and grant {endpoint.scope}: {LOGIN}")
    # A login of somebody else may be a moderator of the channel: only Twitch knows.
    other = next((a for a in accounts if endpoint.scope in a.scopes), None)
    if endpoint.reader == "moderator" and other:
        return other
    who = "or a moderator of it " if endpoint.reader == "moderator" else ""
    raise NoLogin(f"log in as the channel {channel} {who}and grant {endpoint.scope}: {LOGIN}")


def access(accounts: Sequence[Account], channels: Iterable[tuple[str, str]]) -> list[str]:
    """One sentence per endpoint and channel (id, login) that no login may read; empty when all may be read."""
    sentences = []
    for channel_id, login in channels:
        for endpoint in ENDPOINTS.values():
            try:
                account_for(accounts, endpoint, channel_id, login)
            except (NoLogin, NotConnected) as error:
                sentences.append(f"{endpoint.name} of {login}: {error}")
    return sentences


NO_HISTORY = {
    "streams": "Twitch shows only what is live now: viewers of past streams are not kept (the channel's own dashboard "
    "exports them as CSV: fullhouse add)",
    "chatters": "Twitch shows only who is in the chat now",
    "users": "Twitch shows only the present profile",
    "channels": "Twitch shows only the present title and category",
    "followers": "Twitch shows who follows now and since when, not who stopped",
    "subscriptions": "Twitch shows who is subscribed now, without dates",
    "moderators": "Twitch shows who is moderator now, without dates",
    "vips": "Twitch shows who is VIP now, without dates",
    "banned": "Twitch shows who is banned now and since when, not who was",
    "schedule": "Twitch shows only what is planned now",
}
