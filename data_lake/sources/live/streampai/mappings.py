"""What the rows of Streampai's tables are in the lake, but for stream_events (see `events`).

The relay is its own platform ('streampai'): which real platforms a stream went to is found later, from the events and
samples.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from data_lake.sources.live.streampai.sql import (
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


def livestreams(columns: Collection[str]) -> Sequence[Select]:
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
                (
                    f"tags is not null and {_list('tags')} is null",
                    "'tags: ''' || left(tags, 100) || ''' is not a list'",
                ),
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


def metrics(columns: Collection[str]) -> Sequence[Select]:
    samples = [column for name in columns if (column := _VIEWERS.match(name))]
    kept = "livestream_id created_at input_bitrate_kbps id " + " ".join(column[0] for column in samples)
    return [
        Select(
            "viewer_counts",
            {
                "platform": f"'{column[1]}'",
                "channel_id": "'stream:' || livestream_id",
                "observed_at": time("created_at"),
                "stream_id": "livestream_id",
                "viewer_count": whole(column[0]),
                "bitrate_kbps": whole("input_bitrate_kbps"),
                "extra": leftover(columns, kept),
            },
            faults(time=["created_at"], whole=[column[0], "input_bitrate_kbps"]),
        )
        for column in samples
    ]


def viewers(columns: Collection[str]) -> Sequence[Select]:
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


def bans(columns: Collection[str]) -> Sequence[Select]:
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


def donations(columns: Collection[str]) -> Sequence[Select]:
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


def accounts(columns: Collection[str]) -> Sequence[Select]:
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
