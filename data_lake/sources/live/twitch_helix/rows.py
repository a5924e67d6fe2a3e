"""One row of a Helix answer to rows of entities: field names, types, and what each list means.

Pure functions from a JSON object to columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]
LARGEST = 2**63 - 1
# A user's e-mail address is never read, not even into `extra`.
NEVER_READ = frozenset({"email"})


def moment(text: object) -> datetime | None:
    """An RFC 3339 time as naive UTC; None when it is none."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):
        return None


def clean(text: str) -> str:
    """The text without lone surrogates, which UTF-8 has no form for."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass
class Fields:
    """The fields of one object, read once each. `problem` is the first that could not be read."""

    members: Row
    problem: str | None = None
    used: set[str] = field(default_factory=set)

    def _take(self, name: str) -> Any:
        self.used.add(name)
        value = self.members.get(name)
        return None if value == "" else value

    def _fail(self, name: str, value: object, wanted: str) -> None:
        if self.problem is None:
            self.problem = f"{name}: {json.dumps(value, ensure_ascii=True)[:100]} is not {wanted}"

    def text(self, name: str) -> str | None:
        """Text; a number is taken as it is written, an empty text is null."""
        value = self._take(name)
        if value is None or isinstance(value, str):
            return clean(value) if value else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self._fail(name, value, "text")
        return None

    def lower(self, name: str) -> str | None:
        value = self.text(name)
        return value.lower() if value else None

    def number(self, name: str) -> int | float | None:
        value = self._take(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST:
            return value
        if value is not None:
            self._fail(name, value, "a number")
        return None

    def whole(self, name: str) -> int | None:
        value = self.number(name)
        if value is not None and value != int(value):
            self._fail(name, value, "a whole number")
            return None
        return None if value is None else int(value)

    def time(self, name: str) -> datetime | None:
        value = self._take(name)
        time = moment(value)
        if value is not None and time is None:
            self._fail(name, value, "a time")
        return time

    def flag(self, name: str) -> bool | None:
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            self._fail(name, value, "true or false")
            return None
        return value

    def texts(self, name: str) -> list[str] | None:
        value = self._take(name)
        if value is not None and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            self._fail(name, value, "a list of texts")
            return None
        return [clean(v) for v in value] if value is not None else None

    def inside(self, name: str) -> Row:
        """The object under a name, empty when there is none."""
        value = self._take(name)
        return value if isinstance(value, dict) else {}

    def extra(self, **more: object) -> str | None:
        """Everything that was not read, and `more`, as a JSON object; None when there is nothing."""
        rest = {
            k: v for k, v in self.members.items() if k not in self.used | NEVER_READ and v not in (None, "", [], {})
        }
        rest |= {k: v for k, v in more.items() if v not in (None, "")}
        return clean(json.dumps(rest, ensure_ascii=False, sort_keys=True)) if rest else None


@dataclass(frozen=True)
class Snapshot:
    """What holds for all rows of a file or page."""

    observed_at: datetime | None
    received_at: datetime | None
    channel_id: str | None
    is_complete: bool | None


Rows_ = Iterator[tuple[str, Row]]
Reader = Callable[[Fields, Snapshot], Rows_]


def _viewer(f: Fields, snapshot: Snapshot, *, is_moderator: bool | None = None) -> tuple[Row, tuple[str, Row]]:
    """The viewer a row of a list is about: the columns of the list, and the snapshot of the viewer."""
    viewer_id, login, name = f.text("user_id"), f.lower("user_login"), f.text("user_name")
    about = {"viewer_id": viewer_id, "viewer_login": login, "viewer_display_name": name}
    seen = {"viewer_id": viewer_id, "observed_at": snapshot.observed_at, "login": login, "display_name": name}
    columns = {
        "channel_id": snapshot.channel_id,
        "observed_at": snapshot.observed_at,
        "is_complete": snapshot.is_complete,
        **about,
    }
    return columns, ("viewers", {**seen, "is_moderator": is_moderator})


def _users(f: Fields, snapshot: Snapshot) -> Rows_:
    row = {
        "channel_id": f.text("id"), "observed_at": snapshot.observed_at, "login": f.lower("login"),
        "display_name": f.text("display_name"), "created_at": f.time("created_at"),
        "broadcaster_type": f.text("broadcaster_type"),
    }  # fmt: skip
    yield "channels", {**row, "extra": f.extra()}


def _channels(f: Fields, snapshot: Snapshot) -> Rows_:
    row = {
        "channel_id": f.text("broadcaster_id"), "observed_at": snapshot.observed_at,
        "login": f.lower("broadcaster_login"),
        "display_name": f.text("broadcaster_name"), "language": f.text("broadcaster_language"),
    }  # fmt: skip
    yield "channels", {**row, "extra": f.extra()}


def _streams(f: Fields, snapshot: Snapshot) -> Rows_:
    started_at = f.time("started_at")
    channel_id, stream_id = f.text("user_id"), f.text("id")
    kind = f.text("type")
    row = {
        "stream_id": stream_id, "observed_at": snapshot.received_at, "channel_id": channel_id, "title": f.text("title"),
        "category_id": f.text("game_id"), "category_name": f.text("game_name"), "language": f.text("language"),
        "tags": f.texts("tags"), "started_at": started_at, "started_date": started_at.date() if started_at else None,
    }  # fmt: skip
    count = {
        "channel_id": channel_id, "observed_at": snapshot.received_at, "stream_id": stream_id,
        "viewer_count": f.whole("viewer_count"),
    }  # fmt: skip
    f.used |= {"user_login", "user_name", "thumbnail_url", "tag_ids"}
    yield "viewer_counts", count
    yield "streams", {**row, "extra": f.extra(type=kind if kind != "live" else None)}


def _clips(f: Fields, snapshot: Snapshot) -> Rows_:
    vod, creator = f.text("video_id"), f.text("creator_id")
    row = {
        "clip_id": f.text("id"), "observed_at": snapshot.observed_at, "channel_id": f.text("broadcaster_id"),
        "stream_id": f"vod:{vod}" if vod else None, "created_at": f.time("created_at"),
        "vod_offset_seconds": f.number("vod_offset"), "duration_seconds": f.number("duration"),
        "title": f.text("title"), "view_count": f.whole("view_count"), "creator_viewer_id": creator,
    }  # fmt: skip
    name = f.text("creator_name")
    yield "clips", {**row, "extra": f.extra()}
    if creator:
        yield "viewers", {"viewer_id": creator, "observed_at": snapshot.observed_at, "display_name": name}


def _schedule(f: Fields, snapshot: Snapshot) -> Rows_:
    category = f.inside("category")
    row = {
        "channel_id": snapshot.channel_id, "segment_id": f.text("id"), "observed_at": snapshot.observed_at,
        "starts_at": f.time("start_time"), "ends_at": f.time("end_time"), "title": f.text("title"),
        "category_name": Fields(category).text("name"), "is_cancelled": f.time("canceled_until") is not None,
    }  # fmt: skip
    extra = f.extra(category_id=category.get("id"), canceled_until=f.members.get("canceled_until"))
    yield "scheduled_streams", {**row, "extra": extra}


def _followers(f: Fields, snapshot: Snapshot) -> Rows_:
    columns, viewer = _viewer(f, snapshot)
    yield "follows", {**columns, "followed_at": f.time("followed_at"), "extra": f.extra()}
    yield viewer


def _subscriptions(f: Fields, snapshot: Snapshot) -> Rows_:
    columns, viewer = _viewer(f, snapshot)
    row = {
        "tier": f.text("tier"), "plan_name": f.text("plan_name"), "is_gift": f.flag("is_gift"),
        "gifter_id": f.text("gifter_id"),
    }  # fmt: skip
    f.used |= {"broadcaster_id", "broadcaster_login", "broadcaster_name"}
    yield "subscriptions", {**columns, **row, "extra": f.extra()}
    yield viewer


def _moderators(f: Fields, snapshot: Snapshot) -> Rows_:
    columns, viewer = _viewer(f, snapshot, is_moderator=True)
    yield "channel_roles", {**columns, "role": "moderator", "extra": f.extra()}
    yield viewer


def _vips(f: Fields, snapshot: Snapshot) -> Rows_:
    columns, viewer = _viewer(f, snapshot)
    yield "channel_roles", {**columns, "role": "vip", "extra": f.extra()}
    yield viewer


def _banned(f: Fields, snapshot: Snapshot) -> Rows_:
    columns, viewer = _viewer(f, snapshot)
    banned_at, expires_at = f.time("created_at"), f.time("expires_at")
    reason, moderator = f.text("reason"), f.text("moderator_id")
    row = {"banned_at": banned_at, "expires_at": expires_at, "reason": reason, "moderator_id": moderator}
    yield "bans", {**columns, **row, "extra": f.extra()}
    yield viewer
    if banned_at:
        # The same ban in every snapshot: its id is a hash of what does not change.
        action = {"channel_id": snapshot.channel_id, "target_viewer_id": columns["viewer_id"], "occurred_at": banned_at}
        length = (expires_at - banned_at).total_seconds() if expires_at else None
        length_columns = {"action_type": "timeout" if expires_at else "ban", "duration_seconds": length}
        yield "moderation_actions", {**action, **length_columns, "reason": reason, "moderator_id": moderator}


def _chatters(f: Fields, snapshot: Snapshot) -> Rows_:
    columns, viewer = _viewer(f, snapshot)
    present = {
        "channel_id": snapshot.channel_id,
        "viewer_id": columns["viewer_id"],
        "observed_at": snapshot.received_at,
    }
    yield "chatter_presence", {**present, "extra": f.extra()}
    yield viewer


READERS: dict[str, Reader] = {
    "users": _users,
    "channels": _channels,
    "streams": _streams,
    "clips": _clips,
    "schedule": _schedule,
    "channels/followers": _followers,
    "subscriptions": _subscriptions,
    "moderation/moderators": _moderators,
    "channels/vips": _vips,
    "moderation/banned": _banned,
    "chat/chatters": _chatters,
}
