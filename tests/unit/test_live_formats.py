"""What holds for every live format and any damage: no good row is lost, something is told, nothing is raised or loops.

Also what two tools say of one chat: the same ids.
"""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_lake.sources import SOURCES, recognise
from data_lake.sources.base import PROBLEM, ROW, Export, Problem, Rows, Source
from data_lake.sources.live import (
    chat_downloader,
    chatterino,
    irc,
    twitch_dashboard,
    twitch_downloader,
    yt_dlp_live_chat,
)
from data_lake.sources.reading.blocks import read_head
from tests.builders import twitch_chat
from tests.unit.live_formats import Read

COUNT = 7
SLOW_SECONDS = 30  # a parser that takes longer on a few kilobytes loops
TEXTS = ['say "hi" \\o/ {"id":"x"}', "a, b; c=d :e", "ünï 😀", "[[[ }}} ]", "two  spaces", "'q' @x", "#5"]
MS, US = 1_700_000_000_000, 1_700_000_000_000_000

common = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def irc_line(n: int) -> str:
    tags = f"badges=vip/1;display-name=D{n};emotes=;id=id-{n};mod=0;room-id=9;tmi-sent-ts={MS + n};user-id={100 + n}"
    return f"@{tags} :ann!ann@ann.tmi.twitch.tv PRIVMSG #house :{TEXTS[n]}"


def rustlog(n: int) -> dict[str, Any]:
    return {
        "text": TEXTS[n],
        "displayName": f"D{n}",
        "timestamp": "2023-11-14T22:13:20Z",
        "id": f"id-{n}",
        "raw": irc_line(n),
        "type": 1,
        "tags": {},
    }


def item(n: int) -> dict[str, Any]:
    return {
        "action_type": "add_chat_item",
        "message_type": "text_message",
        "message_id": f"id-{n}",
        "timestamp": US + n,
        "message": TEXTS[n],
        "author": {"id": f"UC{n:022d}", "name": "Ann"},
    }


def renderer(n: int) -> dict[str, Any]:
    members = {
        "id": f"id-{n}",
        "timestampUsec": str(US + n),
        "authorExternalChannelId": f"UC{n}",
        "message": {"runs": [{"text": TEXTS[n]}]},
    }
    add = {"addChatItemAction": {"item": {"liveChatTextMessageRenderer": members}}}
    return {"replayChatItemAction": {"actions": [add], "videoOffsetTimeMsec": str(1000 + n)}}


@dataclass(frozen=True)
class Format:
    """A file of COUNT good rows: the bytes of each, joined and wrapped; `key` names a row."""

    source: Source
    rows: list[bytes]
    before: bytes = b""
    between: bytes = b"\n"
    after: bytes = b"\n"
    entity: str = "chat_messages"
    key: str = "text"
    sidecar: tuple[tuple[str, str], ...] = (("channel_id", "9"), ("stream_id", "s"))

    def file(self, rows: list[bytes]) -> bytes:
        return self.before + self.between.join(rows) + self.after


def _json(make: Any) -> list[bytes]:
    return [json.dumps(make(n), ensure_ascii=False).encode() for n in range(COUNT)]


DAYS = [f"Fri Sep {n + 1:02d} 2026,{n}.5,7,800,3".encode() for n in range(COUNT)]
FORMATS = {
    "irc": Format(irc.SOURCE, [irc_line(n).encode() for n in range(COUNT)], between=b"\r\n"),
    "irc json": Format(irc.SOURCE, _json(rustlog), b'{"messages":[', b",", b"]}"),
    "irc ndjson": Format(irc.SOURCE, _json(rustlog)),
    "chat_downloader json": Format(chat_downloader.SOURCE, _json(item), b"[\n", b",\n ", b"\n]"),
    "chat_downloader jsonl": Format(chat_downloader.SOURCE, _json(item)),
    "yt_dlp_live_chat": Format(yt_dlp_live_chat.SOURCE, _json(renderer)),
    "chatterino": Format(
        chatterino.SOURCE,
        [f"[18:00:{n:02d}]  ann: {TEXTS[n]}".encode() for n in range(COUNT)],
        sidecar=(("channel_id", "9"), ("date", "2026-01-31"), ("time_zone", "UTC")),
    ),
    "twitch_dashboard": Format(
        twitch_dashboard.SOURCE,
        DAYS,
        before=b"Date,Average Viewers,Max Viewers,Minutes Streamed,Ad Revenue\n",
        entity="channel_daily_metrics",
        key="metric_date",
        sidecar=(("channel_id", "9"), ("currency", "USD"), ("exported_at", "2026-10-01")),
    ),
}


