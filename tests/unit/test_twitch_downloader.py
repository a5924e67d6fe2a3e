"""TwitchDownloader chats of every version, written as the tool writes them, with the traps that are known to bite."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data_lake.contracts import contract
from data_lake.sources import recognise
from data_lake.sources.base import Export, Problem
from data_lake.sources.live.twitch_downloader import SOURCE
from data_lake.sources.reading.blocks import read_head
from data_lake.sources.reading.elements import split_elements

STARTED = datetime(2025, 6, 1, 18, 0, 0)


def comment(number: int = 0, body: str = "hello", **changes: Any) -> dict[str, Any]:
    """A comment of schema 1.4.0; `message` and `commenter` are updated, everything else replaced."""
    made: dict[str, Any] = {
        "_id": f"id-{number}",
        "created_at": f"2025-06-01T20:00:{number % 60:02d}.5Z",  # local time by the bug of April 2025
        "channel_id": "42",
        "content_type": "video",
        "content_id": "2345",
        "content_offset_seconds": number,
        "commenter": {
            "display_name": "Ann_B",
            "_id": "1001",
            "name": "ann_b",
            "bio": None,
            "created_at": "2016-01-01T00:00:00.1234567Z",
            "updated_at": "2025-05-01T00:00:00Z",
            "logo": "https://example.org/a.png",
        },
        "message": {
            "body": body,
            "bits_spent": 0,
            "fragments": [{"text": body, "emoticon": None}],
            "user_badges": [{"_id": "subscriber", "version": "12"}, {"_id": "moderator", "version": "1"}],
            "user_color": "#FF4500",
            "user_notice_params": {"msg_id": None},
            "emoticons": [],
        },
    }
    for name, value in changes.items():
        if name in ("message", "commenter") and isinstance(value, Mapping):
            made[name] = {**made[name], **value}
        else:
            made[name] = value
    return made


def document(*comments: Any, **changes: Any) -> dict[str, Any]:
    """A file of schema 1.4.0; a change of None leaves a member out."""
    made: dict[str, Any] = {
        "FileInfo": {
            "Version": {"Major": 1, "Minor": 4, "Patch": 0},
            "CreatedAt": "2025-06-02T10:00:00.1234567+02:00",
            "UpdatedAt": "0001-01-01T00:00:00",
        },
        "streamer": {"name": "TheHouse", "login": "thehouse", "id": 42},
        "clipper": None,
        "video": {
            "title": "Opening night",
            "description": None,
            "id": "2345",
            "created_at": "2025-06-01T18:00:00Z",
            "start": 0.0,
            "end": 7200.0,
            "length": 7200.0,
            "viewCount": 12,
            "game": "Chess",
            "chapters": [
                {
                    "id": "c1",
                    "startMilliseconds": 600_000,
                    "lengthMilliseconds": 1_200_000,
                    "type": "GAME_CHANGE",
                    "description": "Chess",
                    "subDescription": "",
                    "thumbnailUrl": "",
                    "gameId": "743",
                    "gameDisplayName": "Chess",
                    "gameBoxArtUrl": "",
                }
            ],
        },
        "comments": list(comments),
        "embeddedData": {"thirdParty": [], "firstParty": [{"id": "25", "data": "iVBO" * 100_000}], "twitchBadges": []},
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None or name == "clipper"}


class Read:
    """What a file gave: rows by entity (good and bad), and problems."""

    def __init__(self, folder: Path, content: Mapping[str, Any] | bytes) -> None:
        path = folder / "chat.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        self.problems: list[str] = []
        self.rows: dict[str, list[dict[str, Any]]] = {entity: [] for entity in SOURCE.entities}
        self.bad: dict[str, list[str]] = {entity: [] for entity in SOURCE.entities}
        for part in SOURCE.parse(Export(path, SOURCE.name, path.name)):
            if isinstance(part, Problem):
                self.problems.append(part.reason)
                continue
            fits(part.entity, part.table)
            for row in part.table.to_pylist():
                if row["_problem"] is None:
                    self.rows[part.entity].append(row)
                else:
                    self.bad[part.entity].append(row["_problem"])

    @property
    def chat(self) -> list[dict[str, Any]]:
        return sorted(self.rows["chat_messages"], key=lambda row: row["_row"])

    @property
    def texts(self) -> list[str]:
        return [row["text"] for row in self.chat]


def fits(entity: str, table: pa.Table) -> None:
    """Every column is the contract's and casts to its type."""
    schema = contract(entity).arrow_schema
    for name in table.column_names:
        if not name.startswith("_"):
            table[name].cast(schema.field(name).type)


