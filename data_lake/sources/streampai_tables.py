"""Streampai's tables: by which columns each is known, and what its rows are in the lake.

The events of a stream, whose meaning depends on their type, are in `streampai_events`. The relay is its own platform
('streampai'): which real platforms a stream went to is found later, from the events and samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.streampai_events import chat_table_select, event_selects
from data_lake.sources.streampai_sql import (
    Select,
    amount,
    boolean,
    faults,
    leftover,
    money_fault,
    number,
    time,
    whole,
)

_VIEWERS = re.compile(r"([a-z0-9]+)_viewers\Z")
_MAX_SECONDS = 172_800


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


def _livestreams(columns: Collection[str]) -> Sequence[Select]:
    started, ended = time("started_at"), time("ended_at")
    return [
        Select(
            "streams",
            {
                "platform": "'streampai'",
                "stream_id": "id",
                "source_broadcast_id": "id",
                "channel_id": "'owner:' || user_id",
                "title": "title",
                "category_name": "category",
                "language": "language",
                "tags": _list("tags"),
                "started_at": started,
                "started_date": f"({started})::date",
                "ended_at": ended,
                "extra": leftover(columns, "id user_id title category language tags started_at ended_at"),
            },
            [
                *faults(time=["started_at", "ended_at"]),
                (f"{ended} < {started}", "'ended_at lies before started_at'"),
                (f"epoch({ended} - {started}) > {_MAX_SECONDS}", "'lasts more than 48 hours'"),
                (f"tags is not null and {_list('tags')} is null", "'tags: ''' || left(tags, 100) || ''' is not a list'"),
            ],
        )
    ]


def _list(column: str) -> str:
    """A list of texts, written as JSON or as Postgres writes an array."""
    items = rf"""regexp_extract_all({column}, '"((?:[^"\\]|\\.)*)"|([^{{}},"]+)')"""
    return (
        f"case when json_valid({column}) then try_cast(from_json({column}, '[\"VARCHAR\"]') as varchar[]) "
        f"when {column} like '{{%}}' then list_transform({items}, lambda x: "
        rf"""replace(replace(trim(x, '"'), '\"', '"'), '\\', '\')) end"""
    )


def _metrics(columns: Collection[str]) -> Sequence[Select]:
    samples = [found for name in columns if (found := _VIEWERS.match(name))]
    kept = "livestream_id created_at input_bitrate_kbps id " + " ".join(found[0] for found in samples)
    return [
        Select(
            "viewer_counts",
            {
                "platform": f"'{found[1]}'",
                "channel_id": "'stream:' || livestream_id",
                "observed_at": time("created_at"),
                "stream_id": "livestream_id",
                "viewer_count": whole(found[0]),
                "bitrate_kbps": whole("input_bitrate_kbps"),
                "extra": leftover(columns, kept),
            },
            faults(time=["created_at"], whole=[found[0], "input_bitrate_kbps"]),
        )
        for found in samples
    ]


def _viewers(columns: Collection[str]) -> Sequence[Select]:
    return [
        Select(
            "viewers",
            {
                "platform": "platform",
                "viewer_id": "viewer_id",
                "observed_at": time("last_seen_at"),
                "login": "case when platform = 'twitch' and regexp_full_match(display_name, '\\w+') "
                "then lower(display_name) end",
                "display_name": "display_name",
                "is_moderator": boolean("is_moderator"),
                "is_patron": boolean("is_patreon"),
                "extra": leftover(columns, "platform viewer_id display_name last_seen_at is_moderator is_patreon"),
            },
            faults(time=["last_seen_at"], boolean=["is_moderator", "is_patreon"]),
        )
    ]


def _bans(columns: Collection[str]) -> Sequence[Select]:
    expiry = f"{time('expires_at')} - to_microseconds(round({number('duration_seconds')} * 1e6)::bigint)"
    ban = {
        "platform": "platform",
        "action_id": "'streampai:' || id",
        "occurred_at": f"coalesce({time('inserted_at')}, {time('created_at')}, "
        f"case when abs({number('duration_seconds')}) < 1e10 then {expiry} end)",
        "channel_id": "coalesce('stream:' || livestream_id, 'owner:' || user_id)",
        "stream_id": "livestream_id",
        "target_viewer_id": "coalesce(viewer_platform_id, viewer_id)",
        "action_type": "case when duration_seconds is null then 'ban' else 'timeout' end",
        "duration_seconds": number("duration_seconds"),
        "reason": "reason",
        "moderator_id": "banned_by_user_id",
        "extra": leftover(columns, " ".join(_BANS_KEPT)),
    }
    lifted = {
        **ban,
        "action_id": "'streampai:' || id || ':unban'",
        "occurred_at": time("unbanned_at"),
        "action_type": "'unban'",
        "duration_seconds": "null::double",
        "reason": "null::varchar",
        "moderator_id": "null::varchar",
        "extra": "null::varchar",
    }
    wrong = faults(time=["inserted_at", "created_at", "expires_at"], number=["duration_seconds"])
    return [
        Select("moderation_actions", ban, wrong),
        Select("moderation_actions", lifted, faults(time=["unbanned_at"]), "unbanned_at is not null"),
    ]


