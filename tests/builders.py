"""Small tables and exports for tests, written the way the product receives them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_lake.contracts import contract
from data_lake.layout import Layout
from data_lake.store import write_partition

EXPORTED = datetime(2026, 3, 1, 12)
# What planning reads of the live world's models, without rows.
PLANNED_MODELS = {
    **{
        f"stg_{entity}_keys": f"select null::date as event_date, '' as source, {names} limit 0"
        for entity, names in {
            "chat_messages": "'' as platform, '' as message_id",
            "moderation_actions": "'' as platform, '' as action_id",
            "stream_events": "'' as platform, '' as event_id",
        }.items()
    },
    "int_stream_activity": "select null::date as event_date, '' as platform, '' as stream_id limit 0",
    "int_stream_intervals": """select '' as platform, '' as stream_id, '' as channel_id,
        null::timestamp as started_at, null::timestamp as ended_at limit 0""",
    "stg_incomplete_snapshots": """select '' as source, '' as folder, '' as platform,
        null::timestamp as observed_at limit 0""",
}


def at(text: str) -> datetime:
    """'2026-01-31 20:15' or with seconds, as naive UTC."""
    return datetime.fromisoformat(text)


def rows_of(entity: str, *rows: Mapping[str, Any], source: str = "streampai") -> pa.Table:
    """Rows in the contract's types; what a row leaves out is null, except where it came from."""
    schema = contract(entity).arrow_schema
    common = {"source": source, "landing_file": "a-file", "extracted_at": EXPORTED}
    if "platform" in schema.names:
        common["platform"] = "twitch"
    return pa.Table.from_pylist([{**common, **row} for row in rows], schema=schema)


def put(layout: Layout, entity: str, *rows: Mapping[str, Any], source: str = "streampai") -> None:
    """Write rows straight into raw/, each into the partition of its day."""
    table = rows_of(entity, *rows, source=source)
    days = [t.date() for t in table.column(contract(entity).event_time).to_pylist()]
    for day in sorted(set(days)):
        write_partition(layout, entity, day, source, table.filter(pa.array([d == day for d in days])))


def message(message_id: str, sent_at: str, text: str = "hello", viewer: str = "v1", **more: Any) -> dict[str, Any]:
    """A chat message of channel c1 on Twitch."""
    base = {"message_id": message_id, "sent_at": at(sent_at), "text": text, "channel_id": "c1", "stream_id": "s1"}
    return {**base, "viewer_id": viewer, "viewer_login": viewer, "message_type": "chat", **more}


def sample(observed_at: str, viewers: int | None, **more: Any) -> dict[str, Any]:
    """A viewer count of channel c1 on Twitch."""
    base = {"observed_at": at(observed_at), "viewer_count": viewers, "channel_id": "c1", "stream_id": "s1"}
    return {**base, **more}


def stream(
    stream_id: str, started_at: str, ended_at: str, observed_at: str | None = None, **more: Any
) -> dict[str, Any]:
    """A snapshot of a stream of channel c1 on Twitch, by default taken when it ended."""
    base = {"stream_id": stream_id, "channel_id": "c1", "started_at": at(started_at), "ended_at": at(ended_at)}
    return {**base, "observed_at": at(observed_at or ended_at), "title": "a title", **more}


def twitch_comment(
    comment_id: str,
    moment: datetime,
    offset: float,
    text: str,
    who: str = "ann",
    *,
    video: str = "100",
    channel: int = 1,
) -> dict[str, Any]:
    """A comment as TwitchDownloader writes it, at a moment that its offset from the video's start need not fit."""
    return {
        "_id": comment_id,
        "created_at": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "channel_id": str(channel),
        "content_type": "video",
        "content_id": video,
        "content_offset_seconds": offset,
        "commenter": {"display_name": who.title(), "_id": f"id-{who}", "name": who},
        "message": {
            "body": text,
            "bits_spent": 0,
            "fragments": [{"text": text, "emoticon": None}],
            "user_badges": [],
            "user_color": None,
            "emoticons": [],
        },
    }


def twitch_chat(
    path: Path,
    comments: Iterable[tuple[float, str, str]],
    *,
    start: str = "2026-01-31T20:00:00Z",
    video: str = "100",
    exported: str = "2026-02-02T00:00:00Z",
    login: str = "streamer",
    channel: int = 1,
    first_id: int = 1,
) -> Path:
    """A TwitchDownloader chat file (schema 1.4.0); comments are (offset seconds, login, text)."""
    begin = datetime.fromisoformat(start)
    chat = []
    length = 60
    for number, (offset, who, text) in enumerate(comments, first_id):
        length = max(length, int(offset) + 60)
        moment = begin + timedelta(seconds=offset)
        comment_id = f"{video}-{number:06d}"
        chat.append(twitch_comment(comment_id, moment, offset, text, who, video=video, channel=channel))
    content = {
        "FileInfo": {"Version": {"Major": 1, "Minor": 4, "Patch": 0}, "CreatedAt": exported, "UpdatedAt": exported},
        "streamer": {"name": login.title(), "login": login, "id": channel},
        "video": {
            "title": "a title",
            "id": video,
            "created_at": start,
            "start": 0,
            "end": length,
            "length": length,
            "viewCount": 10,
            "game": "Chess",
            "chapters": [],
        },
        "comments": chat,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def day(text: str) -> date:
    return date.fromisoformat(text)
