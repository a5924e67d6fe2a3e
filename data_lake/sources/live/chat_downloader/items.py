"""Items of a chat-downloader file to typed fields, as SQL: every member is optional, some differ by site.

The temporary table `items` gets one row per item.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.reading.repair import chunked

# Members read from every item, and those read from items that are no text message.
_COMMON = {
    "message_id": "message_id",
    "message_type": "message_type",
    "action_type": "action_type",
    "moment": "timestamp",
    "offset_text": "time_in_seconds",
    "body": "message",
    "author_id": "author.id",
    "author_name": "author.name",
    "author_shown": "author.display_name",
    "author_mod": "author.is_moderator",
    "author_sub": "author.is_subscriber",
    "author_bot": "author.is_bot",
    "badges": "author.badges",
    "channel": "channel_id",
    "bits": "bits",
    "reply_to": "in_reply_to.message_id",
    "is_first": "is_first_message",
    "vip": "is_vip",
    "colour": "colour",
    "reward": "custom_reward_id",
    "source_room": "source_room_id",
}
_MORE = {
    "money_text": "money.text",
    "money_amount": "money.amount",
    "money_currency": "money.currency",
    "primary": "header_primary_text",
    "secondary": "header_secondary_text",
    "sub_message": "sub_message",
    "target_message": "target_message_id",
    "target_author": "target_author_id",
    "ban_duration": "ban_duration",
    "ban_type": "ban_type",
    "banned_user": "banned_user",
    "raiders": "number_of_raiders",
    "months": "cumulative_months",
    "months_before": "months",
    "plan": "subscription_type",
    "recipient": "gift_recipient_id",
    "recipient_shown": "gift_recipient_display_name",
    "mass_gift": "mass_gift_count",
    "community_gift": "msg_param_community_gift_id",
    "origin": "origin_id",
}
_EMOTES = '[{"id":"VARCHAR","name":"VARCHAR","locations":"VARCHAR","is_custom_emoji":"BOOLEAN"}]'
_ACTION = "chr(1) || 'ACTION '"


def _paths(members: dict[str, str]) -> str:
    return ", ".join(f"'$.{path}'" for path in members.values())


def _columns(extracted: str, members: dict[str, str]) -> str:
    return ", ".join(f"{extracted}[{at}] as {name}" for at, name in enumerate(members, 1))


ITEMS = f"""
    create or replace temp table items as
    with read as (
        select *, json_extract_string(case when {PROBLEM} is null then {TEXT} end, [{_paths(_COMMON)}]) as extracted
        from pieces
    ),
    more as (
        select *, case when coalesce(extracted[2], '') <> 'text_message' and {PROBLEM} is null
            then json_extract_string({TEXT}, [{_paths(_MORE)}]) end as rest
        from read
    ),
    named as (
        select {ROW}, {TEXT}, {PROBLEM}, {_columns("extracted", _COMMON)}, {_columns("rest", _MORE)},
            case when {PROBLEM} is null and contains({TEXT}, '"emotes"')
                then json_transform({TEXT}, '{{"emotes":{_EMOTES}}}').emotes end as emotes
        from more
    ),
    timed as (
        select *, try_cast(try_cast(moment as double) as bigint) as microseconds,
            try_cast(offset_text as double) as seconds
        from named
    ),
    placed as (
        select * exclude (microseconds, seconds, offset_text),
            case when abs(seconds) <= 172800 then seconds end as offset_seconds,
            case
                when microseconds between 0 and 253402300799999999 then make_timestamp(microseconds)
                when abs(seconds) <= 31536000
                    then $started_at::timestamp + to_microseconds((seconds * 1000000)::bigint)
            end as sent_at,
            -- The tool cuts off the mark of /me in front and leaves the one behind.
            coalesce(starts_with(body, {_ACTION}) or ends_with(body, chr(1)), false) as is_action,
            coalesce(nullif(message_type, ''), case when body is not null then 'text_message' end) as type
        from timed
    ),
    judged as (
        select *, {{problem}} as reason from placed
    )
    select * exclude (reason) replace (
            reason as {PROBLEM}, case when reason is not null then {TEXT} end as {TEXT},
            case
                when is_action then rtrim(
                    case when starts_with(body, {_ACTION}) then substr(body, 9) else body end, chr(1))
                else body
            end as body)
    from judged where {PROBLEM} is not null or not coalesce({{is_silent}}, false)"""


def read_items(
    con: duckdb.DuckDBPyConnection, pieces: pa.Table, started_at: object, problem: str, is_silent: str
) -> None:
    """Make `items` of a batch; `started_at`, naive UTC or None, places items that only know their offset.

    `problem` and `is_silent` are SQL over the fields: why an item cannot be kept (null if it can), and whether it is
    left out.
    """
    con.register("pieces", chunked(pieces))
    con.execute(ITEMS.replace("{problem}", problem).replace("{is_silent}", is_silent), {"started_at": started_at})
    con.unregister("pieces")
