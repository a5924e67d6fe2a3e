"""Plain chat logs: three kinds of time, the sidecar, and notices that stand among the messages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from data_lake.contracts import contract
from data_lake.sources.base import Export, Problem
from data_lake.sources.live.chat_text import SOURCE
from data_lake.sources.reading.blocks import read_head

EXAMPLE = Path(__file__).parents[2] / "examples" / "vod_chat" / "vod_chat.txt.yml"
SIDECAR = {"platform": "Twitch", "channel_login": "House", "vod_id": 7, "stream_started_at": "2026-01-01T20:00:00Z"}


class Read:
    """What a log gave: messages, bad lines, events, snapshots and problems."""

    def __init__(self, path: Path, content: str | bytes, sidecar: Mapping[str, Any]) -> None:
        log = path / "chat.txt"
        log.write_bytes(content.encode() if isinstance(content, str) else content)
        self._read(Export(log, "chat_text", log.name, sidecar))

    def _read(self, export: Export) -> None:
        self.problems: list[str] = []
        self.tables: dict[str, list[pa.Table]] = {entity: [] for entity in SOURCE.entities}
        for part in SOURCE.parse(export):
            if isinstance(part, Problem):
                self.problems.append(part.reason)
            else:
                self.tables[part.entity].append(part.table)

    def rows(self, entity: str) -> list[dict[str, Any]]:
        return [row for table in self.tables[entity] for row in table.to_pylist()]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [row for row in self.rows("chat_messages") if row["_problem"] is None]

    @property
    def bad(self) -> list[dict[str, Any]]:
        return [row for row in self.rows("chat_messages") if row["_problem"]]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.rows("stream_events")


@pytest.mark.parametrize(
    ("line", "offset"),
    [
        ("[0:00:30] Ann: hi: there", 30.0),
        ("[30:00:30] Ann: hi: there", 108_030.0),
        ("[-0:00:30] Ann: hi: there", -30.0),
        ("[2026-01-01 20:00:30 UTC] Ann: hi: there", 30.0),
        ("1767297630 Ann: hi: there", 30.0),
        ("1767297630500 Ann: hi: there", 30.5),
        ("<1767297630> Ann: hi: there", 30.0),
    ],
)
def test_each_kind_of_time_gives_moment_and_offset(tmp_path: Path, line: str, offset: float) -> None:
    (message,) = Read(tmp_path, line, SIDECAR).messages
    assert message["offset_seconds"] == offset
    assert (message["sent_at"] - datetime(2026, 1, 1, 20)).total_seconds() == offset
    assert (message["viewer_id"], message["viewer_login"], message["viewer_display_name"]) == (
        "login:ann",
        "ann",
        "Ann",
    )
    assert (message["text"], message["message_id" if "message_id" in message else "_text"]) == ("hi: there", None)


def test_rows_have_the_contracts_types_and_say_which_stream(tmp_path: Path) -> None:
    covered = {"covered_from": "2026-01-01T20:00:00Z", "covered_to": "2026-01-01T21:00:00Z"}
    text = "[0:00:30] ann: hi\n[0:00:31] bo: bo subscribed with Prime. \n"
    read = Read(tmp_path, text, SIDECAR | covered)
    for entity, tables in read.tables.items():
        expected = contract(entity).arrow_schema
        for column in tables[0].schema:
            if not column.name.startswith("_"):
                tables[0].column(column.name).cast(expected.field(column.name).type)
    (message,), (stream,), (channel,) = read.messages, read.rows("streams"), read.rows("channels")
    assert {r["channel_id"] for r in (message, stream, channel)} == {"login:house"}
    assert message["stream_id"] == stream["stream_id"] == "vod:7"
    assert (channel["platform"], channel["login"], stream["started_at"]) == (
        "twitch",
        "house",
        datetime(2026, 1, 1, 20),
    )


def test_a_name_in_another_script_is_no_login_and_still_one_viewer(tmp_path: Path) -> None:
    (message,) = Read(tmp_path, "[0:00:30] 시라유키: hi", SIDECAR).messages
    assert (message["viewer_id"], message["viewer_login"]) == ("login:시라유키", None)


@pytest.mark.parametrize(
    ("sidecar", "sentence"),
    [
        ({}, "write platform and channel_id or channel_login into its sidecar chat.txt.yml"),
        ({"platform": "twitch", "channel_id": 5}, "write stream_started_at"),
        ({**SIDECAR, "stream_started_at": "noon"}, "stream_started_at is 'noon'"),
    ],
)
def test_a_sidecar_that_lacks_something_is_told_what(tmp_path: Path, sidecar: dict[str, Any], sentence: str) -> None:
    read = Read(tmp_path, "[0:00:30] ann: hi", sidecar)
    assert not read.messages
    assert sentence in " ".join(read.problems)


def test_lines_that_are_no_messages_are_kept_with_their_text(tmp_path: Path) -> None:
    content = b"[0:00:30] ann: hi\n\nno time here\n[12:00:00]  cy: two spaces\n[0:00:3\xff] b: x\n[0:00:31] bo: yo\r\n"
    read = Read(tmp_path, content, {**SIDECAR, "encoding": "utf-8"})
    assert [(m["_row"], m["text"]) for m in read.messages] == [(1, "hi"), (6, "yo")]
    assert [(b["_row"], b["_text"][:12]) for b in read.bad] == [
        (3, "no time here"),
        (4, "[12:00:00]  "),
        (5, "[0:00:3\ufffd] b:"),
    ]
    assert "expected [H:MM:SS] name: message" in read.bad[0]["_problem"]
    assert "UTF-8" in read.bad[2]["_problem"]


def test_a_day_that_does_not_exist_is_a_bad_line(tmp_path: Path) -> None:
    read = Read(tmp_path, "[2026-13-01 20:00:30 UTC] ann: hi", SIDECAR)
    assert [b["_problem"] for b in read.bad] == ["the time of the line is no moment"]


def test_plain_lines_are_read_as_on_the_slow_path(tmp_path: Path) -> None:
    times = ("0:00:00", "00:59:59", "1234:05:09", "0:60:00", "0:5:00", "x:00:00", "12345:00:00", ":00:00", "/:00:00")
    names = ("ann", "Änn B", "a" * 100, "a" * 101, "", " ann", "ann ", "\tann", "\x0bann")
    texts = (": hi", ":hi", ":  hi", ":", ": ", ": a: b", ": 日本 😀", "", " hi")
    # A fraction of a second takes the slow path.
    fast, slow = (
        Read(
            tmp_path,
            "\n".join(f"[{line[0]}{more}] {line[1]}{line[2]}" for line in product(times, names, texts)),
            SIDECAR,
        )
        for more in ("", ".0")
    )
    assert fast.messages == slow.messages
    assert [(row["_row"], row["_problem"]) for row in fast.bad] == [(row["_row"], row["_problem"]) for row in slow.bad]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bo subscribed with Prime. ", ("subscription", "prime", None, None, None)),
        ("Bo subscribed at Tier 1. They've subscribed for 1 month! ", ("subscription", "1000", 1, None, None)),
        ("bo subscribed at Tier 3. They've subscribed for 21 months! yo ", ("resubscription", "3000", 21, "yo", None)),
        (
            "bo subscribed with Prime. They've subscribed for 6 months, currently on a 2 month streak! yo",
            ("resubscription", "prime", 6, "yo", '{"streak_months": 2}'),
        ),
        (
            "bo converted from a Prime sub to a Tier 1 sub! ",
            ("subscription", "1000", None, None, '{"converted_from": "prime"}'),
        ),
        (
            "bo is continuing the Gift Sub they got from cy! ",
            ("subscription", None, None, None, '{"converted_from": "gift"}'),
        ),
    ],
)
def test_a_subscription_notice_is_one_event_of_the_viewer_it_names(
    tmp_path: Path, text: str, expected: tuple[str, str | None, int | None, str | None, str | None]
) -> None:
    read = Read(tmp_path, f"[0:00:30] renamed: {text}", SIDECAR)
    (event,) = read.events
    assert tuple(event[name] for name in ("event_type", "tier", "month_count", "message_text", "extra")) == expected
    assert (event["viewer_id"], event["viewer_login"]) == ("login:bo", "bo")
    assert read.messages == []


@pytest.mark.parametrize(
    "text",
    [
        'snapshot: "bo subscribed with Prime."',
        "@bo subscribed with Prime. nice",
        "bo subscribed with Prime",
        "bo subscribed at Tier 4. ",
        "wow bo subscribed with Prime. They've subscribed for 3 months!",
        "bo gifted a Tier 1 sub to the whole chat!",
        "bo is gifting 5 Tier 1 Subs to everyone",
        "I subscribed at Tier 1.5",
    ],
)
def test_what_only_snapshots_like_a_notice_stays_chat(tmp_path: Path, text: str) -> None:
    read = Read(tmp_path, f"[0:00:30] ann: {text}", SIDECAR)
    assert ([m["text"] for m in read.messages], read.events) == ([text], [])


def gifts(tmp_path: Path, *lines: str) -> list[tuple[str | None, str, str | None]]:
    """(giver, recipient, group as its number) of each gift."""
    read = Read(tmp_path, "\n".join(lines), SIDECAR)
    assert read.messages == []
    groups: dict[str, str] = {}
    given = []
    for e in read.events:
        assert (e["event_type"], e["tier"], e["gift_count"]) == ("gift", "1000", 1)
        group = groups.setdefault(e["gift_group_id"], str(len(groups) + 1)) if e["gift_group_id"] else None
        given.append((e["viewer_id"], e["gift_recipient_id"].removeprefix("login:"), group))
    return given


def test_an_announcement_groups_the_gifts_that_follow_and_adds_none(tmp_path: Path) -> None:
    assert gifts(
        tmp_path,
        "[0:00:30] ann: ann is gifting 2 Tier 1 Subs to House's community! They've gifted a total of 9 in the channel!",
        "[0:00:31] ann: ann gifted a Tier 1 sub to Bo!",
        "[0:00:31] dee: dee gifted a Tier 1 sub to eve!",
        "[0:00:31] ann: ann gifted a Tier 1 sub to cy!",
        "[0:00:32] ann: ann gifted a Tier 1 sub to fay!",
        "[0:00:33] ann: ann is gifting 1 Tier 1 Subs to House's community!",
        "[0:00:33] ann: ann gifted a Tier 1 sub to gil! They have given 12 Gift Subs in the channel!",
        "[0:09:00] ann: ann gifted a Tier 1 sub to hal!",
    ) == [
        ("login:ann", "bo", "1"),
        ("login:dee", "eve", None),
        ("login:ann", "cy", "1"),
        ("login:ann", "fay", None),
        ("login:ann", "gil", None),
        ("login:ann", "hal", None),
    ]


def test_an_anonymous_gift_has_no_giver_and_keeps_its_group(tmp_path: Path) -> None:
    assert gifts(
        tmp_path,
        "[0:00:30] anonym: anonym is gifting 1 Tier 1 Subs to House's community!",
        "[0:00:31] anonym: An anonymous user gifted a Tier 1 sub to bo!  ",
    ) == [(None, "bo", "1")]


def test_the_same_log_gives_the_same_groups_again(tmp_path: Path) -> None:
    announced = "[0:00:30] ann: ann is gifting 1 Tier 1 Subs to House's community!"
    log = f"{announced}\n[0:00:31] ann: ann gifted a Tier 1 sub to bo!"
    first, second = (Read(tmp_path, log, SIDECAR).events for _ in range(2))
    assert first[0]["gift_group_id"].startswith("synthetic:")
    assert first == second


def test_a_log_is_recognised_by_its_lines(tmp_path: Path) -> None:
    log = tmp_path / "x"
    log.write_text("[0:00:30] ann: hi\n[0:00:31] bo: yo\n", encoding="utf-16")
    assert SOURCE.recognise(read_head(log)) == "a chat log as text (TwitchDownloader or plain)"
    log.write_text("time,viewers\n2026-01-01,5\n")
    assert SOURCE.recognise(read_head(log)) is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=40).filter(lambda b: b"\n" not in b), place=st.integers(0, 4))
def test_a_corrupted_line_never_loses_the_others(tmp_path: Path, noise: bytes, place: int) -> None:
    lines = [f"[0:00:0{n}] ann: {n}".encode() for n in range(4)]
    lines.insert(place, noise)
    assume(lines[0][:2] != b"\x1f\x8b")  # would say that the whole file is compressed
    read = Read(tmp_path, b"\n".join(lines), {**SIDECAR, "encoding": "utf-8"})
    assert [m["text"] for m in read.messages if m["_row"] != place + 1] == ["0", "1", "2", "3"]
    assert len(read.rows("chat_messages")) + len(read.events) <= 5


def test_the_example_leaves_67719_messages_299_subscriptions_and_27_gifts(real_data: Path) -> None:
    log = real_data / "twitch_chat_text" / "vod_chat.txt"
    read = Read.__new__(Read)
    read._read(Export(log, "chat_text", log.name, yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))))
    kinds = Counter(event["event_type"] for event in read.events)
    assert (len(read.messages), kinds["subscription"] + kinds["resubscription"], kinds["gift"]) == (67_719, 299, 27)
    assert (read.problems, read.bad) == ([], [])
    given = [event for event in read.events if event["event_type"] == "gift"]
    assert Counter(Counter(e["gift_group_id"] for e in given if e["gift_group_id"]).values()) == {10: 1, 5: 3}
    assert sum(event["viewer_id"] is None for event in given) == 5
    assert sum(json.loads(e["extra"] or "{}").get("converted_from") == "prime" for e in read.events) == 2
