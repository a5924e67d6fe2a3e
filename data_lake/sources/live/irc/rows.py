"""The fields of IRC messages (see `fields`) to rows of the lake, as SQL: what Twitch's commands and tags mean.

Tags are those of https://dev.twitch.tv/docs/chat/irc. A notice that only announces gifts adds none: each gift follows
as a notice of its own that carries the announcement's id. A notice mirrored from another channel of a shared chat is
that channel's event under that channel's id of it, so two logs of one shared chat count it once. Queries take
`$channel_id` and `$stream_id`, what the sidecar states.
"""

from __future__ import annotations

from collections.abc import Mapping

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.reading.sql import json_object
from data_lake.sources.reading.twitch_notices import ANONYMOUS_GIFTER

SETTINGS = ("emote-only", "followers-only", "r9k", "slow", "subs-only")


def tag(name: str) -> str:
    """The value of a tag in `tags`; null when it is absent or empty."""
    return f"""nullif((tags ->> '$."{name}"'), '')"""


def named(columns: Mapping[str, str]) -> str:
    """A select list."""
    return ", ".join(f'{sql} as "{name}"' for name, sql in columns.items())


def _count(name: str) -> str:
    return f"try_cast({tag(name)} as bigint)"


def _money(amount: str, exponent: str) -> str:
    """An amount in units of 10^-exponent of its currency."""
    scale = f"power(10::double, least(coalesce(try_cast({tag(exponent)} as integer), 0), 18))"
    return f"try_cast(try_cast({tag(amount)} as bigint) / {scale} as decimal(18, 4))"


# A mirrored notice says what it was in source-msg-id.
_KIND = f"case {tag('msg-id')} when 'sharedchatnotice' then {tag('source-msg-id')} else {tag('msg-id')} end"
_IS_MIRRORED = f"coalesce({tag('source-room-id')} <> room_id, false)"
_CHANNEL = "coalesce(room_id, known_id, $channel_id, 'login:' || channel)"
_LOGIN = f"coalesce({tag('login')}, nick)"
_VIEWER = f"coalesce(user_id, 'login:' || {_LOGIN})"
_FROM = "fields left join rooms using (channel)"

# Emotes as `StatedEmote`: ranges of code points.
_EMOTES = """
    case when emotes is not null then flatten(list_transform(string_split(emotes, '/'), lambda e:
        list_transform(string_split(split_part(e, ':', 2), ','), lambda place: {
            'id': split_part(e, ':', 1), 'start': try_cast(split_part(place, '-', 1) as integer),
            'end': try_cast(split_part(place, '-', 2) as integer), 'place': place
        }))) end"""
_MESSAGE = {
    "message_id": "id",
    "sent_at": "sent_at",
    "channel_id": _CHANNEL,
    "viewer_id": _VIEWER,
    "viewer_login": f"lower({_LOGIN})",
    "viewer_display_name": "display_name",
    "text": "text",
    "emotes": _EMOTES,
    "badges": "badges",
    "message_type": f"coalesce({_KIND}, case when is_action then 'action' else 'chat' end)",
    "is_action": "is_action",
    "bits_count": _count("bits"),
    "reply_to_message_id": tag("reply-parent-msg-id"),
    "is_first_message": "first_msg = '1'",
    "is_moderator": "mod = '1'",
    "is_subscriber": "subscriber = '1'",
    # The vip tag stands only where it is true, at times without a value.
    "is_vip": "coalesce((tags ->> '$.vip') <> '0', false) or coalesce(contains(',' || badges, ',vip/'), false)",
    "is_bot": "case when contains(badges, 'bot-badge/') then true end",
    "shared_from_channel_id": f"case when {_IS_MIRRORED} then {tag('source-room-id')} end",
}
_MESSAGE_EXTRA = {
    "badge-info": "badge_info",
    "color": "color",
    "custom-reward-id": tag("custom-reward-id"),
    "source-id": f"case when {_IS_MIRRORED} then {tag('source-id')} end",
    "returning-chatter": f"nullif({tag('returning-chatter')}, '0')",
    "msg-param-color": tag("msg-param-color"),
}
MESSAGES = f"""
    with spoken as (
        select *, coalesce(starts_with(body, chr(1) || 'ACTION '), false) as is_action from {_FROM}
        where {PROBLEM} is not null or command = 'PRIVMSG' or (command = 'USERNOTICE' and {_KIND} = 'announcement')
    ),
    texts as (
        select *, case when is_action then rtrim(body[9:], chr(1)) else coalesce(body, '') end as text from spoken
    )
    select 'twitch' as platform, $stream_id as stream_id, {named(_MESSAGE)}, {json_object(_MESSAGE_EXTRA)} as extra,
        {ROW}, {TEXT}, {PROBLEM}
    from texts"""

_IS_GIFT = "kind in ('subgift', 'anonsubgift')"
_EVENT_TYPE = """
    case kind
        when 'sub' then 'subscription'
        when 'resub' then 'resubscription'
        when 'extendsub' then 'resubscription'
        when 'giftpaidupgrade' then 'subscription'
        when 'anongiftpaidupgrade' then 'subscription'
        when 'primepaidupgrade' then 'subscription'
        when 'subgift' then 'gift'
        when 'anonsubgift' then 'gift'
        when 'standardpayforward' then 'gift'
        when 'communitypayforward' then 'gift'
        when 'charitydonation' then 'donation'
        when 'PRIVMSG' then 'superchat'
        else coalesce(kind, 'notice')
    end"""