def test_a_comment_becomes_a_message_at_the_start_of_the_vod_plus_its_offset(tmp_path: Path) -> None:
    read = Read(tmp_path, document(comment(5)))
    assert not read.problems
    row = read.chat[0]
    del row["emotes"]
    assert row == {
        "_row": 1,
        "_text": None,
        "_problem": None,
        "extracted_at": datetime(2025, 6, 2, 8, 0, 0, 123456),
        "platform": "twitch",
        "message_id": "id-5",
        "sent_at": datetime(2025, 6, 1, 18, 0, 5),
        "channel_id": "42",
        "stream_id": "vod:2345",
        "viewer_id": "1001",
        "viewer_login": "ann_b",
        "viewer_display_name": "Ann_B",
        "offset_seconds": 5.0,
        "text": "hello",
        "message_type": "chat",
        "is_action": False,
        "bits_count": 0,
        "badges": [{"name": "subscriber", "version": "12"}, {"name": "moderator", "version": "1"}],
        "is_moderator": True,
        "is_subscriber": True,
        "is_vip": False,
        "extra": '{"user_color":"#FF4500"}',
    }


def test_comments_of_one_shape_are_the_same_by_the_fast_and_the_slow_path(tmp_path: Path) -> None:
    emote = [{"text": "a ", "emoticon": None}, {"text": "LUL", "emoticon": {"emoticon_id": "4"}}]
    comments = [
        comment(0),
        comment(1, content_offset_seconds=1.2345675),
        comment(2, content_offset_seconds=-0.5, commenter={"name": "ÄNN", "bio": 'a "b" \\ c', "logo": None}),
        comment(3, commenter=None),
        comment(4, "\x01ACTION a LUL\x01", message={"fragments": emote, "user_color": None, "user_badges": None}),
        comment(5, "", message={"user_color": "", "user_notice_params": {"msg_id": ""}, "bits_spent": None}),
        comment(6, "Ann_B gifted a Tier 1 sub to Zed!", message={"user_notice_params": {"msg-id": "subgift"}}),
        comment(7, "cheer100", message={"bits_spent": 100, "is_action": True, "user_badges": [None]}),
        comment(8, "nul \x00 end", commenter={"_id": "1002", "bio": None, "logo": None, "updated_at": None}),
        comment(9, message={"user_color": 'so "red"'}),
    ]
    later = comment(10, commenter=None, unknown=1)
    for rows in (comments[:9], comments):
        fast, slow = Read(tmp_path, document(*rows)), Read(tmp_path, document(*rows, later))
        assert slow.rows["chat_messages"].pop()["extra"] == '{"unknown":1,"user_color":"#FF4500"}'
        assert fast.rows == slow.rows
        assert not fast.problems


def test_members_nobody_knows_are_kept(tmp_path: Path) -> None:
    known: dict[str, Any] = {"updated_at": "x", "state": "published", "message": {"reply": {"to": 1}, "user_color": ""}}
    row = Read(tmp_path, document(comment(1, **known))).chat[0]
    assert json.loads(row["extra"]) == {"state": "published", "reply": {"to": 1}}


def test_rows_and_snapshots_have_the_time_the_file_says_before_the_sidecars(tmp_path: Path) -> None:
    read = Read(tmp_path, document(comment()))
    written = datetime(2025, 6, 2, 8, 0, 0, 123456)
    assert {row["extracted_at"] for rows in read.rows.values() for row in rows} == {written}
    assert read.rows["viewers"][0]["observed_at"] == written
    assert "extracted_at" not in Read(tmp_path, document(comment(), FileInfo=None)).chat[0]


