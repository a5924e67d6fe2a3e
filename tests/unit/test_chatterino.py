"""Chatterino's day logs: local times, the zone, and sentences among the messages."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

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


def by_row(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: int(row["_row"]))
