"""Actions of a YouTube live chat (see `actions`) to messages, events, moderation and viewers.

A paid message, sticker or membership is an event and no chat message; its ticker above the chat repeats it and counts
for nothing. A gift of memberships counts once, where it is announced with its number; what each viewer then receives is
a `gift_redemption`. Standard emoji are text, a channel's own emoji are emotes. A removal has no time of its own: it
gets that of the last message before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.yt_dlp_live_chat.actions import TEXT_MESSAGE
from data_lake.sources.live.yt_dlp_live_chat.text import offsets, plain_text, spoken
from data_lake.sources.reading.columns import constant, holds_name, where
from data_lake.sources.reading.money import first_number, parse_money

JEWELS = "giftMessageViewModel"
EVENT_TYPES = {
    "liveChatPaidMessageRenderer": "superchat",
    "liveChatPaidStickerRenderer": "superchat",
    "liveChatMembershipItemRenderer": "subscription",
    "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer": "gift",
    "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer": "gift_redemption",
    "liveChatDonationAnnouncementRenderer": "donation",
    JEWELS: "virtual_gift",
}
REMOVALS = {
    "markChatItemAsDeletedAction": "delete",
    "removeChatItemAction": "delete",
    "markChatItemsByAuthorAsDeletedAction": "ban",
    "removeChatItemByAuthorAction": "ban",
}
# Items the chat shows about itself, and actions that repeat or arrange what is said elsewhere.
SILENT_ITEMS = ("liveChatPlaceholderItemRenderer", "liveChatViewerEngagementMessageRenderer",
                "liveChatModeChangeMessageRenderer", "liveChatModerationMessageRenderer",
                "liveChatAutoModMessageRenderer", "liveChatProductItemRenderer",
                "liveChatPurchasedProductMessageRenderer")  # fmt: skip
SILENT_ACTIONS = ("addLiveChatTickerItemAction", "addBannerToLiveChatCommand", "removeBannerForLiveChatCommand",
                  "updateLiveChatPollAction", "showLiveChatActionPanelAction", "closeLiveChatActionPanelAction",
                  "updateLiveChatActionPanelAction", "showLiveChatTooltipCommand", "dimChatItemAction",
                  "liveChatReportModerationStateCommand", "changeEngagementPanelVisibilityAction", "signalAction",
                  "showFanzoneTickerChipCommand", "removeFanzoneTickerChipCommand", "addInteractivityWidgetAction",
                  "updateOrAddInteractivityWidgetAction")  # fmt: skip
_ADDING = ("addChatItemAction", "replaceChatItemAction")


@dataclass(frozen=True)
class Place:
    """The channel and the stream (YouTube's id of the video) the chat belongs to."""

    channel_id: str | None
    stream_id: str | None


def judged(actions: pa.Table, last: datetime | None) -> pa.Table:
    """The actions with a `_problem` where one cannot be kept, without those that say nothing of their own.

    `last` is the time of the last message before this batch: a gift of Jewels states no time and gets that of the
    message before it.

    Added are `shown`, the author's name, and `login`, which a YouTube handle ('@someone') is and an older name is not.
    """
    actions = _with_times_of_jewels(actions, last)
    kind, action = actions["kind"], actions["action"]
    is_known = pc.is_in(kind, pa.array([TEXT_MESSAGE, *EVENT_TYPES]))
    is_adding = pc.is_in(action, pa.array(_ADDING))
    is_removal = pc.is_in(action, pa.array(list(REMOVALS)))
    is_silent = pc.or_(
        pc.is_in(action, pa.array(SILENT_ACTIONS)), pc.and_(is_adding, pc.is_in(kind, pa.array(SILENT_ITEMS)))
    )
    named = pc.coalesce(pc.if_else(is_adding, kind, action), "")
    problem = pc.coalesce(
        actions[PROBLEM],
        where(pc.and_(is_adding, pc.is_null(kind)), "the item that is added is missing"),
        pc.if_else(
            pc.or_(pc.and_(is_adding, is_known), is_removal),
            pa.scalar(None, pa.string()),
            pc.binary_join_element_wise("live chat item ", named, " is unknown", ""),
        ),
        where(pc.and_(is_adding, pc.is_null(actions["sent_at"])), "timestampUsec is missing or no moment"),
    )
    kept = pc.or_(pc.invert(is_silent), pc.is_valid(actions[PROBLEM]))
    text = pc.if_else(pc.is_valid(problem), actions[TEXT], pa.scalar(None, pa.string()))
    shown = pc.coalesce(actions["name"], actions["gift_name"], pc.utf8_trim_whitespace(actions["jewels_name"]))
    rows = actions.drop([TEXT, PROBLEM]).append_column(TEXT, text).append_column(PROBLEM, problem)
    rows = rows.append_column("shown", shown).append_column("login", _login(shown))
    return rows.filter(kept).combine_chunks()


def _with_times_of_jewels(actions: pa.Table, last: datetime | None) -> pa.Table:
    sent_at = actions["sent_at"].combine_chunks()
    is_timeless = pc.and_(pc.fill_null(pc.equal(actions["kind"], JEWELS), False), pc.is_null(sent_at))
    if not pc.any(is_timeless).as_py():
        return actions
    carried = pc.fill_null_forward(pa.concat_arrays([pa.array([last], sent_at.type), sent_at]))
    nearest = pc.coalesce(carried[1:], pc.fill_null_backward(sent_at))
    times = pc.if_else(is_timeless, nearest, sent_at)
    return actions.set_column(actions.schema.get_field_index("sent_at"), "sent_at", times)


def messages_of(actions: pa.Table, place: Place) -> pa.Table:
    """Chat messages, and the rows that cannot be kept."""
    is_chat = pc.and_kleene(pc.equal(actions["kind"], TEXT_MESSAGE), pc.is_in(actions["action"], pa.array(_ADDING)))
    rows = actions.filter(pc.or_kleene(pc.is_valid(actions[PROBLEM]), is_chat)).combine_chunks()
    text, emotes = spoken(rows)
    badges = rows["badges"].combine_chunks()
    return pa.table(
        {
            **_common(rows, place),
            "message_id": rows["id"],
            "sent_at": rows["sent_at"],
            **_viewer(rows),
            "viewer_display_name": rows["shown"],
            "offset_seconds": offsets(rows),
            "text": text,
            "emotes": emotes,
            "badges": badges,
            "message_type": pa.repeat("chat", len(rows)),
            "is_action": pa.repeat(False, len(rows)),
            "is_moderator": holds_name(badges, "moderator"),
            "is_subscriber": holds_name(badges, "member"),
        }
    )


def events_of(actions: pa.Table, place: Place) -> pa.Table | None:
    """Stream events: what was paid, joined or given. They are few, and read one by one."""
    is_event = pc.and_kleene(pc.is_null(actions[PROBLEM]), pc.is_in(actions["kind"], pa.array(list(EVENT_TYPES))))
    rows = actions.filter(pc.fill_null(is_event, False)).combine_chunks()
    if not len(rows):
        return None
    text, _ = spoken(rows)
    details = [_event(row, words) for row, words in zip(rows.drop(["runs"]).to_pylist(), text.to_pylist(), strict=True)]
    return pa.table(
        {
            **_common(rows, place),
            "event_id": rows["id"],
            "occurred_at": rows["sent_at"],
            **_viewer(rows),
            **{f.name: pa.array([row[f.name] for row in details], f.type) for f in _DETAILS},
        }
    )


_DETAILS = pa.schema(
    [(name, pa.string()) for name in ("event_type", "tier", "gift_recipient_id", "currency", "message_text", "extra")]
    + [("month_count", pa.int64()), ("gift_count", pa.int64()), ("amount", pa.decimal128(18, 4))]
)


def _event(row: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    columns: dict[str, Any] = dict.fromkeys(_DETAILS.names)
    kind = EVENT_TYPES[row["kind"]]
    rest: dict[str, Any] = {}
    if row["purchase"]:
        columns["amount"], columns["currency"] = money(row["purchase"])
        if columns["amount"] is None or columns["currency"] is None:
            rest["purchaseAmountText"] = row["purchase"]
    primary, subtext = plain_text(row["primary"]), plain_text(row["subtext"])
    if kind == "subscription" and primary:
        # 'Member for 6 months', the name of the level below it; a new member has only the lower line.
        kind, columns["tier"], columns["month_count"] = "resubscription", subtext, first_number(primary)
    elif kind == "gift":
        header = plain_text(row["gift_header"])
        columns["gift_count"] = first_number(header or "")
        rest["header"] = header
    elif kind == "gift_redemption":
        columns["gift_recipient_id"] = row["author"]
    elif row["kind"] == JEWELS:
        # Jewels are no currency: their number is in extra, as that of bits.
        sent = _SENT_JEWELS.search(row["jewels_text"] or "")
        rest |= {"gift_name": sent["name"], "jewel_count": int(sent["count"].replace(",", ""))} if sent else {}
        text = (row["jewels_text"] or "").strip()
    rest |= {"headerPrimaryText": primary, "headerSubtext": subtext, "sticker": row["sticker"]}
    rest = {name: value for name, value in rest.items() if value}
    message = text or row["simple_text"] or None
    extra = json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None
    return {**columns, "event_type": kind, "message_text": message, "extra": extra}


_SENT_JEWELS = re.compile(r"sent (?P<name>.+?) for (?P<count>\d[\d,]{0,12}) Jewels?", re.IGNORECASE)


def money(text: str) -> tuple[Decimal | None, str | None]:
    """Amount and currency, the amount with the four decimal places a column of money has."""
    amount, currency = parse_money(text)
    return (amount.quantize(Decimal("0.0001")) if amount is not None else None), currency


def moderation_of(actions: pa.Table, place: Place, last: datetime | None) -> tuple[pa.Table | None, datetime | None]:
    """Removals, and the time of the last message; `last` is that time before this batch."""
    is_good = pc.is_null(actions[PROBLEM])
    times = pc.if_else(is_good, actions["sent_at"], pa.scalar(None, pa.timestamp("us"))).combine_chunks()
    carried = pc.fill_null_forward(pa.concat_arrays([pa.array([last], pa.timestamp("us")), times]))
    latest = carried[-1].as_py()
    is_removal = pc.and_(is_good, pc.is_in(actions["action"], pa.array(list(REMOVALS))))
    if not pc.any(is_removal).as_py():
        return None, latest
    # Before the first message of a file, the time of that message is the nearest known.
    times = pc.coalesce(carried[1:], pc.fill_null_backward(times))
    rows = actions.append_column("occurred_at", times).filter(is_removal).combine_chunks()
    kinds = [REMOVALS[action] for action in rows["action"].to_pylist()]
    problem = where(pc.is_null(rows["occurred_at"]), "no message says when this was removed")
    table = pa.table(
        {
            **_common(rows, place),
            "occurred_at": rows["occurred_at"],
            "action_type": pa.array(kinds, pa.string()),
            "target_message_id": rows["target_id"],
            "target_viewer_id": rows["target_author"],
        }
    )
    return table.set_column(table.schema.get_field_index(PROBLEM), PROBLEM, problem), latest


def _common(rows: pa.Table, place: Place) -> dict[str, Any]:
    return {
        "platform": constant("youtube", len(rows)),
        "channel_id": constant(place.channel_id, len(rows)),
        "stream_id": constant(place.stream_id, len(rows)),
        ROW: rows[ROW],
        TEXT: rows[TEXT],
        PROBLEM: rows[PROBLEM],
    }


def _viewer(rows: pa.Table) -> dict[str, Any]:
    return {"viewer_id": rows["author"], "viewer_login": rows["login"]}


def _login(names: pa.Array) -> pa.Array:
    handle = pc.extract_regex(names, r"^@(?P<handle>\S+)$")
    return pc.utf8_lower(pc.struct_field(handle, "handle"))