@pytest.mark.parametrize("count", [1, 3])
def test_a_stray_quote_before_the_first_comment_costs_no_row(tmp_path: Path, count: int) -> None:
    content = json.dumps(document(*map(comment, range(count)))).replace('"comments": [', '"comments": ["')
    assert len(Read(tmp_path, content.encode()).chat) == count


def test_the_vod_the_streamer_and_the_chapters_become_snapshots(tmp_path: Path) -> None:
    read = Read(tmp_path, document(comment()))
    seen = datetime(2025, 6, 2, 8, 0, 0, 123456)
    stream = read.rows["streams"][0]
    assert {name: stream[name] for name in ("stream_id", "vod_id", "channel_id", "title", "category_name")} == {
        "stream_id": "vod:2345",
        "vod_id": "2345",
        "channel_id": "42",
        "title": "Opening night",
        "category_name": "Chess",
    }
    assert (stream["started_at"], stream["ended_at"]) == (STARTED, datetime(2025, 6, 1, 20))
    assert (stream["duration_seconds"], stream["vod_view_count"], stream["observed_at"]) == (7200.0, 12, seen)
    channel = read.rows["channels"][0]
    assert (channel["channel_id"], channel["login"], channel["display_name"]) == ("42", "thehouse", "TheHouse")
    segment = read.rows["stream_segments"][0]
    assert (segment["segment_started_at"], segment["segment_ended_at"], segment["category_id"]) == (
        datetime(2025, 6, 1, 18, 10),
        datetime(2025, 6, 1, 18, 30),
        "743",
    )


def test_schema_1_0_0_without_file_info_and_video_is_rebuilt_from_its_comments(tmp_path: Path) -> None:
    old = comment(7, created_at="2019-03-04T20:15:07.25Z", content_offset_seconds=7.25, content_id="99")
    read = Read(tmp_path, {"streamer": {"name": "TheHouse", "id": 42}, "comments": [old]})
    assert not read.problems
    assert read.chat[0]["sent_at"] == datetime(2019, 3, 4, 20, 15, 7, 250_000)
    stream = read.rows["streams"][0]
    assert (stream["stream_id"], stream["started_at"]) == ("vod:99", datetime(2019, 3, 4, 20, 15))
    assert (stream["duration_seconds"], stream["observed_at"]) == (None, None)


def test_schema_1_0_0_with_a_video_of_start_and_end_only_is_rebuilt_too(tmp_path: Path) -> None:
    old = comment(10, created_at="2019-03-04T20:15:10Z")
    read = Read(tmp_path, {"streamer": {"name": "A", "id": "42"}, "comments": [old], "video": {"start": 0, "end": 60}})
    assert read.rows["streams"][0]["started_at"] == datetime(2019, 3, 4, 20, 15)


def test_a_video_behind_the_comments_gives_their_times(tmp_path: Path) -> None:
    content = document(comment(5), comment(6))
    content["video"] = content.pop("video")
    assert [row["sent_at"].second for row in Read(tmp_path, content).chat] == [5, 6]
    assert Read(tmp_path, content).chat[0]["sent_at"].hour == 18


def test_old_fields_of_the_video_are_read(tmp_path: Path) -> None:
    video = {"id": "v77", "created_at": "2021-01-01T10:00:00Z", "duration": "1h2m3s", "user_id": "42", "user_name": "H"}
    read = Read(tmp_path, document(comment(), video=video, streamer=None, FileInfo=None, embeddedData=None, emotes={}))
    stream = read.rows["streams"][0]
    assert (stream["vod_id"], stream["duration_seconds"], stream["channel_id"]) == ("77", 3723.0, "42")
    assert read.rows["channels"][0]["display_name"] == "H"


