"""Formats that nearly fit one that is read: pages, answers and lists of other tools, read or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources import UnknownFormat, recognise
from data_lake.sources.live import irc, twitch_downloader, yt_dlp_live_chat
from tests.unit.live_formats import Read

TAGS = "badges=;display-name=Ann;emotes=;historical=1;mod=0;rm-received-ts=1772200001005;room-id=9;user-id=7"


def raw(number: int, text: str) -> str:
    return f"@{TAGS};id={number};tmi-sent-ts={1772200001000 + number} :ann!ann@ann.tmi.twitch.tv PRIVMSG #house :{text}"


@pytest.mark.parametrize(
    "form", ['{{"messages":{0},"error":null,"error_code":null}}', '{{"error":"", "messages": {0}}}']
)
def test_an_answer_of_recent_messages_holds_raw_lines(tmp_path: Path, form: str) -> None:
    lines = [
        raw(1, 'hi "there" 日本'),
        raw(2, "x"),
        "@room-id=9;tmi-sent-ts=1772200002000 :tmi.twitch.tv CLEARCHAT #house",
    ]
    read = Read(irc.SOURCE, tmp_path, form.format(json.dumps(lines)))
    assert read.what == "an answer of the recent-messages service (JSON of raw IRC)"
    assert [row["text"] for row in read.messages] == ['hi "there" 日本', "x"]
    assert [row["action_type"] for row in read.actions] == ["clear"]
    assert not read.bad


def test_a_damaged_answer_of_recent_messages_keeps_every_whole_line(tmp_path: Path) -> None:
    text = json.dumps({"messages": [raw(1, "a"), raw(2, "b"), raw(3, "c")]})
    read = Read(irc.SOURCE, tmp_path, text[:-30])
    assert [row["text"] for row in read.messages] == ["a", "b"]
    mixed = Read(irc.SOURCE, tmp_path, json.dumps({"messages": [raw(1, "a"), {"text": 1}]}))
    assert ([row["text"] for row in mixed.messages], len(mixed.bad)) == (["a"], 1)


def comment(number: int, **changes: Any) -> dict[str, Any]:
    made = {
        "_id": f"c{number}",
        "created_at": f"2020-05-01T20:00:{number:02d}.000Z",
        "updated_at": f"2020-05-01T20:00:{number:02d}.000Z",
        "channel_id": "9",
        "content_type": "video",
        "content_id": "77",
        "content_offset_seconds": number,
        "commenter": {"display_name": "Ann", "_id": "7", "name": "ann", "type": "user", "bio": None,
                      "created_at": "2015-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "logo": None},
        "source": "chat",
        "state": "published",
        "message": {"body": f"text {number}", "fragments": [{"text": f"text {number}"}], "is_action": False},
        "more_replies": False,
    }  # fmt: skip
    return {**made, **changes}


PAGES = [{"comments": [comment(1), comment(2)], "_next": "abc"}, {"comments": [comment(3)]}]
COMMENTS = [comment(1), comment(2), comment(3)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps(PAGES), id="a list of pages"),
        pytest.param(json.dumps(PAGES, indent=2), id="a list of pages, indented"),
        pytest.param("\n".join(map(json.dumps, PAGES)), id="a page a line"),
        pytest.param(json.dumps(COMMENTS), id="a list of comments"),
        pytest.param("\n".join(map(json.dumps, COMMENTS)) + "\n", id="a comment a line"),
        pytest.param(json.dumps({"comments": COMMENTS, "_next": "abc"}), id="one page"),
    ],
)
def test_pages_of_comments_are_read_in_every_form(tmp_path: Path, content: str) -> None:
    read = Read(twitch_downloader.SOURCE, tmp_path, content)
    assert read.what == "Twitch's pages of the comments of a VOD (rechat)"
    rows = sorted(read.messages, key=lambda row: str(row["message_id"]))
    assert [(r["message_id"], r["sent_at"].second, r["channel_id"], r["stream_id"], r["text"]) for r in rows] == [
        (f"c{n}", n, "9", "vod:77", f"text {n}") for n in (1, 2, 3)
    ]
    assert not read.bad


def test_members_of_a_commenter_that_nobody_knows_are_kept(tmp_path: Path) -> None:
    odd = comment(1)
    odd["commenter"] |= {"pronouns": "they", "bio": "x"}
    read = Read(twitch_downloader.SOURCE, tmp_path, json.dumps({"comments": [odd], "_next": "a"}))
    extra = json.loads(read.messages[0]["extra"])
    assert extra["pronouns"] == "they"
    assert not {"bio", "name", "_id"} & extra.keys()


def added(kind: str, **item: Any) -> dict[str, Any]:
    return {
        "replayChatItemAction": {
            "actions": [{"addChatItemAction": {"item": {kind: item}}}],
            "videoOffsetTimeMsec": "5000",
        }
    }


SPOKEN = added("liveChatTextMessageRenderer", id="m", timestampUsec="1772200001000000", authorExternalChannelId="UC1",
               authorName={"simpleText": "Ann"}, message={"runs": [{"text": "hi"}]})  # fmt: skip
JEWELS = added(
    "giftMessageViewModel",
    id="g",
    authorName={"content": "@Bob "},
    text={"content": "sent Girl power for 1,050 Jewels"},
)
WIDGET: dict[str, Any] = {"replayChatItemAction": {"actions": [{"addInteractivityWidgetAction": {"widget": {}}}]}}


@pytest.mark.parametrize("order", [[SPOKEN, JEWELS, WIDGET], [SPOKEN, WIDGET, JEWELS]])
def test_a_gift_of_jewels_is_an_event_at_the_time_of_the_message_before_it(tmp_path: Path, order: list[Any]) -> None:
    read = Read(
        yt_dlp_live_chat.SOURCE, tmp_path, "\n".join(map(json.dumps, order)), {"channel_id": "UC9", "stream_id": "v"}
    )
    (gift,) = read.events
    assert (gift["event_id"], gift["event_type"], gift["viewer_login"]) == ("g", "virtual_gift", "bob")
    assert (gift["message_text"], gift["gift_count"], gift["amount"]) == (
        "sent Girl power for 1,050 Jewels",
        None,
        None,
    )
    assert json.loads(gift["extra"]) == {"gift_name": "Girl power", "jewel_count": 1050}
    assert gift["occurred_at"] == read.messages[0]["sent_at"]
    assert not read.bad


def test_an_array_of_raw_actions_is_read_as_lines_of_them_are(tmp_path: Path) -> None:
    stated = {"channel_id": "UC9", "stream_id": "v"}
    lines = Read(yt_dlp_live_chat.SOURCE, tmp_path, "\n".join(map(json.dumps, [SPOKEN, JEWELS])), stated)
    for content in (json.dumps([SPOKEN, JEWELS]), json.dumps([SPOKEN, JEWELS], indent=1)):
        array = Read(yt_dlp_live_chat.SOURCE, tmp_path, content, stated)
        assert array.what == lines.what == "a YouTube live chat (yt-dlp live_chat JSON), replay"
        assert (array.messages, array.events) == (lines.messages, lines.events)


def test_the_first_output_of_chat_downloader_is_refused_by_name(tmp_path: Path) -> None:
    item = {"time_in_seconds": 5, "author": "Ann", "time_text": "0:05", "message": "hi"}
    (tmp_path / "chat.json").write_text(json.dumps([item, item], indent=4))
    with pytest.raises(UnknownFormat, match=r"chat-replay-downloader.*download the chat again with chat-downloader"):
        recognise(tmp_path / "chat.json")
