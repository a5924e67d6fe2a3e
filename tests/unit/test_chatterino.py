"""Chatterino's day logs: local times, the zone, and sentences among the messages."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources import UnknownFormat, recognise
from data_lake.sources.live.chatterino import SOURCE
from tests.unit.live_formats import Read

NAME = "house-2026-01-31.log"
BERLIN = {"time_zone": "Europe/Berlin"}


def read(tmp_path: Path, *lines: str, name: str = NAME, **sidecar: Any) -> Read:
    return Read(SOURCE, tmp_path, "\n".join(lines) + "\n", sidecar, name)


def test_a_line_is_a_message_at_its_local_time_in_the_channel_of_the_file_name(tmp_path: Path) -> None:
    parsed = read(tmp_path, "# Start logging at 2026-01-31 18:00:00 CET", "[18:00:05]  Ann: hello: there", **BERLIN)
    assert parsed.what == "a Chatterino day log"
    (row,) = parsed.messages
    assert (row["sent_at"], row["channel_id"], row["viewer_id"]) == (
        datetime(2026, 1, 31, 17, 0, 5),
        "login:house",
        "login:ann",
    )
    assert (row["viewer_display_name"], row["text"], row.get("message_id")) == ("Ann", "hello: there", None)


def test_a_localised_name_stands_behind_the_login(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "[18:00:05]  ann(アン): hi", **BERLIN).messages
    assert (row["viewer_login"], row["viewer_display_name"]) == ("ann", "アン")


def test_summer_and_winter_differ_by_the_clock_of_the_zone(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "[18:00:05]  ann: hi", name="house-2026-07-01.log", **BERLIN).messages
    assert row["sent_at"] == datetime(2026, 7, 1, 16, 0, 5)


def test_a_heading_in_utc_needs_no_sidecar(tmp_path: Path) -> None:
    parsed = read(tmp_path, "# Start logging at 2026-01-31 18:00:00 UTC", "[18:00:05]  ann: hi")
    assert parsed.messages[0]["sent_at"] == datetime(2026, 1, 31, 18, 0, 5)
    assert not parsed.problems


def test_a_local_log_without_its_zone_says_what_to_write_and_keeps_the_lines(tmp_path: Path) -> None:
    parsed = read(tmp_path, "# Start logging at 2026-01-31 18:00:00 CET", "[18:00:05]  ann: hi")
    assert "time_zone (such as Europe/Berlin)" in parsed.problems[0].reason
    assert [row["_text"] for row in parsed.bad] == ["[18:00:05]  ann: hi"]


@pytest.mark.parametrize("sidecar", [{"time_zone": "Middle/Earth"}, {"time_zone": "../etc"}])
def test_a_zone_that_is_none_is_named(tmp_path: Path, sidecar: dict[str, str]) -> None:
    assert "Europe/Berlin" in read(tmp_path, "[18:00:05]  ann: hi", **sidecar).problems[0].reason


def test_a_log_without_a_channel_says_what_to_write(tmp_path: Path) -> None:
    parsed = read(tmp_path, "[18:00:05]  ann: hi", name="2026-01-31.log", **BERLIN)
    assert "channel_id or channel_login" in parsed.problems[0].reason


@pytest.mark.parametrize(
    ("sentence", "action"),
    [
        ("bob has been permanently banned.", ("ban", "login:bob", None, None)),
        ("bob has been timed out for 1h 10m.", ("timeout", "login:bob", 4200.0, None)),
        ("mod1 timed out bob for 30s.", ("timeout", "login:bob", 30.0, "login:mod1")),
        ("mod1 unbanned bob.", ("unban", "login:bob", None, "login:mod1")),
        ("Chat has been cleared by a moderator.", ("clear", None, None, None)),
    ],
)
def test_sentences_about_moderation_are_actions(tmp_path: Path, sentence: str, action: tuple[Any, ...]) -> None:
    parsed = read(tmp_path, f"[18:00:05]  {sentence}", **BERLIN)
    (row,) = parsed.actions
    assert (row["action_type"], row["target_viewer_id"], row["duration_seconds"], row["moderator_id"]) == action
    assert not parsed.bad
    assert not parsed.messages


def test_notices_are_events_and_talk_about_the_connection_is_nothing(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        "[18:00:05]  joined channel",
        "[18:00:06]  ann subscribed with Prime. They've subscribed for 43 months!",
        "[18:00:07]  12 raiders from bob have joined!",
        "[18:00:08]  something odd happens",
        "no time",
        **BERLIN,
    )
    assert [(e["event_type"], e["viewer_id"]) for e in parsed.events] == [
        ("resubscription", "login:ann"),
        ("raid", "login:bob"),
    ]
    assert parsed.events[1]["raid_viewer_count"] == 12
    assert [row["_row"] for row in parsed.bad] == [4, 5]


@pytest.mark.parametrize("day", ["2026-01-31", "2026-03-29", "2026-10-25"])
def test_plain_messages_are_those_of_the_slow_path(tmp_path: Path, day: str) -> None:
    clocks = ("00:00:00", "02:30:00", "09:59:59", "23:59:59", "24:00:00", "18:60:00", "/8:00:00", ":8:00:00")
    logins = ("ann", "Änn_1", "a" * 60, "a" * 61)
    texts = ("hi", "", " ", "a: b", "12:30", "日本 😀", "ann(x): y", "\x00")
    # A name shown behind the login takes the slow path.
    every = list(product(clocks, logins, texts))
    fast, slow = (
        read(tmp_path, *lines, name=f"house-{day}.log", **BERLIN)
        for lines in (
            [f"[{clock}]  {login}: {text}" for clock, login, text in every],
            [f"[{clock}]  {login}({login}): {text}" for clock, login, text in every],
        )
    )
    assert by_row(fast.messages) == by_row(slow.messages)
    assert [(row["_row"], row["_problem"]) for row in fast.bad] == [(row["_row"], row["_problem"]) for row in slow.bad]


CASE = [
    "# Start logging at 2026-03-14 20:00:00 CET",
    "[20:00:00] viewer_0: line 0: of chat",
    "[20:00:04] アンナ anna_two: konnichiwa",
    "[20:00:09] bob_three has been timed out for 10m. ",
    "[20:00:08] viewer_1: late",
    "[20:01:00] mod_one: mod_one timed out bob_three for 1h 10m. ",
    "# Stop logging at 2026-03-14 20:02:00 CET",
]


def test_one_blank_stands_after_the_time_since_2023(tmp_path: Path) -> None:
    parsed = read(tmp_path, *CASE, name="house-2026-03-14.log", stream_started_at="2026-03-14T19:00:00Z", **BERLIN)
    assert parsed.what == "a Chatterino day log"
    said = sorted((row["_row"], row["sent_at"].time().isoformat(), row["viewer_login"]) for row in parsed.messages)
    assert said == [(2, "19:00:00", "viewer_0"), (3, "19:00:04", "anna_two"), (5, "19:00:08", "viewer_1")]
    assert parsed.messages[-1]["viewer_display_name"] == "アンナ"
    columns = ("action_type", "target_viewer_id", "moderator_id", "duration_seconds")
    actions = [tuple(action[name] for name in columns) for action in parsed.actions]
    assert actions == [
        ("timeout", "login:bob_three", None, 600.0),
        ("timeout", "login:bob_three", "login:mod_one", 4200.0),
    ]
    assert not parsed.bad
    assert not parsed.problems


def test_a_viewer_who_writes_what_the_program_writes_wrote_a_message(tmp_path: Path) -> None:
    parsed = read(tmp_path, "# Start logging at 2026-01-31 18:00:00 UTC", "[18:00:05] ann: ann banned bob.")
    assert [row["text"] for row in parsed.messages] == ["ann banned bob."]
    assert not parsed.actions


STREAM = "house-41234567890.log"


def test_the_log_of_a_stream_runs_over_midnight(tmp_path: Path) -> None:
    clocks = ("22:31:00", "23:59:59", "00:00:01", "23:59:58", "00:00:03", "01:30:00", "13:00:00", "00:30:00")
    lines = [f"[{clock}]  ann: {clock}" for clock in clocks]
    parsed = read(tmp_path, "# Start logging at 2023-03-14 22:30:00 CET", *lines, name=STREAM, **BERLIN)
    assert [row["sent_at"].isoformat(sep=" ") for row in by_row(parsed.messages)] == [
        "2023-03-14 21:31:00",
        "2023-03-14 22:59:59",
        "2023-03-14 23:00:01",
        "2023-03-14 22:59:58",
        "2023-03-14 23:00:03",
        "2023-03-15 00:30:00",
        "2023-03-15 12:00:00",
        "2023-03-15 23:30:00",
    ]
    assert {row["stream_id"] for row in parsed.messages} == {"41234567890"}


def test_a_message_of_before_midnight_may_stand_in_the_log_of_the_next_day(tmp_path: Path) -> None:
    lines = ("[23:59:59] ann: late", "[00:00:02] ann: new", "[23:58:00] ann: evening")
    parsed = read(tmp_path, "# Start logging at 2026-01-31 00:00:00 UTC", *lines)
    assert [row["sent_at"].isoformat(sep=" ") for row in by_row(parsed.messages)] == [
        "2026-01-30 23:59:59",
        "2026-01-31 00:00:02",
        "2026-01-31 23:58:00",
    ]


def test_every_heading_says_the_day_of_the_lines_behind_it(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        "# Start logging at 2026-01-31 22:00:00 UTC",
        "[22:00:01] ann: a",
        "# Stop logging at 2026-01-31 23:00:00UTC",
        "# Start logging at 2026-02-03 01:00:00 UTC",
        "[01:00:01] ann: b",
        name="house.log",
        channel_login="house",
    )
    assert [row["sent_at"].isoformat() for row in by_row(parsed.messages)] == [
        "2026-01-31T22:00:01",
        "2026-02-03T01:00:01",
    ]


@pytest.mark.parametrize(
    ("clock", "moment"),
    [
        ("20:00:05", "20:00:05"),
        ("8:00:05", "08:00:05"),
        ("20:00", "20:00:00"),
        ("8:00", "08:00:00"),
        ("8:00 pm", "20:00:00"),
        ("08:00 AM", "08:00:00"),
        ("12:00:05 am", "00:00:05"),
        ("12:00:05 pm", "12:00:05"),
        ("8:00:05.123", "08:00:05.123000"),
        ("08:00:05.123 pm", "20:00:05.123000"),
    ],
)
@pytest.mark.parametrize("blanks", [" ", "  "])
def test_times_stand_in_any_form_the_program_offers(tmp_path: Path, clock: str, moment: str, blanks: str) -> None:
    parsed = read(tmp_path, "# Start logging at 2026-01-31 00:00:00 UTC", f"[{clock}]{blanks}ann: hi")
    assert parsed.what == "a Chatterino day log"
    assert [row["sent_at"].isoformat() for row in parsed.messages] == [f"2026-01-31T{moment}"]


@pytest.mark.parametrize("clock", ["24:00", "13:00 pm", "0:30 am", "12:60", "7"])
def test_a_time_that_is_none_is_a_bad_row(tmp_path: Path, clock: str) -> None:
    parsed = read(tmp_path, "# Start logging at 2026-01-31 00:00:00 UTC", "[12:00] ann: x", f"[{clock}] ann: hi")
    assert parsed.reasons == ["the line does not begin with a time of day in brackets"]


def test_a_log_without_times_is_refused_with_what_to_choose(tmp_path: Path) -> None:
    path = tmp_path / "house-2026-01-31.log"
    path.write_text("# Start logging at 2026-01-31 00:00:00 UTC\nann: hi\nbob: hello\n")
    with pytest.raises(UnknownFormat, match="choose a 'Log file timestamp format'"):
        recognise(path)


def test_a_log_whose_day_nothing_says_is_dated_by_no_guess(tmp_path: Path) -> None:
    lines = ("[18:00:05]  ann: hi", "[18:00:06]  bob has been permanently banned.")
    parsed = read(tmp_path, *lines, name="house.log", channel_login="house", **BERLIN)
    assert "write date (such as 2026-01-31) into its sidecar" in parsed.problems[0].reason
    assert parsed.reasons == ["the day or the time zone of the log is not known"] * 2
    stated = read(tmp_path, *lines, name="house.log", channel_login="house", date="2026-01-31", **BERLIN)
    assert [row["sent_at"] for row in stated.messages] == [datetime(2026, 1, 31, 17, 0, 5)]


@pytest.mark.parametrize(
    ("name", "line", "source"),
    [
        ("house-2026-01-31.log", "[18:00:05] ann: hi", "chatterino"),
        ("house-41234567890.log", "[18:00:05] ann: hi", "chatterino"),
        ("cut.txt", "# Start logging at 2026-01-31 00:00:00 CET\n[18:00:05] ann: hi", "chatterino"),
        ("cut.txt", "[18:00:05]  ann: hi", "chatterino"),
        ("cut.txt", "[18:00:05] bob has been timed out for 1d 10m. ", "chatterino"),
        ("cut.txt", "[6:00:05 pm] ann: hi", "chatterino"),
        ("chat.txt", "[0:00:05] ann: hi", "chat_text"),
    ],
)
def test_a_log_is_known_by_what_only_chatterino_writes(tmp_path: Path, name: str, line: str, source: str) -> None:
    (tmp_path / name).write_text(line + "\n")
    assert recognise(tmp_path / name)[0].name == source


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("mod1: mod1 banned bob: spam links ", ("ban", "login:bob", "login:mod1", "spam links")),
        ('mod1: mod1 banned bob: "spam". ', ("ban", "login:bob", "login:mod1", "spam")),
        ("mod1: mod1 timed out bob for 10m in house: rude ", ("timeout", "login:bob", "login:mod1", "rude")),
        ("mod1: mod1 untimedout bob. ", ("unban", "login:bob", "login:mod1", None)),
        ("mod1: mod1 has warned bob: rules, rules ", ("warn", "login:bob", "login:mod1", "rules, rules")),
        ("mod1: mod1 has added bob as a VIP of this channel. ", ("vip", "login:bob", "login:mod1", None)),
        ("bob has been timed out for 1d. (multiple times) ", ("timeout", "login:bob", None, None)),
        ("A message from bob was deleted: a: b", ("delete", "login:bob", None, None)),
        ('mod1 deleted message from bob saying "x: y".', ("delete", "login:bob", "login:mod1", None)),
        ('You were timed out for 10m by mod1: "rude". ', ("timeout", None, "login:mod1", "rude")),
    ],
)
def test_moderation_is_read_in_the_words_the_program_writes(tmp_path: Path, line: str, action: tuple[Any, ...]) -> None:
    parsed = read(tmp_path, "[18:00:04] ann: hi", f"[18:00:05] {line}", **BERLIN)
    (row,) = parsed.actions
    assert (row["action_type"], row["target_viewer_id"], row["moderator_id"], row["reason"]) == action
    assert [row["text"] for row in parsed.messages] == ["hi"]
    assert not parsed.bad


def test_what_the_program_says_of_room_and_emotes_is_nothing_and_gifts_of_months_are_gifts(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        "[18:00:01] mod1: mod1 turned on emote-only mode. ",
        "[18:00:02] nerixyz: nerixyz added 7TV emote Clap.",
        "[18:00:03] automod: AutoMod: Held a message for reason: swearing level 2. Allow will post it in chat.",
        "[18:00:04] Suspicious User: Restricted",
        "[18:00:05] house is live: a title: here",
        "[18:00:06] ann gifted 3 months of a Tier 1 sub to bob! They've gifted 12 months in the channel.",
        **BERLIN,
    )
    assert not parsed.messages
    assert not parsed.bad
    (gift,) = parsed.events
    assert (gift["event_type"], gift["tier"], gift["gift_recipient_id"]) == ("gift", "1000", "login:bob")


def by_row(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: int(row["_row"]))
