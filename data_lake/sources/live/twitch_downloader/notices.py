"""Notices among the comments of a TwitchDownloader file (subscriptions, gifts, raids) to stream events.

A notice is known by `user_notice_params.msg_id` or, in files that lack it, by Twitch's own sentence. What the sentences
say is read by `reading.twitch_notices`, shared with plain logs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from data_lake.sources.reading.twitch_notices import Event, Notices

# What each kind of notice is. Other kinds (an announcement, a highlighted message) are a person's chat.
EVENTS = {
    "sub": "subscription",
    "resub": "resubscription",
    "subgift": "gift",
    "anonsubgift": "gift",
    "submysterygift": "gift",
    "anonsubmysterygift": "gift",
    "standardpayforward": "gift",
    "communitypayforward": "gift",
    "giftpaidupgrade": "subscription",
    "anongiftpaidupgrade": "subscription",
    "primepaidupgrade": "subscription",
    "raid": "raid",
}
_RAID = re.compile(r"(\d[\d,.]*) raiders? from (\w{1,60}) ", re.IGNORECASE)
_MONTHS = re.compile(r"\b(\d{1,4}) months?\b")
_TIER = re.compile(r"\bTier ([123])\b")


def events_of(row: Mapping[str, Any], notices: Notices) -> list[dict[str, Any]] | None:
    """Rows of stream_events for a comment; none for one that only announces gifts to come, None for chat."""
    text, kind = row["body"] or "", row["notice_kind"]
    sender = row["viewer_login"] or row["viewer_display_name"] or ""
    events = notices.read(sender, text, row["offset_seconds"] or 0.0)
    if events is None:
        if kind not in EVENTS:
            return None
        events = [_from_kind(kind, text, sender)]
    rows = [_row(row, event) for event in events]
    if kind == "raid" and (raid := _RAID.search(f"{text} ")):
        rows[0]["raid_viewer_count"] = int(re.sub(r"\D", "", raid[1]))
        rows[0].update(_viewer(row, raid[2]))
    return rows


def _from_kind(kind: str, text: str, sender: str) -> Event:
    """The event of a notice whose sentence is in another language or was left out."""
    months, tier = _MONTHS.search(text), _TIER.search(text)
    event_type = EVENTS[kind]
    is_gift_of_one = kind in ("subgift", "anonsubgift")
    return Event(
        event_type,
        None if kind.startswith("anon") else sender,
        tier=f"{tier[1]}000" if tier else "prime" if "Prime" in text and event_type != "gift" else None,
        month_count=int(months[1]) if months and event_type != "gift" else None,
        gift_count=1 if is_gift_of_one else None,
        message_text=text or None,
    )


def _row(comment: Mapping[str, Any], event: Event) -> dict[str, Any]:
    kept = ("_row", "sent_at", "channel_id", "stream_id")
    return {
        **{name: comment[name] for name in kept},
        "event_id": comment["message_id"],
        **_viewer(comment, event.viewer),
        "event_type": event.event_type,
        "tier": event.tier,
        "month_count": event.month_count,
        "gift_count": event.gift_count,
        "gift_group_id": event.gift_group_id,
        "gift_recipient_id": f"login:{event.recipient.lower()}" if event.recipient else None,
        "message_text": event.message_text,
        "extra": event.extra,
    }


def _viewer(comment: Mapping[str, Any], name: str | None) -> dict[str, str | None]:
    """Id and login of the viewer a notice names: the sender's own, if it names the sender."""
    if not name:
        return {"viewer_id": None, "viewer_login": None}
    login = name.lower()
    if login in ((comment["viewer_login"] or "").lower(), (comment["viewer_display_name"] or "").lower()):
        return {"viewer_id": comment["viewer_id"], "viewer_login": comment["viewer_login"] or login}
    return {"viewer_id": f"login:{login}", "viewer_login": login}