_EVENT = {
    "event_id": f"case when is_mirrored then {tag('source-id')} else id end",
    "occurred_at": "sent_at",
    "channel_id": f"case when is_mirrored then {tag('source-room-id')} else {_CHANNEL} end",
    "stream_id": "case when not is_mirrored then $stream_id end",
    "viewer_id": f"case when not is_anonymous then {_VIEWER} end",
    "viewer_login": f"case when not is_anonymous then lower({_LOGIN}) end",
    "event_type": _EVENT_TYPE,
    "tier": f"case {tag('msg-param-sub-plan')} when 'Prime' then 'prime' else {tag('msg-param-sub-plan')} end",
    "month_count": "case when not is_gift then "
    f"coalesce({_count('msg-param-cumulative-months')}, {_count('msg-param-months')}) end",
    "gift_count": "case when is_gift then 1 end",
    "gift_group_id": "case when is_gift then "
    f"coalesce({tag('msg-param-community-gift-id')}, {tag('msg-param-origin-id')}) end",
    "gift_recipient_id": f"coalesce({tag('msg-param-recipient-id')}, "
    f"'login:' || lower({tag('msg-param-recipient-user-name')}))",
    "raid_viewer_count": _count("msg-param-viewerCount"),
    "amount": f"""coalesce({_money("msg-param-donation-amount", "msg-param-exponent")},
        {_money("pinned-chat-paid-amount", "pinned-chat-paid-exponent")})""",
    "currency": f"upper(coalesce({tag('msg-param-donation-currency')}, {tag('pinned-chat-paid-currency')}))",
    "message_text": "nullif(body, '')",
}
# What the columns above hold or a viewer's account says.
_HELD = ("msg-param-cumulative-months", "msg-param-months", "msg-param-sub-plan", "msg-param-sub-plan-name",
         "msg-param-recipient-id", "msg-param-recipient-display-name", "msg-param-recipient-user-name",
         "msg-param-origin-id", "msg-param-community-gift-id", "msg-param-viewerCount", "msg-param-profileImageURL",
         "msg-param-displayName", "msg-param-login", "msg-param-should-share-streak", "msg-param-donation-amount",
         "msg-param-donation-currency", "msg-param-exponent")  # fmt: skip
_EVENT_EXTRA = """
    case
        when kind in ('giftpaidupgrade', 'anongiftpaidupgrade') then '{"converted_from":"gift"}'
        when kind = 'primepaidupgrade' then '{"converted_from":"prime"}'
        when len(rest) > 0 then '{' || array_to_string(list_transform(rest, lambda k:
            to_json(k) || ':' || to_json((tags ->> ('$."' || k || '"')))), ',') || '}'
    end"""
EVENTS = f"""
    with noticed as (
        select *, case command when 'PRIVMSG' then command else {_KIND} end as kind from {_FROM}
        where {PROBLEM} is null and (
            command = 'USERNOTICE' or (command = 'PRIVMSG' and {tag("pinned-chat-paid-amount")} is not null))
    ),
    marked as (
        select *, {_IS_MIRRORED} as is_mirrored, coalesce({_IS_GIFT}, false) as is_gift,
            coalesce(kind = 'anonsubgift' or ({_IS_GIFT} and user_id = '{ANONYMOUS_GIFTER}'), false) as is_anonymous,
            list_filter(json_keys(tags), lambda k: regexp_full_match(k, 'msg-param-[A-Za-z0-9-]+') and k not in {_HELD}
                and coalesce((tags ->> ('$."' || k || '"')), '') <> '') as rest
        from noticed
        where coalesce(kind, '') not in ('submysterygift', 'anonsubmysterygift', 'announcement')
    )
    select 'twitch' as platform, {named(_EVENT)}, {_EVENT_EXTRA} as extra, {ROW}, null::varchar as {TEXT}, {PROBLEM}
    from marked"""

_ACTION = {
    "occurred_at": "sent_at",
    "channel_id": _CHANNEL,
    "target_viewer_id": f"""coalesce({tag("target-user-id")},
        'login:' || lower(case command when 'CLEARMSG' then {tag("login")} else nullif(body, '') end))""",
    "target_message_id": f"case command when 'CLEARMSG' then {tag('target-msg-id')} end",
    "action_type": f"""case
        when command = 'CLEARMSG' then 'delete'
        when {tag("ban-duration")} is not null then 'timeout'
        when nullif(body, '') is null and {tag("target-user-id")} is null then 'clear'
        else 'ban' end""",
    "duration_seconds": f"try_cast({tag('ban-duration')} as double)",
    "reason": tag("ban-reason"),
}
MODERATION = f"""
    select 'twitch' as platform, $stream_id as stream_id, {named(_ACTION)}, {ROW}, null::varchar as {TEXT}, {PROBLEM}
    from {_FROM} where {PROBLEM} is null and command in ('CLEARCHAT', 'CLEARMSG')"""

# Which channel a login is, as far as the file says; and what changes in a room's settings.
ROOMS = f"""
    select channel, arg_max(room_id, {ROW}) as known_id
    from fields where {PROBLEM} is null and channel is not null and room_id is not null group by channel"""
TIMED = f"select {ROW}, channel, sent_at from fields where {PROBLEM} is null and sent_at is not null"
ROOM_STATES = f"""
    select {_CHANNEL} as channel_id, {named({name: tag(name) for name in SETTINGS})}
    from {_FROM} where {PROBLEM} is null and command = 'ROOMSTATE' order by {ROW}"""