_BANS_KEPT = (
    "id",
    "platform",
    "livestream_id",
    "viewer_platform_id",
    "reason",
    "duration_seconds",
    "banned_by_user_id",
)
_UNPAID = "('failed', 'pending', 'cancelled', 'canceled', 'declined', 'expired')"


def _donations(columns: Collection[str]) -> Sequence[Select]:
    paid = {
        "platform": "coalesce(platform, 'streampai')",
        "event_id": "'streampai:' || id",
        "occurred_at": f"coalesce({time('inserted_at')}, {time('created_at')})",
        "channel_id": "coalesce('stream:' || livestream_id, 'owner:' || user_id)",
        "stream_id": "livestream_id",
        "viewer_id": "viewer_id",
        # Money that did not come is no donation: kept under a word of its own.
        "event_type": f"case when lower(status) in {_UNPAID} then 'donation_' || lower(status) else 'donation' end",
        "amount": amount(),
        "currency": "upper(currency)",
        "message_text": "message",
        "extra": leftover(columns, "id platform inserted_at livestream_id viewer_id amount currency message"),
    }
    refund = {
        **paid,
        "event_id": "'streampai:' || id || ':refund'",
        "occurred_at": time("refunded_at"),
        "event_type": "'donation'",
        "amount": f"-({amount()})",
        "message_text": "null::varchar",
    }
    wrong = [*faults(time=["inserted_at", "created_at"]), money_fault()]
    back = [*faults(time=["refunded_at"]), money_fault()]
    return [Select("stream_events", paid, wrong), Select("stream_events", refund, back, "refunded_at is not null")]


def _accounts(columns: Collection[str]) -> Sequence[Select]:
    about = "case when json_valid(extra_data) then json_extract_string(extra_data, '$.{}') end"
    channel_id = f"coalesce(nullif({about.format('uid')}, ''), 'owner:' || user_id)"
    observed = time("stats_last_refreshed_at")
    wrong = faults(time=["stats_last_refreshed_at"], whole=["follower_count", "sponsor_count"])
    kept = "user_id platform extra_data follower_count sponsor_count stats_last_refreshed_at"
    return [
        Select(
            "channels",
            {
                "platform": "platform",
                "channel_id": channel_id,
                "observed_at": observed,
                "login": f"lower({about.format('nickname')})",
                "display_name": about.format("name"),
                "follower_count": whole("follower_count"),
                "subscriber_count": whole("sponsor_count"),
                "extra": leftover(columns, kept),
            },
            wrong,
        ),
        Select(
            "channel_owners",
            {"creator_id": "user_id", "platform": "platform", "channel_id": channel_id, "observed_at": observed},
            wrong[:2],
        ),
    ]


TABLES = (
    Table(
        "livestreams",
        ("streams",),
        core=("id", "title", "category", "started_at", "ended_at", "user_id"),
        required=("id", "started_at"),
        selects=_livestreams,
        optional=("language", "tags"),
        anchors=("user_id",),
    ),
    Table(
        "livestream_metrics",
        ("viewer_counts",),
        core=("livestream_id", "created_at", "twitch_viewers", "youtube_viewers", "input_bitrate_kbps"),
        required=("livestream_id", "created_at"),
        selects=_metrics,
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
        selects=_viewers,
        optional=("is_moderator", "is_patreon"),
        anchors=("first_seen_at", "last_seen_at"),
    ),
    Table(
        "banned_viewers",
        ("moderation_actions",),
        core=("platform", "reason", "duration_seconds", "is_active", "unbanned_at", "banned_by_user_id", "expires_at"),
        required=("platform",),
        selects=_bans,
        optional=("id", "user_id", "livestream_id", "viewer_id", "viewer_platform_id", "inserted_at", "created_at"),
        anchors=("banned_by_user_id", "unbanned_at", "platform_ban_id"),
    ),
    Table(
        "donations",
        ("stream_events",),
        core=("provider", "amount", "currency", "status", "net_amount", "processing_fee", "inserted_at"),
        required=("amount", "currency", "inserted_at"),
        selects=_donations,
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
        selects=_accounts,
        optional=("extra_data",),
        anchors=("sponsor_count", "views_last_30d", "unique_viewers_last_30d", "stats_last_refreshed_at"),
    ),
)


def table_of(columns: Collection[str]) -> Table | None:
    """The table with these columns: most of its core (one may be missing or renamed), at least one anchor."""
    found = [
        (len(set(table.core) & set(columns)) / len(table.core), table)
        for table in TABLES
        if set(table.anchors) & set(columns)
    ]
    share, best = max(found, key=lambda pair: pair[0], default=(0.0, None))
    return best if share >= 0.55 else None


def select_of(table: Table, columns: Collection[str]) -> list[tuple[str, str]]:
    """(entity, SQL) for each entity a batch of the table fills; columns it lacks are null."""
    names = [name for name in columns if name not in (ROW, TEXT, PROBLEM)]
    known = {*table.core, *table.optional, *table.required, *table.anchors}
    absent = "".join(f', null::varchar as "{name}"' for name in sorted(known - set(names)))
    present = ", ".join(f'"{name}"' for name in names)
    source = f"(select {ROW}, {TEXT}, {PROBLEM}, {present}{absent} from batch)"
    selects = enumerate(table.selects(names))
    return [(select.entity, select.sql(source, names, is_first=at == 0)) for at, select in selects]
