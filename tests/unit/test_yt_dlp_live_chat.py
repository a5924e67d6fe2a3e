"""YouTube live chat of yt-dlp: replays and live captures, with every trap named."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources.live.yt_dlp_live_chat import SOURCE
from tests.unit.live_formats import Read

START = 1_700_000_000_000_000  # 2023-11-14 22:13:20 UTC, microseconds
NAME = "A title [dQw4w9WgXcQ].live_chat.json"
CUSTOM = {"emoji": {"emojiId": "UCx/abc", "shortcuts": [":hi:"], "isCustomEmoji": True, "image": {}}}
STANDARD = {"emoji": {"emojiId": "😂", "shortcuts": [":joy:"], "image": {}}}


def item(kind: str, seconds: float, **members: Any) -> dict[str, Any]:
    who = {"authorExternalChannelId": "UCann", "authorName": {"simpleText": "@Ann"}}
    return {
        f"liveChat{kind}Renderer": {"id": "i-1", "timestampUsec": str(int(START + seconds * 1e6)), **who, **members}
    }


def text(seconds: float, *runs: Any, **members: Any) -> dict[str, Any]:
    parts = [run if isinstance(run, dict) else {"text": run} for run in runs]
    return item("TextMessage", seconds, message={"runs": parts}, **members)


def add(it: dict[str, Any]) -> dict[str, Any]:
    return {"clickTrackingParams": "x", "addChatItemAction": {"item": it, "clientId": "y"}}


def replay(*actions: dict[str, Any], offset: float = 1.0) -> dict[str, Any]:
    return {
        "clickTrackingParams": "x",
        "replayChatItemAction": {"actions": [*actions], "videoOffsetTimeMsec": str(int(offset * 1000))},
    }


def live(action: dict[str, Any]) -> dict[str, Any]:
    """What yt-dlp writes while a stream is on: the offset counts from the start of the capture."""
    return {"replayChatItemAction": {"actions": [action]}, "videoOffsetTimeMsec": "-250", "isLive": True}


def read(tmp_path: Path, *lines: Any, name: str = NAME, **sidecar: Any) -> Read:
    content = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    return Read(SOURCE, tmp_path, content + "\n", sidecar, name)


def test_a_message_of_a_replay_with_emoji_in_its_text(tmp_path: Path) -> None:
    badges = [
        {"liveChatAuthorBadgeRenderer": {"icon": {"iconType": "MODERATOR"}, "tooltip": "Moderator"}},
        {"liveChatAuthorBadgeRenderer": {"customThumbnail": {}, "tooltip": "Member (6 months)"}},
    ]
    parsed = read(tmp_path, replay(add(text(1, "👍🏽 a ", CUSTOM, " ", STANDARD, CUSTOM, authorBadges=badges))))
    assert parsed.what
    (row,) = parsed.messages
    assert row["text"] == "👍🏽 a :hi: 😂:hi:"
    assert [(e["name"], e["id"], e["start"], e["end"]) for e in row["emotes"]] == [
        (":hi:", "UCx/abc", 5, 8),
        (":hi:", "UCx/abc", 11, 14),
    ]
    assert all(row["text"][e["start"] : e["end"] + 1] == e["name"] for e in row["emotes"])
    assert (row["message_id"], row["sent_at"], row["offset_seconds"]) == (
        "i-1",
        datetime(2023, 11, 14, 22, 13, 21),
        1.0,
    )
    assert (row["viewer_id"], row["viewer_login"], row["viewer_display_name"]) == ("UCann", "ann", "@Ann")
    assert (row["is_moderator"], row["is_subscriber"]) == (True, True)
    assert (row["stream_id"], row["channel_id"]) == ("dQw4w9WgXcQ", "stream:dQw4w9WgXcQ")


def test_the_sidecar_says_channel_and_stream_where_the_name_does_not(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        replay(add(text(1, "x"))),
        name="chat.json",
        channel_id="UChouse",
        stream_id="vid",
        channel_login="House",
    )
    assert (parsed.messages[0]["channel_id"], parsed.messages[0]["stream_id"]) == ("UChouse", "vid")
    assert [c["login"] for c in parsed.rows("channels")] == ["House"]


def test_a_chat_of_no_known_stream_is_kept_and_says_what_to_write(tmp_path: Path) -> None:
    parsed = read(tmp_path, replay(add(text(1, "x"))), name="chat.json")
    assert [m["text"] for m in parsed.messages] == ["x"]
    assert "channel_id and stream_id" in parsed.problems[0].reason


def test_the_messages_tell_when_the_stream_began(tmp_path: Path) -> None:
    lines = [replay(add(text(s, "x", id=f"i-{s}")), offset=s - 30) for s in (31, 40, 50)]
    (stream,) = read(tmp_path, *lines).rows("streams")
    assert (stream["stream_id"], stream["title"]) == ("dQw4w9WgXcQ", "A title")
    assert stream["started_at"] == datetime(2023, 11, 14, 22, 13, 50)


def test_what_was_sent_before_the_start_has_a_negative_offset(tmp_path: Path) -> None:
    line = replay(add(text(-65, "early", timestampText={"simpleText": "-1:05"})), offset=0)
    assert read(tmp_path, line).messages[0]["offset_seconds"] == -65.0


def test_a_live_capture_has_no_offsets_wrapped_or_bare(tmp_path: Path) -> None:
    parsed = read(tmp_path, live(add(text(1, "wrapped"))), add(text(2, "bare", id="i-2")))
    assert [(m["text"], m["offset_seconds"]) for m in parsed.messages] == [("wrapped", None), ("bare", None)]
    assert "live capture" in (parsed.what or "")


def test_an_offset_of_weeks_costs_no_message(tmp_path: Path) -> None:
    (row,) = read(tmp_path, replay(add(text(1, "x")), offset=2_000_000)).messages
    assert row["offset_seconds"] is None


def test_several_actions_of_one_line_are_several_rows(tmp_path: Path) -> None:
    line = replay(add(text(1, "one")), add(text(1, "two", id="i-2")), add(item("PaidMessage", 1, id="i-3")))
    parsed = read(tmp_path, line)
    assert [m["text"] for m in parsed.messages] == ["one", "two"]
    assert [e["event_id"] for e in parsed.events] == ["i-3"]


@pytest.mark.parametrize(
    ("shown", "amount", "currency", "extra"),
    [
        ("€1.234,50", "1234.5000", "EUR", None),
        ("CA$5.99", "5.9900", "CAD", None),
        ("20 kr", "20.0000", None, {"purchaseAmountText": "20 kr"}),
        ("much", None, None, {"purchaseAmountText": "much"}),
    ],
)
def test_a_paid_message_is_a_superchat_once(
    tmp_path: Path, shown: str, amount: str | None, currency: str | None, extra: dict[str, str] | None
) -> None:
    paid = item("PaidMessage", 1, purchaseAmountText={"simpleText": shown}, message={"runs": [{"text": "gg"}]})
    ticker = {
        "addLiveChatTickerItemAction": {
            "item": {"liveChatTickerPaidMessageItemRenderer": {"id": "i-1"}},
            "durationSec": "60",
        }
    }
    parsed = read(tmp_path, replay(add(paid)), replay(ticker))
    (event,) = parsed.events
    assert (event["event_type"], event["amount"], event["currency"], event["message_text"]) == (
        "superchat",
        Decimal(amount) if amount else None,
        currency,
        "gg",
    )
    assert (json.loads(event["extra"]) if event["extra"] else None) == extra
    assert not parsed.messages
    assert not parsed.bad


def test_a_sticker_is_a_superchat_without_words(tmp_path: Path) -> None:
    sticker = {"accessibility": {"accessibilityData": {"label": "a cat"}}}
    (event,) = read(
        tmp_path, replay(add(item("PaidSticker", 1, purchaseAmountText={"simpleText": "¥500"}, sticker=sticker)))
    ).events
    assert (event["event_type"], event["message_text"], json.loads(event["extra"])) == (
        "superchat",
        None,
        {"sticker": "a cat"},
    )


def test_a_new_member_and_a_milestone_are_told_apart(tmp_path: Path) -> None:
    new = item("MembershipItem", 1, headerSubtext={"runs": [{"text": "Welcome to "}, {"text": "Gold"}, {"text": "!"}]})
    old = item(
        "MembershipItem",
        2,
        id="i-2",
        headerPrimaryText={"runs": [{"text": "Member for "}, {"text": "12"}, {"text": " months"}]},
        headerSubtext={"simpleText": "Gold"},
        message={"runs": [{"text": "yay"}]},
    )
    events = read(tmp_path, replay(add(new)), replay(add(old))).events
    assert [(e["event_type"], e["month_count"], e["tier"], e["message_text"]) for e in events] == [
        ("subscription", None, None, None),
        ("resubscription", 12, "Gold", "yay"),
    ]


def test_gifts_count_where_they_are_announced(tmp_path: Path) -> None:
    header = {
        "liveChatSponsorshipsHeaderRenderer": {
            "authorName": {"simpleText": "@Bob"},
            "primaryText": {"runs": [{"text": "Gifted "}, {"text": "1,005"}, {"text": " House memberships"}]},
        }
    }
    gift = {
        "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer": {
            "id": "g-1",
            "timestampUsec": str(START),
            "authorExternalChannelId": "UCbob",
            "header": header,
        }
    }
    got = item(
        "SponsorshipsGiftRedemptionAnnouncement",
        2,
        id="g-2",
        message={"runs": [{"text": "received a gift by "}, {"text": "@Bob"}]},
    )
    parsed = read(tmp_path, replay(add(gift)), replay(add(got)))
    assert [(e["event_type"], e["gift_count"], e["viewer_id"], e["gift_recipient_id"]) for e in parsed.events] == [
        ("gift", 1005, "UCbob", None),
        ("gift_redemption", None, "UCann", "UCann"),
    ]
    assert {v["viewer_id"]: v["login"] for v in parsed.rows("viewers")} == {"UCbob": "bob", "UCann": "ann"}


def test_removals_have_the_time_of_the_last_message(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        add(text(5, "x")),
        {"markChatItemAsDeletedAction": {"targetItemId": "i-1", "deletedStateMessage": {"runs": []}}},
        {"markChatItemsByAuthorAsDeletedAction": {"externalChannelId": "UCbad"}},
        add(text(9, "y", id="i-2")),
        {"removeChatItemAction": {"targetItemId": "i-2"}},
    )
    removals = [
        (a["action_type"], a["target_message_id"], a["target_viewer_id"], a["occurred_at"].second)
        for a in parsed.actions
    ]
    assert removals == [("delete", "i-1", None, 25), ("ban", None, "UCbad", 25), ("delete", "i-2", None, 29)]


def test_a_removal_in_a_file_without_messages_cannot_be_placed(tmp_path: Path) -> None:
    parsed = read(tmp_path, {"markChatItemAsDeletedAction": {"targetItemId": "i-1"}})
    assert parsed.reasons == ["no message says when this was removed"]


def test_a_replacement_is_the_message(tmp_path: Path) -> None:
    line = replay({"replaceChatItemAction": {"targetItemId": "i-1", "replacementItem": text(1, "now seen")}})
    assert [(m["message_id"], m["text"]) for m in read(tmp_path, line).messages] == [("i-1", "now seen")]


def test_what_the_chat_says_about_itself_is_nothing_and_what_is_unknown_is_told(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        replay(add({"liveChatViewerEngagementMessageRenderer": {"id": "x"}})),
        replay(add({"liveChatPlaceholderItemRenderer": {"id": "x"}})),
        replay({"addBannerToLiveChatCommand": {"bannerRenderer": {}}}),
        replay(add({"liveChatNewThingRenderer": {"id": "x"}})),
        replay({"doSomethingNewAction": {}}),
        {
            "replayChatItemAction": {
                "actions": [add({"liveChatTextMessageRenderer": {"id": "x", "message": {"runs": []}}})]
            }
        },
        [1, 2],
        '{"replayChatItemAction": {"act',
    )
    assert sorted(row["_row"] for row in parsed.bad) == [4, 5, 6, 7, 8]
    assert "live chat item liveChatNewThingRenderer is unknown" in parsed.reasons
    assert not parsed.messages
    assert all(row["_text"] for row in parsed.bad)


def test_a_file_that_begins_with_a_broken_line_is_still_known(tmp_path: Path) -> None:
    parsed = read(tmp_path, '{"x', *[replay(add(text(n, "x", id=f"i-{n}"))) for n in range(3)])
    assert parsed.what
    assert len(parsed.messages) == 3