def test_numbers_written_as_text_are_numbers(tmp_path: Path) -> None:
    one = comment(5, content_offset_seconds="5.5", message={"bits_spent": "100"})
    content = document(one, streamer={"name": "A", "login": "a", "id": "42"})
    content["video"].update(length="7200", viewCount="12", id=2345)
    read = Read(tmp_path, content)
    assert (read.chat[0]["offset_seconds"], read.chat[0]["bits_count"]) == (5.5, 100)
    assert (read.rows["streams"][0]["duration_seconds"], read.rows["streams"][0]["vod_view_count"]) == (7200.0, 12)


def test_a_deleted_account_leaves_a_message_without_viewer(tmp_path: Path) -> None:
    read = Read(tmp_path, document(comment(commenter=None), comment(1)))
    assert [row["viewer_id"] for row in read.chat] == [None, "1001"]
    assert [row["viewer_id"] for row in read.rows["viewers"]] == ["1001"]


def test_bits_are_read_from_the_text_only_when_the_file_has_none(tmp_path: Path) -> None:
    cheers = [comment(1, "Cheer100 wow cheer50"), comment(2, "I scored 100"), comment(3, "cheers 5")]
    assert [row["bits_count"] for row in Read(tmp_path, document(*cheers)).chat] == [150, 0, 0]
    comments = [*cheers, comment(4, "Cheer5", message={"bits_spent": 5})]
    assert [row["bits_count"] for row in Read(tmp_path, document(*comments)).chat] == [0, 0, 0, 5]


def test_emotes_are_placed_in_code_points_from_the_fragments(tmp_path: Path) -> None:
    fragments = [
        {"text": "😀 hey ", "emoticon": None},
        {"text": "Kappa", "emoticon": {"emoticon_id": "25"}},
        {"text": " ", "emoticon": None},
        {"text": "LUL", "emoticon": {"emoticon_id": "425618"}},
    ]
    wrong = [{"_id": "25", "begin": 7, "end": 13}]  # UTF-16 units, one too long
    one = comment(1, "😀 hey Kappa LUL", message={"fragments": fragments, "emoticons": wrong})
    read = Read(tmp_path, document(comment(0), one, comment(2)))
    assert [row["emotes"] for row in read.chat] == [
        [],
        [
            {"name": "Kappa", "id": "25", "provider": "twitch", "start": 6, "end": 10},
            {"name": "LUL", "id": "425618", "provider": "twitch", "start": 12, "end": 14},
        ],
        [],
    ]


def test_emotes_known_by_position_only_are_found(tmp_path: Path) -> None:
    one = comment(1, "😀 Kappa", message={"emoticons": [{"_id": "25", "begin": 3, "end": 7}]})
    del one["message"]["fragments"]
    assert Read(tmp_path, document(one)).chat[0]["emotes"] == [
        {"name": "Kappa", "id": "25", "provider": "twitch", "start": 2, "end": 6}
    ]


def test_me_is_an_action_without_its_marks(tmp_path: Path) -> None:
    fragments = [
        {"text": "\x01ACTION dances ", "emoticon": None},
        {"text": "LUL\x01", "emoticon": {"emoticon_id": "4"}},
    ]
    one = comment(1, "\x01ACTION dances LUL\x01", message={"fragments": fragments})
    row = Read(tmp_path, document(one)).chat[0]
    assert (row["text"], row["is_action"], row["message_type"]) == ("dances LUL", True, "action")
    assert row["emotes"][0]["start"] == 7


NOTICES = {
    "sub": ("Ann_B subscribed with Prime.", ("subscription", "prime", None, None)),
    "resub": (
        "Ann_B subscribed at Tier 2. They've subscribed for 43 months! still here",
        ("resubscription", "2000", 43, None),
    ),
    "subgift": (
        "Ann_B gifted a Tier 1 sub to Zed! They have given 7 Gift Subs in the channel!",
        ("gift", "1000", None, 1),
    ),
}


