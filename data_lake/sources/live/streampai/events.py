"""Streampai's stream_events by type: chat, money and people, the relay's own events; and the older chat_messages table.

An event's `data` is a JSON object, or a text that holds one. Types that are not known are kept as stream_events under
their own name.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from data_lake.sources.live.streampai.sql import Select, amount, boolean, faults, money_fault, time, whole

CHANNEL = "coalesce('stream:' || livestream_id, 'owner:' || user_id)"

_CHAT = "type = 'chat_message'"
_SEGMENT = "type in ('stream_updated', 'stream_metadata_changed')"
_TEXTS = (
    *("message", "username", "display_name", "sender_channel_id", "channel_id", "is_moderator", "is_patreon"),
    *("amount", "currency", "amount_micros", "amount_cents", "tier", "months", "raider_name", "viewer_count"),
    *("title", "category", "category_id"),
)
_SHAPE = json.dumps(
    {**dict.fromkeys(_TEXTS, "VARCHAR"), "emotes": [dict.fromkeys(("name", "id", "start", "end"), "VARCHAR")]}
)
# Members of `data` that have a column, or repeat one.
_COMMON = ("type", "platform", "message", "username", "display_name", "sender_channel_id", "channel_id", "emotes")


def _read(*read: str) -> str:
    """A relation with the members of `data` as columns `_d_...`, and those not `said` as JSON in `_d_extra`."""
    members = ", ".join(f"_d.{name} as _d_{name}" for name in (*_TEXTS, "emotes"))
    without = json.dumps(dict.fromkeys((*_COMMON, *read)))
    extra = f"nullif(json_merge_patch('{{}}', json_merge_patch(_held, '{without}'))::varchar, '{{}}')"
    return f"""(
        select * exclude (_d), {members}, {extra} as _d_extra
        from (select *, json_transform(_held, '{_SHAPE}') as _d
        from (select *, case when json_valid(_inner) then _inner end as _held
        from (select *, case when json_valid(data) then
            case when json_type(data) = 'VARCHAR' then json_extract_string(data, '$') else data end end as _inner
        from {{source}})))
    )"""


_DATA_FAULTS = [
    ("data is null", "'data is missing'"),
    ("_held is null or json_type(_held) <> 'OBJECT'", "'data is not a JSON object'"),
]


def event_selects(_: Collection[str]) -> Sequence[Select]:
    """Chat messages, segments, and everything else as stream events."""
    event = {
        "platform": "coalesce(platform, 'streampai')",
        "channel_id": CHANNEL,
        "stream_id": "livestream_id",
    }
    wrong = [("type is null", "'type is missing'"), *_DATA_FAULTS, *faults(time=["inserted_at"])]
    others = Select(
        "stream_events",
        {
            **event,
            "event_id": "'streampai:' || id",
            "occurred_at": time("inserted_at"),
            "viewer_id": f"case when type not like 'platform_%' then {_viewer_id('_d_username')} end",
            "viewer_login": "lower(coalesce(_d_username, _d_raider_name))",
            "event_type": f"case when type = 'subscription' and {whole('_d_months')} > 1 "
            "then 'resubscription' else type end",
            "tier": "_d_tier",
            "month_count": whole("_d_months"),
            "raid_viewer_count": f"case when type = 'raid' then {whole('_d_viewer_count')} end",
            "amount": amount("_d_"),
            "currency": "upper(_d_currency)",
            "message_text": "_d_message",
            "extra": "_d_extra",
        },
        [*wrong, *faults(whole=["_d_months", "_d_viewer_count"]), money_fault("_d_")],
        f"type is null or not ({_CHAT} or {_SEGMENT})",
        _read("amount", "currency", "amount_micros", "amount_cents", "tier", "months", "raider_name", "viewer_count"),
    )
    chat = Select(
        "chat_messages",
        {
            **event,
            "message_id": "'streampai:' || id",
            "sent_at": time("inserted_at"),
            "viewer_id": _viewer_id("_d_username"),
            "viewer_login": "lower(_d_username)",
            "viewer_display_name": "coalesce(_d_display_name, _d_username)",
            "text": "_d_message",
            "emotes": "list_transform(_d_emotes, lambda e: {'id': e.id, 'start': try_cast(e.start as integer), "
            "'end': try_cast(e.end as integer), 'place': concat_ws('-', e.start, e.end), 'name': e.name})",
            "message_type": "'chat'",
            "is_moderator": boolean("_d_is_moderator"),
            "extra": "_d_extra",
        },
        [
            *wrong,
            ("_d_message is null", "'data.message is missing'"),
            *faults(boolean=["_d_is_moderator"]),
        ],
        _CHAT,
        _read("is_moderator"),
    )
    segments = Select(
        "stream_segments",
        {
            "platform": event["platform"],
            "stream_id": "livestream_id",
            "segment_started_at": time("inserted_at"),
            "category_id": "_d_category_id",
            "category_name": "_d_category",
            "title": "_d_title",
            "extra": "_d_extra",
        },
        wrong,
        _SEGMENT,
        _read("title", "category", "category_id"),
    )
    return [others, chat, segments]


def chat_table_select(_: Collection[str]) -> Sequence[Select]:
    """The chat_messages table of an older schema."""
    name = "coalesce(sender_username, username)"
    return [
        Select(
            "chat_messages",
            {
                "platform": "platform",
                "message_id": "'streampai:' || id",
                "sent_at": time("inserted_at"),
                "channel_id": CHANNEL,
                "stream_id": "livestream_id",
                "viewer_id": f"coalesce(sender_channel_id, viewer_id, 'login:' || lower({name}))",
                "viewer_login": f"lower({name})",
                "viewer_display_name": name,
                "text": "message",
                "message_type": "'chat'",
                "is_moderator": boolean("sender_is_moderator"),
                "extra": f"case when {boolean('sender_is_patreon')} then '{{\"is_patreon\":true}}' end",
            },
            [
                ("message is null", "'message is missing'"),
                *faults(time=["inserted_at"], boolean=["sender_is_moderator", "sender_is_patreon"]),
            ],
        )
    ]


def _viewer_id(name: str) -> str:
    return f"coalesce(viewer_id, _d_sender_channel_id, _d_channel_id, 'login:' || lower({name}))"
