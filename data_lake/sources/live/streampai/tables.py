"""Streampai's tables: by which columns each is known, and which of them it cannot do without.

What their rows are is in `mappings` and, for events, `events`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.streampai.events import chat_table_select, event_selects
from data_lake.sources.live.streampai.mappings import accounts, bans, donations, livestreams, metrics, viewers
from data_lake.sources.live.streampai.sql import Select


@dataclass(frozen=True)
class Table:
    """A table: of its `core` columns most must be there to know it; its rows cannot do without the `required`."""

    name: str
    entities: tuple[str, ...]
    core: tuple[str, ...]
    required: tuple[str, ...]
    selects: Callable[[Collection[str]], Sequence[Select]]
    optional: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()  # at least one of these must be there


TABLES = (
    Table(
        "livestreams",
        ("streams",),
        core=("id", "title", "category", "started_at", "ended_at", "user_id"),
        required=("id", "started_at"),
        selects=livestreams,
        optional=("language", "tags"),
        anchors=("user_id",),
    ),
    Table(
        "livestream_metrics",
        ("viewer_counts",),
        core=("livestream_id", "created_at", "twitch_viewers", "youtube_viewers", "input_bitrate_kbps"),
        required=("livestream_id", "created_at"),
        selects=metrics,
        anchors=("twitch_viewers", "youtube_viewers", "facebook_viewers", "kick_viewers"),
    ),
    Table(
        "stream_events",
        ("chat_messages", "stream_events", "stream_segments"),
        core=("id", "type", "data", "livestream_id", "platform", "inserted_at", "was_displayed"),
        required=("id", "type", "data", "livestream_id", "inserted_at"),
        selects=event_selects,
        optional=("user_id", "viewer_id", "author_id"),
        anchors=("livestream_id", "was_displayed"),
    ),
    Table(
        "chat_messages",
        ("chat_messages",),
        core=("id", "message", "sender_username", "sender_channel_id", "platform", "livestream_id", "inserted_at"),
        required=("message", "platform", "inserted_at"),
        selects=chat_table_select,
        optional=("viewer_id", "user_id", "username", "sender_is_moderator", "sender_is_patreon"),
        anchors=("sender_username", "sender_channel_id"),
    ),
    Table(
        "stream_viewers",
        ("viewers",),
        core=("viewer_id", "user_id", "platform", "display_name", "first_seen_at", "last_seen_at"),
        required=("viewer_id", "platform", "last_seen_at"),
        selects=viewers,
        optional=("is_moderator", "is_patreon"),
        anchors=("first_seen_at", "last_seen_at"),
    ),
    Table(
        "banned_viewers",
        ("moderation_actions",),
        core=("platform", "reason", "duration_seconds", "is_active", "unbanned_at", "banned_by_user_id", "expires_at"),
        required=("platform",),
        selects=bans,
        optional=("id", "user_id", "livestream_id", "viewer_id", "viewer_platform_id", "inserted_at", "created_at"),
        anchors=("banned_by_user_id", "unbanned_at", "platform_ban_id"),
    ),
    Table(
        "donations",
        ("stream_events",),
        core=("provider", "amount", "currency", "status", "net_amount", "processing_fee", "inserted_at"),
        required=("amount", "currency", "inserted_at"),
        selects=donations,
        optional=(
            *("id", "user_id", "livestream_id", "platform", "viewer_id", "message", "created_at", "refunded_at"),
            *("amount_micros", "amount_cents"),
        ),
        anchors=("net_amount", "processing_fee"),
    ),
    Table(
        "streaming_account",
        ("channels", "channel_owners"),
        core=("user_id", "platform", "follower_count", "sponsor_count", "views_last_30d", "stats_last_refreshed_at"),
        required=("user_id", "platform"),
        selects=accounts,
        optional=("extra_data",),
        anchors=("sponsor_count", "views_last_30d", "unique_viewers_last_30d", "stats_last_refreshed_at"),
    ),
)


def table_of(columns: Collection[str]) -> Table | None:
    """The table with these columns: most of its core (one may be missing or renamed), at least one anchor."""
    candidates = [
        (len(set(table.core) & set(columns)) / len(table.core), table)
        for table in TABLES
        if set(table.anchors) & set(columns)
    ]
    share, best = max(candidates, key=lambda pair: pair[0], default=(0.0, None))
    return best if share >= 0.55 else None


def select_of(table: Table, columns: Collection[str]) -> list[tuple[str, str]]:
    """(entity, SQL) for each entity a batch of the table fills; columns it lacks are null."""
    names = [name for name in columns if name not in (ROW, TEXT, PROBLEM)]
    columns_of_table = {*table.core, *table.optional, *table.required, *table.anchors}
    absent = "".join(f', null::varchar as "{name}"' for name in sorted(columns_of_table - set(names)))
    present = ", ".join(f'"{name}"' for name in names)
    source = f"(select {ROW}, {TEXT}, {PROBLEM}, {present}{absent} from batch)"
    selects = enumerate(table.selects(names))
    return [(select.entity, select.sql(source, names, is_first=at == 0)) for at, select in selects]