@pytest.mark.parametrize("kind", NOTICES)
@pytest.mark.parametrize("is_told", [True, False])
def test_a_notice_is_an_event_and_no_chat(tmp_path: Path, kind: str, is_told: bool) -> None:
    text, expected = NOTICES[kind]
    params = {"msg_id": kind if is_told else None}
    read = Read(tmp_path, document(comment(0), comment(1, text, message={"user_notice_params": params})))
    assert read.texts == ["hello"]
    event = read.rows["stream_events"][0]
    assert (event["event_type"], event["tier"], event["month_count"], event["gift_count"]) == expected
    assert (event["event_id"], event["viewer_id"], event["occurred_at"].second) == ("id-1", "1001", 1)
    if kind == "resub":
        assert event["message_text"] == "still here"
    if kind == "subgift":
        assert event["gift_recipient_id"] == "login:zed"


def test_an_announcement_of_gifts_adds_none_and_groups_those_that_follow(tmp_path: Path) -> None:
    texts = [
        ("submysterygift", "Ann_B is gifting 2 Tier 1 Subs to TheHouse's community!"),
        ("subgift", "Ann_B gifted a Tier 1 sub to Zed!"),
        ("subgift", "Ann_B gifted a Tier 1 sub to Yve!"),
    ]
    comments = [comment(n, t, message={"user_notice_params": {"msg_id": k}}) for n, (k, t) in enumerate(texts)]
    read = Read(tmp_path, document(*comments))
    assert [event["gift_count"] for event in read.rows["stream_events"]] == [1, 1]
    assert len({event["gift_group_id"] for event in read.rows["stream_events"]}) == 1
    assert not read.chat


def test_a_raid_tells_its_viewers_and_a_notice_in_another_language_is_kept_as_its_kind(tmp_path: Path) -> None:
    raid = comment(1, "1,234 raiders from Bea have joined!", message={"user_notice_params": {"msg_id": "raid"}})
    german = comment(2, "Ann_B hat abonniert", message={"user_notice_params": {"msg-id": "resub"}})
    read = Read(tmp_path, document(raid, german))
    events = [(e["event_type"], e["raid_viewer_count"], e["viewer_id"]) for e in read.rows["stream_events"]]
    assert events == [("raid", 1234, "login:bea"), ("resubscription", None, "1001")]


def test_a_highlighted_message_stays_chat_of_its_own_type(tmp_path: Path) -> None:
    params = {"msg_id": "highlighted-message"}
    read = Read(tmp_path, document(comment(1, "look", message={"user_notice_params": params})))
    assert [(row["text"], row["message_type"]) for row in read.chat] == [("look", "highlighted-message")]


def test_a_viewer_is_listed_once_as_last_seen(tmp_path: Path) -> None:
    read = Read(tmp_path, document(comment(0), comment(1, commenter={"display_name": "ANN_B", "bio": "hi"})))
    viewer = read.rows["viewers"][0]
    assert len(read.rows["viewers"]) == 1
    assert (viewer["viewer_id"], viewer["login"], viewer["display_name"]) == ("1001", "ann_b", "ANN_B")
    assert viewer["created_at"] == datetime(2016, 1, 1, 0, 0, 0, 123_456)
    assert json.loads(viewer["extra"])["bio"] == "hi"


def test_a_clip_takes_the_comments_own_times_and_tells_no_stream(tmp_path: Path) -> None:
    clipper = {"name": "Zed", "login": "zed", "id": 7}
    read = Read(tmp_path, document(comment(5), clipper=clipper))
    assert read.chat[0]["sent_at"] == datetime(2025, 6, 1, 20, 0, 5, 500_000)
    assert (read.chat[0]["stream_id"], read.chat[0]["offset_seconds"]) == ("vod:2345", None)
    assert not read.rows["streams"]


