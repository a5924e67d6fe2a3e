"""Emotes by their places, in every format that states places: a wrong place names nothing and costs nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources.live import chat_downloader, irc, streampai, twitch_downloader
from tests.unit.live_formats import Read

TAGS = "badges=;display-name=Ann;id=1;mod=0;room-id=9;tmi-sent-ts=1772200001000;user-id=7"
SAID = "PRIVMSG #house"


def of_irc(folder: Path, text: str, places: dict[str, list[str]]) -> Read:
    emotes = "/".join(f"{emote_id}:{','.join(at)}" for emote_id, at in places.items())
    lines = [f"@emotes={emotes};{TAGS} :ann!a@b {SAID} :{text}", f"@emotes=;{TAGS} :ann!a@b {SAID} :other"]
    return Read(irc.SOURCE, folder, "\n".join(lines).replace("id=1;", "id=2;", 1) + "\n")


def of_chat_downloader(folder: Path, text: str, places: dict[str, list[str]]) -> Read:
    item = {
        "message_id": "2",
        "message": text,
        "message_type": "text_message",
        "action_type": "text_message",
        "timestamp": 1772200001000000,
        "channel_id": "9",
        "author": {"id": "7", "name": "ann"},
        "emotes": [{"id": emote_id, "name": None, "locations": at} for emote_id, at in places.items()],
    }
    return Read(chat_downloader.SOURCE, folder, json.dumps([item]), {"platform": "twitch"})


def of_twitch_downloader(folder: Path, text: str, places: dict[str, list[str]]) -> Read:
    spans = [(emote_id, *span.split("-")) for emote_id, at in places.items() for span in at]
    emoticons = [{"_id": emote_id, "begin": int(begin), "end": int(end)} for emote_id, begin, end in spans]
    comment = {
        "_id": "2",
        "created_at": "2026-02-27T13:46:41Z",
        "channel_id": "9",
        "content_type": "video",
        "content_id": "77",
        "content_offset_seconds": 5,
        "commenter": {"display_name": "Ann", "_id": "7", "name": "ann"},
        "message": {"body": text, "bits_spent": 0, "emoticons": emoticons},
    }
    document = {
        "streamer": {"name": "House", "id": 9},
        "video": {"id": "77", "created_at": "2026-02-27T13:46:36Z", "start": 0, "end": 60, "length": 60},
        "comments": [comment],
    }
    return Read(twitch_downloader.SOURCE, folder, json.dumps(document))


def of_streampai(folder: Path, text: str, places: dict[str, list[str]]) -> Read:
    spans = [(emote_id, *span.split("-")) for emote_id, at in places.items() for span in at]
    emotes = [{"id": emote_id, "start": int(begin), "end": int(end)} for emote_id, begin, end in spans]
    row = {
        "id": "2",
        "type": "chat_message",
        "inserted_at": "2026-02-27T13:46:41Z",
        "platform": "twitch",
        "livestream_id": "s",
        "user_id": "u",
        "viewer_id": None,
        "data": {"message": text, "username": "ann", "emotes": emotes},
    }
    return Read(streampai.SOURCE, folder, json.dumps(row) + "\n")


FORMATS = [of_irc, of_chat_downloader, of_twitch_downloader, of_streampai]


def named(read: Read) -> list[tuple[Any, ...]]:
    (row,) = [row for row in read.messages if str(row["message_id"]).endswith("2")]
    return [(e["name"], e["id"], e["start"], e["end"]) for e in row["emotes"]]


@pytest.mark.parametrize("form", FORMATS)
def test_a_place_where_the_emote_stands_names_it(tmp_path: Path, form: Any) -> None:
    read = form(tmp_path, "Kappa houseHype Kappa", {"25": ["0-4", "16-20"], "emotesv2_a": ["6-14"]})
    assert sorted(named(read)) == [
        ("Kappa", "25", 0, 4),
        ("Kappa", "25", 16, 20),
        ("houseHype", "emotesv2_a", 6, 14),
    ]
    assert not read.problems


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("text", "emote_id", "place"),
    [
        pytest.param("hi there", "25", "9-13", id="outside the text"),
        pytest.param("hello Kappa", "25", "7-11", id="one too far, over the end"),
        pytest.param("hello Kappa you", "25", "7-11", id="one too far"),
        pytest.param("hello Kappa you", "25", "5-9", id="one too early"),
        pytest.param("hello Kappa you", "25", "6-8", id="too short"),
        pytest.param("Kappa Keepo", "25", "6-10", id="at another emote"),
        pytest.param("one two LUL", "425618", "4-6", id="at a plain word"),
        pytest.param("KappaPride", "25", "0-4", id="inside a word"),
    ],
)
def test_a_place_where_no_emote_stands_names_nothing_and_keeps_the_message(
    tmp_path: Path, form: Any, text: str, emote_id: str, place: str
) -> None:
    read = form(tmp_path, text, {emote_id: [place]})
    assert named(read) == [(None, emote_id, None, None)]
    (problem,) = read.problems
    assert problem.reason.endswith(f"it is kept without a name: emote {emote_id} at {place}")
    assert problem.text == text
    assert not read.bad


@pytest.mark.parametrize("form", [of_irc, of_chat_downloader])
@pytest.mark.parametrize("place", ["4-2", "x", "-3--1", "99999999999-1", "0-", ""])
def test_a_place_that_is_no_range_names_nothing(tmp_path: Path, form: Any, place: str) -> None:
    read = form(tmp_path, "Kappa hi", {"25": [place, "0-4"]})
    assert named(read) == [(None, "25", None, None), ("Kappa", "25", 0, 4)]


@pytest.mark.parametrize("form", FORMATS)
def test_of_places_that_say_different_words_the_repeated_one_stands(tmp_path: Path, form: Any) -> None:
    places = {"77": ["0-2", "4-6", "8-10"], "78": ["12-14", "16-18"]}
    read = form(tmp_path, "aHi aHi LOL aHa OMG", places)
    assert [name for name, *_ in named(read)] == ["aHi", "aHi", None, None, None]


def test_a_name_the_source_states_stands_where_the_text_has_it_as_a_word(tmp_path: Path) -> None:
    emotes = [{"id": "25", "name": "Kappa", "locations": "3-7"}, {"id": "9", "name": "LUL", "locations": "50-52"}]
    item = {"message_id": "2", "message": "hi Kappa you", "message_type": "text_message", "timestamp": 1772200001000000,
            "author": {"id": "7", "name": "ann"}, "emotes": emotes}  # fmt: skip
    read = Read(chat_downloader.SOURCE, tmp_path, json.dumps([item]), {"platform": "twitch", "channel_id": "9"})
    assert named(read) == [("Kappa", "25", 3, 7), (None, "9", None, None)]
    item["emotes"] = [{"id": "25", "name": "Kappa", "locations": "4-8"}]
    read = Read(chat_downloader.SOURCE, tmp_path, json.dumps([item]), {"platform": "twitch", "channel_id": "9"})
    assert named(read) == [("Kappa", "25", None, None)]


def test_one_wrong_place_takes_no_good_one_with_it(tmp_path: Path) -> None:
    lines = [f"@emotes={e};{TAGS} :ann!a@b {SAID} :Kappa LUL" for e in ("25:0-4", "25:1-5", "425618:6-8")]
    rows = Read(irc.SOURCE, tmp_path, "\n".join(lines) + "\n").messages
    assert sorted((row["_row"], row["emotes"][0]["name"]) for row in rows) == [(1, "Kappa"), (2, None), (3, "LUL")]
