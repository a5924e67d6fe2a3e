"""The Helix endpoints that are pulled: paths, page sizes, scopes, what each tells of the past, who may read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from data_lake.clients.base import Body, Endpoint, Paging, Params, Row, Target, TimeRange, connect_command
from data_lake.clients.errors import NoLogin, NotConnected
from data_lake.clients.tokens import Account

CONNECT = connect_command("twitch")
TARGETS_PER_CALL = 100


def rows_of(body: Body) -> list[Row]:
    """The rows of an answer: `data`, or its segments for a schedule. What is no object is left out."""
    data = body.get("data")
    if isinstance(data, dict):
        data = data.get("segments")
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def cursor_of(body: Body, params: Params) -> str | None:
    """The cursor of the next page; a schedule keeps it inside `data`."""
    for holder in (body, body.get("data")):
        pagination = holder.get("pagination") if isinstance(holder, dict) else None
        if isinstance(pagination, dict) and pagination.get("cursor"):
            return str(pagination["cursor"])
    return None


def total_of(body: Body) -> int | None:
    """Twitch's count of the whole list, where it gives one."""
    total = body.get("total")
    return total if isinstance(total, int) and not isinstance(total, bool) else None


PAGES = Paging("first", "after", rows_of, cursor_of, total_of)


@dataclass(frozen=True, kw_only=True)
class HelixEndpoint(Endpoint):
    """A list of Helix. `reader` says whose login may read it: anyone's, a moderator's of the channel, or the
    broadcaster's own. Some lists want the login's own id once more, as `login_param`."""

    paging: Paging = PAGES
    target_param: str = "broadcaster_id"
    row_id: str = "user_id"
    page_size: int | None = 100
    reader: Literal["anyone", "moderator", "broadcaster"] = "anyone"
    login_param: str | None = None


ENDPOINTS = {
    e.name: e
    for e in (
        HelixEndpoint(
            name="users", path="users", target_param="id", row_id="id", page_size=None, batch=TARGETS_PER_CALL,
            now_only="Twitch shows only the present profile",
        ),
        HelixEndpoint(
            name="channels", path="channels", row_id="broadcaster_id", page_size=None, batch=TARGETS_PER_CALL,
            now_only="Twitch shows only the present title and category",
        ),
        HelixEndpoint(
            name="streams", path="streams", target_param="user_id", batch=TARGETS_PER_CALL, is_daily=False,
            now_only="Twitch shows only what is live now: viewers of past streams are not kept (the channel's own "
            "dashboard exports them as CSV: fullhouse add)",
        ),
        HelixEndpoint(name="videos", path="videos", target_param="user_id", row_id="id"),
        HelixEndpoint(
            name="clips", path="clips", row_id="id",
            # Clips are made for a day or two after a stream, and Twitch gives a new clip its views late. Helix gives
            # about 1,000 clips per query and then ends without a word.
            range=TimeRange(
                start_param="started_at", end_param="ended_at", form="%Y-%m-%dT%H:%M:%SZ", first=timedelta(days=30),
                again=timedelta(days=2), capped_rows=900,
            ),
        ),
        HelixEndpoint(
            # A schedule that repeats goes on for ever: ten pages are about the next half year.
            name="schedule", path="schedule", row_id="id", page_size=25, max_pages=10,
            now_only="Twitch shows only what is planned now",
        ),
        HelixEndpoint(
            name="followers", path="channels/followers", scope="moderator:read:followers", reader="moderator",
            total_is_public=True, now_only="Twitch shows who follows now and since when, not who stopped",
        ),
        HelixEndpoint(
            name="subscriptions", path="subscriptions", scope="channel:read:subscriptions", reader="broadcaster",
            now_only="Twitch shows who is subscribed now, without dates",
        ),
        HelixEndpoint(
            name="moderators", path="moderation/moderators", scope="moderation:read", reader="broadcaster",
            now_only="Twitch shows who is moderator now, without dates",
        ),
        HelixEndpoint(
            name="vips", path="channels/vips", scope="channel:read:vips", reader="broadcaster",
            now_only="Twitch shows who is VIP now, without dates",
        ),
        HelixEndpoint(
            name="banned", path="moderation/banned", scope="moderation:read", reader="broadcaster",
            now_only="Twitch shows who is banned now and since when, not who was",
        ),
        HelixEndpoint(
            name="chatters", path="chat/chatters", page_size=1000, scope="moderator:read:chatters", reader="moderator",
            login_param="moderator_id", is_daily=False, now_only="Twitch shows only who is in the chat now",
        ),
    )
}  # fmt: skip


def account_for(accounts: Sequence[Account], endpoint: Endpoint, target: Target | None) -> Account:
    """The login to read an endpoint of a channel with. Raises NoLogin, or NotConnected without any login."""
    if not accounts:
        raise NotConnected(f"no Twitch login yet; run: {CONNECT}")
    own = next((a for a in accounts if target and a.user_id == target.id), None)
    if endpoint.scope is None or target is None:
        return own or accounts[0]
    if own:
        if endpoint.scope in own.scopes:
            return own
        raise NoLogin(f"log in again as {own.login} and grant {endpoint.scope}: {CONNECT}")
    # A login of somebody else may be a moderator of the channel: only Twitch knows.
    other = next((a for a in accounts if endpoint.scope in a.scopes), None)
    is_for_moderators = ENDPOINTS[endpoint.name].reader == "moderator"
    if is_for_moderators and other:
        return other
    who = "or a moderator of it " if is_for_moderators else ""
    raise NoLogin(f"log in as the channel {target.name} {who}and grant {endpoint.scope}: {CONNECT}")