BAD_COMMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "an offset that is a word": ({"content_offset_seconds": "abc"}, "content_offset_seconds: 'abc' is not a number"),
    "an offset that is no number": ({"content_offset_seconds": "NaN"}, "is not a number"),
    "an offset beyond 48 hours": ({"content_offset_seconds": 172_801}, "more than 48 hours"),
    "a negative absurd offset": ({"content_offset_seconds": -1e12}, "more than 48 hours"),
    "no text": ({"message": None}, "message.body is missing"),
    "bits that are a word": ({"message": {"bits_spent": "many"}}, "message.bits_spent: 'many' is not a count"),
    "a commenter that is a number": ({"commenter": 5}, "commenter is not an object"),
    "no time": ({"content_offset_seconds": None, "created_at": None}, "has no time"),
}


@pytest.mark.parametrize("case", BAD_COMMENTS)
def test_a_bad_comment_is_told_with_its_reason_and_costs_itself_only(tmp_path: Path, case: str) -> None:
    changes, reason = BAD_COMMENTS[case]
    read = Read(tmp_path, document(comment(0), comment(1, **changes), comment(2)))
    assert [row["message_id"] for row in read.chat] == ["id-0", "id-2"]
    assert len(read.bad["chat_messages"]) == 1
    assert reason in read.bad["chat_messages"][0]


def test_an_element_that_is_no_comment_is_told(tmp_path: Path) -> None:
    read = Read(tmp_path, document(comment(0), 5, {"photo": 1}, "x", None, comment(2)))
    assert [row["message_id"] for row in read.chat] == ["id-0", "id-2"]
    assert read.bad["chat_messages"] == ["is not a comment"] * 4


def test_a_video_of_wrong_types_is_a_bad_stream_and_the_chat_is_kept(tmp_path: Path) -> None:
    content = document(comment(1, created_at="2025-06-01T18:00:01Z"))
    content["video"].update(viewCount="many", created_at="yesterday")
    read = Read(tmp_path, content)
    assert read.bad["streams"] == ["video.viewCount: 'many' is not a number"]
    assert "video.created_at: 'yesterday' is not a time" in read.problems
    assert read.chat[0]["sent_at"] == datetime(2025, 6, 1, 18, 0, 1)
    assert Read(tmp_path, document(comment(1), video=[1], streamer="x", FileInfo=7)).texts == ["hello"]


def test_a_file_without_comments_says_so(tmp_path: Path) -> None:
    read = Read(tmp_path, document(comments=None))
    assert read.problems == ["there is no list of comments in the file"]
    assert len(read.rows["streams"]) == 1
    assert not Read(tmp_path, document()).problems


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "gzip"])
def test_every_encoding_of_a_file_gives_the_same_rows(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(document(comment(1, "čau 😀"), comment(2)), ensure_ascii=False)
    content = gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding)
    read = Read(tmp_path, content)
    assert read.texts == ["čau 😀", "hello"]
    assert recognise(tmp_path / "chat.json") == (SOURCE, "TwitchDownloader chat JSON, schema 1.4.0")


def test_a_file_is_recognised_by_its_keys_and_lookalikes_are_not(tmp_path: Path) -> None:
    path = tmp_path / "export.txt"
    path.write_text(json.dumps({"streamer": {"name": "A", "id": 1}, "comments": [comment()]}))
    assert recognise(path)[1] == "TwitchDownloader chat JSON, schema 1.0.0"
    head = {"comments": [{"id": 1, "text": "a blog"}], "post": 5}
    path.write_text(json.dumps(head))
    assert SOURCE.recognise(read_head(path)) is None


def test_batches_do_not_change_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = document(*(comment(n, f"Kappa {n}", commenter={"_id": str(n % 7)}) for n in range(400)))
    whole = Read(tmp_path, content)

    def small_blocks(path: Path, _: list[Problem]) -> Iterator[bytes]:
        content = path.read_bytes()
        return (content[at : at + 3_000] for at in range(0, len(content), 3_000))

    small = functools.partial(split_elements, batch_bytes=10_000)
    monkeypatch.setattr("data_lake.sources.live.twitch_downloader.reader.read_utf8", small_blocks)
    monkeypatch.setattr("data_lake.sources.live.twitch_downloader.reader.split_elements", small)
    parts = Read(tmp_path, content)
    assert parts.chat == whole.chat
    assert len(parts.rows["viewers"]) == 7