def parsed(form: Format, content: bytes) -> tuple[dict[Any, dict[str, Any]], int]:
    """Good rows by their key, and how many things were reported."""
    began = time.monotonic()
    good: dict[Any, dict[str, Any]] = {}
    reported = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(content)
        for part in form.source.parse(Export(path, form.source.name, path.name, dict(form.sidecar))):
            assert isinstance(part, Problem | Rows)
            if isinstance(part, Problem):
                assert part.reason
                reported += 1
                continue
            for row in part.table.to_pylist():
                if row[PROBLEM] is not None:
                    reported += 1
                elif part.entity == form.entity:
                    good[row[form.key]] = row
                elif part.entity not in ("channels", "viewers", "streams"):
                    reported += 1  # the row became something else: an event, an action
    assert time.monotonic() - began < SLOW_SECONDS
    return good, reported


def without_place(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != ROW}


@pytest.fixture(scope="module")
def whole() -> dict[str, dict[Any, dict[str, Any]]]:
    """The rows of the sound files."""
    return {name: parsed(form, form.file(form.rows))[0] for name, form in FORMATS.items()}


pieces = st.one_of(
    st.binary(max_size=6),
    st.text('{}[]",:;=@\\\n\r\0 x0', max_size=6).map(str.encode),
    st.sampled_from([b'"', b"}", b"{", b"\xff"]),
)


@pytest.mark.parametrize("name", FORMATS)
def test_every_row_of_a_sound_file_is_read(name: str, whole: dict[str, Any]) -> None:
    form = FORMATS[name]
    assert len(whole[name]) == COUNT
    assert parsed(form, form.file(form.rows))[1] == 0
    assert parsed(form, gzip.compress(form.file(form.rows)))[0].keys() == whole[name].keys()


@pytest.mark.parametrize("name", FORMATS)
@common
@given(data=st.data())
def test_a_row_that_is_damaged_anywhere_costs_no_other_row(
    name: str, whole: dict[str, Any], data: st.DataObject
) -> None:
    form = FORMATS[name]
    number = data.draw(st.integers(0, COUNT - 1), label="row")
    row = form.rows[number]
    at = data.draw(st.integers(0, len(row) - 1), label="at")
    cut = data.draw(st.integers(0, min(12, len(row) - at)), label="bytes taken out")
    damaged = row[:at] + data.draw(pieces, label="bytes put in") + row[at + cut :]
    good, reported = parsed(form, form.file([*form.rows[:number], damaged, *form.rows[number + 1 :]]))
    keys = list(whole[name])
    for other, expected in whole[name].items():
        if other != keys[number]:
            assert other in good, f"row {other} was lost"
            assert without_place(good[other]) == without_place(expected)
    is_there = any(key not in whole[name] or key == keys[number] for key in good)
    assert is_there or reported or not damaged.strip(), "the damaged row vanished without a word"


@pytest.mark.parametrize("name", FORMATS)
@common
@given(data=st.data())
def test_a_file_cut_off_anywhere_keeps_the_rows_before(name: str, whole: dict[str, Any], data: st.DataObject) -> None:
    form = FORMATS[name]
    content = form.file(form.rows)
    end = data.draw(st.integers(len(form.before), len(content) - len(form.after)), label="end")
    good, _ = parsed(form, content[:end])
    left = content[:end].removeprefix(form.before).split(form.between)
    keys = list(whole[name])
    assert {keys[n] for n, row in enumerate(form.rows) if row in left} <= good.keys()


WRONG: list[Any] = [None, 5, -1e300, True, "x", "", [], {}, [[1]], {"a": {"b": 1}}, "2025-99-99", "NaN", 10**30]
MAKERS = {"irc json": rustlog, "chat_downloader json": item, "yt_dlp_live_chat": renderer}


@pytest.mark.parametrize("name", MAKERS)
@common
@given(data=st.data())
def test_a_value_of_another_type_costs_no_other_row(name: str, whole: dict[str, Any], data: st.DataObject) -> None:
    made = MAKERS[name](4)
    path = data.draw(st.sampled_from(_paths(made)), label="member")
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = data.draw(st.sampled_from(WRONG), label="value")
    form = FORMATS[name]
    good, _ = parsed(form, form.file([*form.rows[:4], json.dumps(made).encode(), *form.rows[5:]]))
    for number, (other, expected) in enumerate(whole[name].items()):
        if number != 4:
            assert without_place(good[other]) == without_place(expected)


def _paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in steps for path in ((*above, key), *_paths(inner, (*above, key)))]


@common
@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode), st.binary().map(gzip.compress))
)
def test_no_content_makes_a_parser_raise(content: bytes) -> None:
    for form in FORMATS.values():
        parsed(form, content)


