"""Items of chat-downloader (see `items`) to rows: messages, events, moderation, or nothing.

The kinds are those of chat-downloader's YouTube and Twitch modules. Tickers repeat paid items and count for nothing. On
Twitch an item that only announces gifts adds none; on YouTube the announcement is the gift, with its number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.reading.columns import where
from data_lake.sources.reading.money import currency_of, first_number, parse_money
from data_lake.sources.reading.twitch_notices import ANONYMOUS_GIFTER

CHATS = ("text_message", "highlighted_message", "send_message_in_subscriber_only_mode", "announcement")
EVENT_TYPES = {
    "paid_message": "superchat",
    "paid_sticker": "superchat",
    "membership_item": "subscription",
    "sponsorships_gift_purchase_announcement": "gift",
    "sponsorships_gift_redemption_announcement": "gift_redemption",
    "donation_announcement": "donation",
    "subscription": "subscription",
    "resubscription": "resubscription",
    "extend_subscription": "resubscription",
    "subscription_gift": "gift",
    "anonymous_subscription_gift": "gift",
    "standard_pay_forward": "gift",
    "community_pay_forward": "gift",
    "prime_paid_upgrade": "subscription",
    "gift_paid_upgrade": "subscription",
    "anonymous_gift_paid_upgrade": "subscription",
    "raid": "raid",
    "unraid": "unraid",
    "ritual": "ritual",
    "reward_gift": "rewardgift",
    "bits_badge_tier": "bitsbadgetier",
    "prime_community_gift_received": "primecommunitygiftreceived",
    "charity": "charity",
    "crowd_chant": "crowd-chant",
}
ONE_GIFT = ("subscription_gift", "anonymous_subscription_gift")
MODERATION = ("deleted_message", "delete_message", "ban_user", "clear_chat")
# What the chat says about itself, and what repeats or arranges other items.
SILENT = ("mystery_subscription_gift", "anonymous_mystery_subscription_gift", "banner", "banner_header",
          "remove_banner", "viewer_engagement_message", "mode_change_message", "placeholder_item",
          "purchased_product_message", "tooltip", "room_state", "user_state", "successful_login", "host_target",
          "reconnect", "notice")  # fmt: skip

_KINDS = (*CHATS, *EVENT_TYPES, *MODERATION)
IS_SILENT = f"(type in {SILENT} or starts_with(type, 'ticker_') or action_type = 'notice')"
NOT_KEPT = f"""case
    when {PROBLEM} is not null then {PROBLEM}
    when type is null then 'is not a chat item: it has neither message_type nor message'
    when type in {MODERATION} then null
    when type not in {_KINDS} and action_type is distinct from 'user_notice'
        then concat('message_type ''', type[:60], ''' is unknown')
    when sent_at is null
        then 'says no time: timestamp is missing, and time_in_seconds or the sidecar''s stream_started_at'
end"""
CHANNEL = "coalesce(channel, $channel_id)"
_HANDLE = "case when starts_with(author_name, '@') then substr(author_name, 2) end"
LOGIN = f"case $platform when 'youtube' then {_HANDLE} else author_name end"
_IS_ANONYMOUS = f"(type in {ONE_GIFT} and (starts_with(type, 'anonymous_') or author_id = '{ANONYMOUS_GIFTER}'))"
_MONTHS = "try_cast(coalesce(months, months_before) as bigint)"
EVENTS = f"""
    select *, {CHANNEL} as channel_id, {LOGIN} as login, {_IS_ANONYMOUS} as is_anonymous, {_MONTHS} as month_number
    from items where {PROBLEM} is null and type not in {CHATS} and type not in {MODERATION} order by {ROW}"""

# Removals on YouTube have no time: they get that of the last item before them.
ACTIONS = f"""
    select {ROW}, {TEXT}, type, sent_at, {CHANNEL} as channel_id, author_id, author_name, target_message,
        target_author, banned_user, ban_duration
    from items where {PROBLEM} is null and (type in {MODERATION} or sent_at is not null) order by {ROW}"""

_EVENT_SCHEMA = pa.schema(
    [
        (n, pa.string())
        for n in ("event_id", "channel_id", "viewer_id", "viewer_login", "event_type", "tier", "gift_group_id")
    ]
    + [(n, pa.string()) for n in ("gift_recipient_id", "currency", "message_text", "extra", TEXT, PROBLEM)]
    + [(n, pa.int64()) for n in ("month_count", "gift_count", "raid_viewer_count", ROW)]
    + [("occurred_at", pa.timestamp("us")), ("amount", pa.decimal128(18, 4))]
)
_TIERS = {"Prime": "prime", "Tier 1": "1000", "Tier 2": "2000", "Tier 3": "3000"}


def event_rows(con: duckdb.DuckDBPyConnection, stated: Mapping[str, Any]) -> pa.Table | None:
    """Rows of stream_events. They are few, and read one by one."""
    rows = con.execute(EVENTS, {name: stated[name] for name in ("platform", "channel_id")}).to_arrow_table()
    if not len(rows):
        return None
    table = pa.Table.from_pylist([_event(row) for row in rows.drop(["emotes", "badges"]).to_pylist()], _EVENT_SCHEMA)
    for name in ("platform", "stream_id"):
        table = table.append_column(name, pa.repeat(pa.scalar(stated[name], pa.string()), len(table)))
    return table


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    kind = row["type"]
    event_type = EVENT_TYPES.get(kind, kind)
    rest: dict[str, str | None] = {}
    amount, currency = _money(row, rest)
    months, text = row["month_number"], row["body"] or row["sub_message"]
    gift_count = 1 if kind in ONE_GIFT else None
    if kind == "membership_item":
        # A milestone has its sentence in the header and the member's words as message; a new member only a sentence.
        rest["header_primary_text"] = row["primary"]
        if row["primary"] and first_number(row["primary"]) is not None:
            event_type, months = "resubscription", first_number(row["primary"])
        elif not row["primary"]:
            rest["header"], text = text, row["sub_message"]
    elif kind == "sponsorships_gift_purchase_announcement":
        header = row["primary"] or row["body"] or ""
        gift_count = first_number(row["mass_gift"] or header)
        rest["header_primary_text"] = row["primary"]
    elif kind.endswith("paid_upgrade"):
        rest["converted_from"] = "prime" if kind.startswith("prime") else "gift"
    rest = {name: value for name, value in rest.items() if value}
    recipient = row["recipient"] or (f"login:{row['recipient_shown'].lower()}" if row["recipient_shown"] else None)
    viewer = row["author_id"] or (f"login:{row['author_name'].lower()}" if row["author_name"] else None)
    return {
        "event_id": row["message_id"] or None,
        "occurred_at": row["sent_at"],
        "channel_id": row["channel_id"],
        "viewer_id": None if row["is_anonymous"] else viewer,
        "viewer_login": None if row["is_anonymous"] or not row["login"] else row["login"].lower(),
        "event_type": event_type,
        "tier": _TIERS.get(row["plan"], row["plan"]),
        "month_count": None if event_type == "gift" else months,
        "gift_count": gift_count,
        "gift_group_id": (row["community_gift"] or row["origin"]) if kind in ONE_GIFT else None,
        "gift_recipient_id": row["author_id"] if event_type == "gift_redemption" else recipient,
        "raid_viewer_count": _whole(row["raiders"]),
        "amount": amount,
        "currency": currency,
        "message_text": text or None,
        "extra": _json(rest),
        ROW: row[ROW],
        TEXT: None,
        PROBLEM: None,
    }


def _money(row: Mapping[str, Any], rest: dict[str, str | None]) -> tuple[Decimal | None, str | None]:
    """Amount and currency: from the text as shown (the tool reads '1.234,50' as 1.2345), else from its own fields."""
    amount, currency = parse_money(row["money_text"]) if row["money_text"] else (None, None)
    if amount is None and row["money_amount"]:
        try:
            amount = Decimal(row["money_amount"])
        except InvalidOperation:
            amount = None
        if amount is not None and not (amount.is_finite() and abs(amount) < 10**14):
            amount = None
    currency = currency or currency_of(row["money_currency"] or "")
    if row["money_text"] and (amount is None or currency is None):
        rest["money"] = row["money_text"]
    return (amount.quantize(Decimal("0.0001")) if amount is not None else None), currency


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,15}", text) else None


def _json(rest: Mapping[str, Any]) -> str | None:
    return json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None


def action_rows(
    con: duckdb.DuckDBPyConnection, stated: Mapping[str, Any], fast: pa.Table, last: datetime | None
) -> tuple[pa.Table | None, datetime | None]:
    """Rows of moderation_actions, and the time of the last item.

    `fast` has the rows and times of items read elsewhere, `last` that time before this batch.
    """
    rows = con.execute(ACTIONS, {"channel_id": stated["channel_id"]}).to_arrow_table().combine_chunks()
    times = ["sent_at", ROW]
    every = pa.concat_tables([rows.select(times).append_column("at", pa.array(range(len(rows)), pa.int64())),
                              fast.select(times).append_column("at", pa.nulls(len(fast), pa.int64()))])  # fmt: skip
    every = every.take(pc.sort_indices(every, [(ROW, "ascending"), ("at", "ascending")])).combine_chunks()
    carried = pc.fill_null_forward(
        pa.concat_arrays([pa.array([last], pa.timestamp("us")), every["sent_at"].combine_chunks()])
    )
    latest = carried[-1].as_py()
    is_here = pc.is_valid(every["at"])
    times_here = pc.fill_null_backward(carried[1:]).filter(is_here)
    rows = rows.take(every["at"].filter(is_here))
    is_action = pc.is_in(rows["type"], pa.array(MODERATION))
    if not pc.any(is_action).as_py():
        return None, latest
    rows = rows.append_column("occurred_at", times_here).filter(is_action).combine_chunks()
    actions = [_action(row) for row in rows.to_pylist()]
    problem = where(pc.is_null(rows["occurred_at"]), "no item says when this happened")
    schema = pa.schema(
        [(n, pa.string()) for n in ("action_type", "target_viewer_id", "target_message_id")]
        + [("duration_seconds", pa.float64())]
    )
    table = pa.Table.from_pylist(actions, schema)
    for name in ("occurred_at", "channel_id", ROW):
        table = table.append_column(name, rows[name])
    for name in ("platform", "stream_id"):
        table = table.append_column(name, pa.repeat(pa.scalar(stated[name], pa.string()), len(table)))
    text = pc.if_else(pc.is_valid(problem), rows[TEXT], pa.scalar(None, pa.string()))
    return table.append_column(TEXT, text).append_column(PROBLEM, problem), latest


def _action(row: Mapping[str, Any]) -> dict[str, Any]:
    kind, duration = row["type"], _whole(row["ban_duration"])
    name = row["author_name"] if kind == "delete_message" else row["banned_user"]
    viewer = row["target_author"] or row["author_id"] or (f"login:{name.lower()}" if name else None)
    action = {"deleted_message": "delete", "delete_message": "delete", "clear_chat": "clear"}.get(kind)
    return {
        "action_type": action or ("timeout" if duration else "ban"),
        "target_viewer_id": None if kind == "clear_chat" else viewer,
        "target_message_id": row["target_message"] if action == "delete" else None,
        "duration_seconds": float(duration) if duration else None,
    }
