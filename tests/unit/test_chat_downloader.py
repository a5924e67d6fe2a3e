"""chat-downloader's JSON and JSONL, of YouTube and Twitch, with every trap named."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources.live.chat_downloader import SOURCE
from tests.unit.live_formats import Read

AT = 1_700_000_000_000_000  # 2023-11-14 22:13:20 UTC, microseconds
ANN = {
    "id": "UC" + "a" * 22,
    "name": "@Ann",
    "images": [{"url": "https://example.org/x", "id": "source"}],
    "badges": [],
}
STREAM = {"channel_id": "UChouse", "stream_id": "vid"}


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def youtube(kind: str = "text_message", **members: Any) -> dict[str, Any]:
    return {
        "action_type": "add_chat_item",
        "author": ANN,
        "message_id": "y-1",
        "message_type": kind,
        "timestamp": AT,
        **members,
    }


def twitch(kind: str = "text_message", action: str = "text_message", **members: Any) -> dict[str, Any]:
    author = {"id": "7", "name": "ann", "display_name": "Ann", "is_moderator": False, "is_subscriber": True}
    base = {
        "action_type": action,
        "message_type": kind,
        "author": author,
        "message_id": uuid(1),
        "timestamp": AT,
        "channel_id": "9",
    }
    return {**base, **members}


def read(tmp_path: Path, *items: Any, lines: bool = False, **sidecar: Any) -> Read:
    content = "\n".join(map(json.dumps, items)) if lines else json.dumps(list(items), indent=1)
    return Read(SOURCE, tmp_path, content, sidecar)


@pytest.mark.parametrize("lines", [False, True])
def test_a_youtube_message_as_json_or_jsonl(tmp_path: Path, lines: bool) -> None:
    emotes = [
        {"id": "UCx/a", "name": ":hi:", "is_custom_emoji": True, "images": []},
        {"id": "😂", "name": ":joy:", "is_custom_emoji": False},
    ]
    badges = [{"title": "Member (6 months)", "icons": []}, {"title": "Moderator", "icon_name": "moderator"}]
    message_item = youtube(
        message="👍🏽 :hi: x :hi: :joy:", emotes=emotes, time_in_seconds=-1.5, author={**ANN, "badges": badges}
    )
    parsed = read(tmp_path, message_item, lines=lines, **STREAM)
    assert parsed.what == f"a chat-downloader chat ({'JSONL' if lines else 'JSON'})"
    (row,) = parsed.messages
    assert (row["message_id"], row["sent_at"], row["offset_seconds"]) == (
        "y-1",
        datetime(2023, 11, 14, 22, 13, 20),
        -1.5,
    )
    assert [(e["name"], e["start"], e["end"]) for e in row["emotes"]] == [(":hi:", 3, 6), (":hi:", 10, 13)]
    assert (row["viewer_login"], row["viewer_display_name"], row["is_moderator"], row["is_subscriber"]) == (
        "ann",
        "@Ann",
        True,
        True,
    )
    assert (row["platform"], row["channel_id"], row["stream_id"]) == ("youtube", "UChouse", "vid")


def test_every_member_is_optional(tmp_path: Path) -> None:
    parsed = read(
        tmp_path, youtube(message="x"), {"message": "only text", "timestamp": AT}, {"message": "no time"}, {}, **STREAM
    )
    assert [m["text"] for m in parsed.messages] == ["x", "only text"]
    assert [row["_row"] for row in parsed.bad] == [3, 4]


def test_an_item_without_a_time_has_its_offset_from_the_start_the_sidecar_states(tmp_path: Path) -> None:
    untimed = youtube(message="x", timestamp=None, time_in_seconds=90)
    (row,) = read(tmp_path, untimed, **STREAM, stream_started_at="2026-01-01T20:00:00Z").messages
    assert row["sent_at"] == datetime(2026, 1, 1, 20, 1, 30)


@pytest.mark.parametrize("moment", [10**40, -5, "soon", float("1e300"), True, [1]])
def test_a_time_that_is_none_costs_its_item_only(tmp_path: Path, moment: Any) -> None:
    parsed = read(tmp_path, youtube(message="x", timestamp=moment), youtube(message="y"), **STREAM)
    assert [m["text"] for m in parsed.messages] == ["y"]
    assert len(parsed.bad) == 1


def test_a_paid_item_counts_once_and_its_amount_is_read_from_the_text(tmp_path: Path) -> None:
    money = {"text": "€1.234,50", "amount": 1.2345, "currency": "EUR", "currency_symbol": "€"}
    ticker = {
        "action_type": "add_live_chat_ticker_item",
        "message_id": "y-1",
        "message_type": "ticker_paid_message_item",
        "money": money,
    }
    parsed = read(tmp_path, youtube("paid_message", money=money, message="gg"), ticker, youtube(message="x"), **STREAM)
    (event,) = parsed.events
    assert (event["event_type"], event["amount"], event["currency"], event["message_text"]) == (
        "superchat",
        Decimal("1234.5000"),
        "EUR",
        "gg",
    )
    assert len(parsed.messages) == 1
    assert not parsed.bad


@pytest.mark.parametrize(
    ("money", "amount", "currency"),
    [
        ({"amount": 5.5, "currency": "USD"}, "5.5000", "USD"),
        ({"amount": 5, "currency": "€"}, "5.0000", "EUR"),
        ({"text": "20 kr", "amount": 20.0, "currency": "kr"}, "20.0000", None),
    ],
)
def test_money_as_far_as_it_is_stated(tmp_path: Path, money: dict[str, Any], amount: str, currency: str | None) -> None:
    (event,) = read(tmp_path, youtube("paid_sticker", money=money), **STREAM).events
    assert (str(event["amount"]), event["currency"]) == (amount, currency)
    assert (event["extra"] is None) == (currency is not None)


def test_members_new_and_old_and_gifts_of_membership(tmp_path: Path) -> None:
    events = read(
        tmp_path,
        youtube("membership_item", message="Welcome to Gold!"),
        youtube("membership_item", message_id="y-2", message="yay", header_primary_text="Member for 6 months"),
        youtube(
            "sponsorships_gift_purchase_announcement",
            message_id="y-3",
            header_primary_text="Gifted 5 House memberships",
        ),
        youtube("sponsorships_gift_redemption_announcement", message_id="y-4", message="received a gift by Bob"),
        **STREAM,
    ).events
    rows = [(e["event_type"], e["month_count"], e["gift_count"], e["gift_recipient_id"]) for e in events]
    assert rows == [
        ("subscription", None, None, None),
        ("resubscription", 6, None, None),
        ("gift", None, 5, None),
        ("gift_redemption", None, None, ANN["id"]),
    ]
    assert [e["message_text"] for e in events[:2]] == [None, "yay"]


def test_removals_on_youtube_have_the_time_of_the_last_item(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        youtube(message="x"),
        {"action_type": "mark_chat_item_as_deleted", "message_type": "deleted_message", "target_message_id": "y-1"},
        {"action_type": "mark_chat_items_by_author_as_deleted", "message_type": "ban_user", "author": {"id": "UCbad"}},
        **STREAM,
    )
    removals = [
        (a["action_type"], a["target_message_id"], a["target_viewer_id"], a["occurred_at"]) for a in parsed.actions
    ]
    moment = datetime(2023, 11, 14, 22, 13, 20)
    assert removals == [("delete", "y-1", None, moment), ("ban", None, "UCbad", moment)]


def test_a_live_twitch_message(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        twitch(
            message="Kappa hi",
            bits=100,
            is_first_message=True,
            in_reply_to={"message_id": uuid(9)},
            emotes=[{"id": "25", "locations": ["0-4"], "name": "Kappa", "images": []}],
            colour="#1E90FF",
        ),
        lines=True,
    )
    (row,) = parsed.messages
    assert (row["platform"], row["message_id"], row["channel_id"], row["viewer_id"]) == ("twitch", uuid(1), "9", "7")
    assert (row["bits_count"], row["is_first_message"], row["reply_to_message_id"]) == (100, True, uuid(9))
    assert [(e["name"], e["start"], e["end"]) for e in row["emotes"]] == [("Kappa", 0, 4)]
    assert [c["channel_id"] for c in parsed.rows("channels")] == ["9"]
    assert not parsed.problems


def test_a_twitch_vod_has_its_emotes_in_one_text_and_its_stream_in_the_sidecar(tmp_path: Path) -> None:
    message_item = {
        "message_id": uuid(1),
        "message_type": "text_message",
        "timestamp": AT,
        "time_in_seconds": 12,
        "message": "Kappa x Kappa",
        "emotes": [{"id": "25", "name": "Kappa", "locations": "0-4,8-12"}],
        "author": {"id": "7", "name": "ann", "display_name": "Ann"},
    }
    (row,) = read(tmp_path, message_item, channel_id="9", vod_id=77).messages
    assert (row["platform"], row["stream_id"], [e["start"] for e in row["emotes"]]) == ("twitch", "vod:77", [0, 8])


def test_the_mark_the_tool_leaves_behind_an_action_is_cut_off(tmp_path: Path) -> None:
    for message in ("waves\x01", "\x01ACTION waves\x01"):
        (row,) = read(tmp_path, twitch(message=message)).messages
        assert (row["text"], row["is_action"], row["message_type"]) == ("waves", True, "action")


def test_twitch_notices_are_events_and_announced_gifts_add_none(tmp_path: Path) -> None:
    def told(kind: str, number: int, **members: Any) -> dict[str, Any]:
        return twitch(kind, "user_notice", message_id=uuid(number), **members)

    events = read(
        tmp_path,
        twitch(message="x"),
        told("resubscription", 2, cumulative_months=6, subscription_type="Prime", message="hey"),
        told("mystery_subscription_gift", 3, mass_gift_count=2, origin_id="o-1"),
        told("subscription_gift", 4, origin_id="o-1", gift_recipient_id="55", subscription_type="Tier 1", months=3),
        told("anonymous_subscription_gift", 5, gift_recipient_display_name="Bob"),
        told("raid", 6, number_of_raiders=12),
        told("gift_paid_upgrade", 7),
        told("something_new", 8),
    ).events
    assert [(e["event_id"], e["event_type"], e["tier"], e["month_count"], e["gift_count"]) for e in events] == [
        (uuid(2), "resubscription", "prime", 6, None),
        (uuid(4), "gift", "1000", None, 1),
        (uuid(5), "gift", None, None, 1),
        (uuid(6), "raid", None, None, None),
        (uuid(7), "subscription", None, None, None),
        (uuid(8), "something_new", None, None, None),
    ]
    assert [e["gift_recipient_id"] for e in events[1:3]] == ["55", "login:bob"]
    assert (events[1]["gift_group_id"], events[2]["viewer_id"], events[3]["raid_viewer_count"]) == ("o-1", None, 12)


def test_twitch_moderation(tmp_path: Path) -> None:
    def cleared(**members: Any) -> dict[str, Any]:
        return {"action_type": "clear_chat", "message_type": "ban_user", "timestamp": AT, "channel_id": "9", **members}

    actions = read(
        tmp_path,
        twitch(message="x"),
        cleared(ban_type="timeout", ban_duration=600, banned_user="Bad", target_author_id="66"),
        cleared(ban_type="permanent", banned_user="Bad"),
        cleared(message_type="clear_chat"),
        cleared(
            action_type="delete_message",
            message_type="delete_message",
            target_message_id=uuid(1),
            author={"name": "ann"},
        ),
    ).actions
    assert [
        (a["action_type"], a["target_viewer_id"], a["duration_seconds"], a["target_message_id"]) for a in actions
    ] == [
        ("timeout", "66", 600.0, None),
        ("ban", "login:bad", None, None),
        ("clear", None, None, None),
        ("delete", "login:ann", None, uuid(1)),
    ]


def test_what_the_chat_says_about_itself_is_nothing_and_what_is_unknown_is_told(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        youtube("viewer_engagement_message"),
        youtube("banner", message="x"),
        youtube("new_thing"),
        3,
        **STREAM,
    )
    assert "message_type 'new_thing' is unknown" in parsed.reasons
    assert not parsed.messages
    assert {row["_row"] for row in parsed.bad} >= {3, 4}
    assert not {row["_row"] for row in parsed.bad} & {1, 2}


def test_items_of_no_known_site_say_what_to_write(tmp_path: Path) -> None:
    parsed = read(tmp_path, {"message_type": "text_message", "message": "x", "timestamp": AT, "author": {"id": "1"}})
    assert "platform (youtube or twitch)" in parsed.problems[0].reason
    assert (
        read(tmp_path, {"message": "x", "timestamp": AT}, platform="Twitch", channel_id="9").messages[0]["platform"]
        == "twitch"
    )


def test_other_json_is_not_taken_for_it(tmp_path: Path) -> None:
    for content in (
        '{"comments": [{"message_type": 1}]}',
        "[]",
        '[{"id": 1, "message": "x"}]',
        "message_type,author\n",
    ):
        assert Read(SOURCE, tmp_path, content).what is None