@pytest.mark.parametrize("name", ["irc json", "chat_downloader json", "yt_dlp_live_chat"])
def test_nesting_of_ten_thousand_costs_its_row_only(name: str) -> None:
    form = FORMATS[name]
    deep = b"[" * 10_000 + b"]" * 10_000
    good, reported = parsed(form, form.file([*form.rows[:3], deep, *form.rows[3:]]))
    assert len(good) == COUNT
    assert reported


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_known_by_its_content_and_by_no_other_source(name: str, tmp_path: Path) -> None:
    form = FORMATS[name]
    read = Read(form.source, tmp_path, form.file(form.rows), dict(form.sidecar))
    assert read.what
    assert recognise(tmp_path / "export")[0].name == form.source.name
    head = read_head(tmp_path / "export")
    assert [source.name for source in SOURCES.values() if source.recognise(head)] == [form.source.name]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_give_the_same_rows(encoding: str, whole: dict[str, Any]) -> None:
    form = FORMATS["irc"]
    good, _ = parsed(form, form.file(form.rows).decode().encode(encoding))
    assert good == whole["irc"]


def test_three_tools_give_one_message_one_id(tmp_path: Path) -> None:
    message, ident = "hello there", "6b7c0c7e-5f0a-4a52-9f3f-000000000001"
    sent = datetime(2026, 1, 31, 20, 0, 5)
    ms = 1_769_889_605_000
    path = twitch_chat(tmp_path / "vod.json", [(5, "ann", message)])
    content = path.read_text().replace("100-000001", ident).replace("id-ann", "7")
    line = f"@id={ident};room-id=1;tmi-sent-ts={ms};user-id=7;display-name=Ann :ann!ann@x PRIVMSG #streamer :{message}"
    live = {
        "message_id": ident,
        "message_type": "text_message",
        "action_type": "text_message",
        "timestamp": ms * 1000,
        "channel_id": "1",
        "message": message,
        "author": {"id": "7", "name": "ann", "display_name": "Ann"},
    }
    rows = [
        Read(twitch_downloader.SOURCE, tmp_path, content).messages[0],
        Read(irc.SOURCE, tmp_path, line).messages[0],
        Read(chat_downloader.SOURCE, tmp_path, json.dumps(live)).messages[0],
    ]
    shared = ("platform", "message_id", "channel_id", "viewer_id", "viewer_login", "sent_at", "text", "message_type")
    assert {tuple(row[name] for name in shared) for row in rows} == {
        ("twitch", ident, "1", "7", "ann", sent, message, "chat")
    }


def test_a_cheer_is_one_event_whatever_tool_tells_it(tmp_path: Path) -> None:
    path = twitch_chat(tmp_path / "vod.json", [(5, "ann", "Cheer100 gg"), (6, "ann", "gg")])
    vod = path.read_text().replace("100-000001", "m-1").replace("id-ann", "7")
    tags = "id=m-1;bits=100;room-id=1;tmi-sent-ts=1769889605000;user-id=7"
    line = f"@{tags} :ann!ann@x PRIVMSG #streamer :Cheer100 gg"
    mirrored = line.replace("id=m-1;", "id=m-2;source-room-id=2;source-id=m-3;")
    live = {
        "message_id": "m-1",
        "message_type": "text_message",
        "action_type": "text_message",
        "timestamp": 1_769_889_605_000_000,
        "channel_id": "1",
        "message": "Cheer100 gg",
        "bits": 100,
        "author": {"id": "7", "name": "ann"},
    }
    cheers = [
        Read(twitch_downloader.SOURCE, tmp_path, vod).events,
        Read(irc.SOURCE, tmp_path, f"{line}\n{mirrored}").events,
        Read(chat_downloader.SOURCE, tmp_path, json.dumps(live)).events,
        Read(chat_downloader.SOURCE, tmp_path, json.dumps({**live, "custom_reward_id": "r"})).events,
    ]
    names = ("event_id", "event_type", "channel_id", "viewer_id", "occurred_at", "message_text", "extra")
    cheer = ("m-1", "cheer", "1", "7", datetime(2026, 1, 31, 20, 0, 5), "Cheer100 gg", '{"bits_count":100}')
    assert [[tuple(row[name] for name in names) for row in events] for events in cheers] == [[cheer]] * 4


def test_two_tools_give_one_youtube_message_one_id(tmp_path: Path) -> None:
    shared = ("platform", "message_id", "channel_id", "stream_id", "viewer_id", "sent_at", "text")
    message_item = {**item(0), "author": {"id": "UC0", "name": "Ann"}}
    sidecar = {"channel_id": "UChouse", "stream_id": "vid", "platform": "youtube"}
    rows = [
        Read(yt_dlp_live_chat.SOURCE, tmp_path, json.dumps(renderer(0)), sidecar).messages[0],
        Read(chat_downloader.SOURCE, tmp_path, json.dumps(message_item), sidecar).messages[0],
    ]
    assert len({tuple(row[name] for name in shared) for row in rows}) == 1
