"""What part of a stream a chat file covers: said by the file or its sidecar, cut at midnight, nothing where unsaid."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources.base import Export, Problem, Source
from data_lake.sources.live import chat_text, chatterino, irc, twitch_downloader, yt_dlp_live_chat
from tests.builders import at, twitch_chat

START = "2026-03-10T22:00:00Z"


def captures(source: Source, path: Path, sidecar: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    parts = list(source.parse(Export(path, source.name, path.name, sidecar or {})))
    return [row for part in parts if not isinstance(part, Problem) and part.entity == "chat_captures"
            for row in part.table.to_pylist()]  # fmt: skip


def vod(folder: Path, **video: Any) -> Path:
    """A chat of a VOD of six hours over midnight, whose file says this of the video as well."""
    path = twitch_chat(folder / "chat.json", [(7_200, "ann", "hi")], start=START)
    content = json.loads(path.read_text())
    content["video"] = {k: v for k, v in {**content["video"], "length": 21_600, **video}.items() if v is not None}
    path.write_text(json.dumps(content))
    return path


def stretches(rows: list[dict[str, Any]]) -> list[tuple[datetime, datetime, bool]]:
    return [(row["covered_from"], row["covered_to"], row["is_complete"]) for row in rows]


def test_a_trimmed_vod_covers_its_part_cut_at_midnight(tmp_path: Path) -> None:
    rows = captures(twitch_downloader.SOURCE, vod(tmp_path, start=3_600, end=10_800))
    assert stretches(rows) == [
        (at("2026-03-10 23:00"), at("2026-03-11 00:00"), False),
        (at("2026-03-11 00:00"), at("2026-03-11 01:00"), False),
    ]
    assert {row["stream_id"] for row in rows} == {"vod:" + json.loads(vod(tmp_path).read_text())["video"]["id"]}


@pytest.mark.parametrize("video", [{"start": 0, "end": 21_600}, {"start": 0, "end": 21_600, "length": None}])
def test_an_untrimmed_vod_covers_all_of_its_stream(tmp_path: Path, video: dict[str, Any]) -> None:
    assert [row["is_complete"] for row in captures(twitch_downloader.SOURCE, vod(tmp_path, **video))] == [True, True]


@pytest.mark.parametrize(
    "video",
    [{"start": None, "end": None}, {"start": 0, "end": 0}, {"start": 900, "end": 300}, {"start": "?", "end": 300},
     {"start": 0, "end": 1e12}, {"start": 0, "end": 1e300}],
)  # fmt: skip
def test_a_file_that_says_no_stretch_covers_nothing(tmp_path: Path, video: dict[str, Any]) -> None:
    assert captures(twitch_downloader.SOURCE, vod(tmp_path, **video)) == []


def chatterino_log(folder: Path, *lines: str) -> Path:
    path = folder / "house-2026-03-10.log"
    path.write_text("\n".join(lines) + "\n")
    return path


BERLIN = {"time_zone": "Europe/Berlin"}
LINE = "[21:15:00] ann: hi"


@pytest.mark.parametrize(
    ("lines", "covered"),
    [
        pytest.param(
            ["# Start logging at 2026-03-10 21:00:00 CET", LINE, "# Stop logging at 2026-03-10 21:30:00 CET"],
            [("20:00", "20:30")],
            id="from start to stop",
        ),
        pytest.param(["# Start logging at 2026-03-10 21:00:00 CET", LINE], [("20:00", "20:15")], id="no stop"),
        pytest.param([LINE, "# Stop logging at 2026-03-10 21:30:00CET"], [("20:15", "20:30")], id="no start"),
        pytest.param(
            ["# Start logging at 2026-03-10 21:00:00 CET", LINE, "[21:20:00] ann: ho",
             "# Start logging at 2026-03-10 22:00:00 CET", "# Stop logging at 2026-03-10 22:10:00 CET"],
            [("20:00", "20:20"), ("21:00", "21:10")],
            id="killed and started again",
        ),
        pytest.param([LINE, "[21:20:00] ann: ho"], [], id="no headings"),
        pytest.param(["# Start logging at 0001-01-01 00:00:00 CET", LINE, "[21:20:00] ann: ho"], [], id="no moment"),
    ],
)  # fmt: skip
def test_the_headings_of_a_chatterino_log_say_what_it_covers(
    tmp_path: Path, lines: list[str], covered: list[tuple[str, str]]
) -> None:
    rows = captures(chatterino.SOURCE, chatterino_log(tmp_path, *lines), BERLIN)
    assert stretches(rows) == [(at(f"2026-03-10 {a}"), at(f"2026-03-10 {b}"), False) for a, b in covered]
    assert {(row["channel_id"], row["stream_id"]) for row in rows} <= {("login:house", None)}


def test_a_heading_of_another_day_than_the_stated_one_says_no_time(tmp_path: Path) -> None:
    path = chatterino_log(tmp_path, "# Start logging at 2026-05-05 21:00:00 CET", LINE, "[21:20:00] ann: ho")
    (row,) = captures(chatterino.SOURCE, path, {**BERLIN, "date": "2026-03-10"})
    assert stretches([row]) == [(at("2026-03-10 20:15"), at("2026-03-10 20:20"), False)]


def spoken(time: str, channel: str = "house") -> str:
    milliseconds = int(at(f"2026-03-10 {time}").replace(tzinfo=UTC).timestamp() * 1000)
    room = {"house": 9, "other": 8}[channel]
    return (f"@badges=;color=;display-name=Ann;emotes=;id={channel}-{time};mod=0;room-id={room};subscriber=0;"
            f"tmi-sent-ts={milliseconds};user-id=7 :ann!ann@ann.tmi.twitch.tv PRIVMSG #{channel} :hi")  # fmt: skip


def moved(command: str, nick: str = "bot", channel: str = "house") -> str:
    return f":{nick}!{nick}@{nick}.tmi.twitch.tv {command} #{channel}"


WELCOME = ":tmi.twitch.tv 001 bot :Welcome, GLHF!"
NAMES = ":bot.tmi.twitch.tv 366 bot #house :End of /NAMES list"


@pytest.mark.parametrize(
    ("lines", "covered"),
    [
        pytest.param(
            [WELCOME, moved("JOIN"), spoken("20:01"), NAMES, spoken("20:30"), moved("PART")],
            {"9": [("20:01", "20:30")]},
            id="from join to part",
        ),
        pytest.param([moved("JOIN"), NAMES, spoken("20:01"), spoken("20:30")], {"9": [("20:01", "20:30")]}, id="names"),
        pytest.param(
            [spoken("20:01"), spoken("20:02"), WELCOME, spoken("20:20", "other"), moved("JOIN"), spoken("20:30"),
             spoken("20:40"), WELCOME, spoken("20:50"), spoken("20:55")],
            {"9": [("20:01", "20:02"), ("20:30", "20:40"), ("20:50", "20:55")]},
            id="connected again",
        ),
        pytest.param(
            [WELCOME, moved("JOIN"), spoken("20:01"), spoken("20:10"), WELCOME, moved("JOIN", channel="other"),
             spoken("20:50", "other"), spoken("20:55", "other")],
            {"9": [("20:01", "20:10")], "8": [("20:50", "20:55")]},
            id="connected to another channel",
        ),
        pytest.param(
            [WELCOME, moved("JOIN"), moved("JOIN", channel="other"), spoken("20:01"), spoken("20:10", "other"),
             moved("PART"), spoken("20:20", "other"), spoken("20:30", "other")],
            {"9": [("20:01", "20:10")], "8": [("20:01", "20:30")]},
            id="two channels of one connection",
        ),
        pytest.param(
            [WELCOME, moved("JOIN"), spoken("20:01"), moved("PART", "ann"), moved("JOIN", "ann"), spoken("20:30")],
            {"9": [("20:01", "20:30")]},
            id="a viewer comes and goes",
        ),
        pytest.param([moved("JOIN"), spoken("20:01"), moved("PART"), spoken("20:30")], {}, id="whose join is not said"),
        pytest.param(
            [WELCOME, moved("JOIN"), spoken("20:01"), spoken("20:02"), WELCOME.replace("bot", "two"), moved("PART")],
            {},
            id="two nicks",
        ),
        pytest.param([spoken("20:01"), spoken("20:30")], {}, id="nothing of the connection"),
    ],
)  # fmt: skip
def test_what_a_connection_says_of_itself_says_what_a_raw_log_covers(
    tmp_path: Path, lines: list[str], covered: dict[str, list[tuple[str, str]]]
) -> None:
    path = tmp_path / "chat.log"
    path.write_text("\r\n".join(lines) + "\r\n")
    rows = captures(irc.SOURCE, path)
    assert {
        channel: stretches([row for row in rows if row["channel_id"] == channel])
        for channel in {row["channel_id"] for row in rows}
    } == {
        channel: [(at(f"2026-03-10 {a}"), at(f"2026-03-10 {b}"), False) for a, b in parts]
        for channel, parts in covered.items()
    }


@pytest.mark.parametrize(
    ("source", "name", "content", "about"),
    [
        (chatterino.SOURCE, "house-2026-03-10.log", f"# Start logging at 2026-03-10 21:00:00 CET\n{LINE}\n", BERLIN),
        (irc.SOURCE, "chat.log", "\n".join([WELCOME, moved("JOIN"), spoken("20:01"), spoken("20:30")]), {}),
    ],
    ids=["chatterino", "irc"],
)
def test_what_a_sidecar_states_stands_before_what_a_log_says(
    tmp_path: Path, source: Source, name: str, content: str, about: dict[str, str]
) -> None:
    path = tmp_path / name
    path.write_text(content)
    stated = {"covered_from": "2026-03-10T19:00:00Z", "covered_to": "2026-03-10T23:30:00Z"}
    (row,) = captures(source, path, about | stated)
    assert stretches([row]) == [(at("2026-03-10 19:00"), at("2026-03-10 23:30"), False)]
    (problem,) = source.parse(Export(path, source.name, name, {**about, "covered_from": "2026-03-10"}))
    assert isinstance(problem, Problem)
    assert "covered_from and covered_to belong together" in problem.reason


def comment(minute: int) -> dict[str, Any]:
    return {
        "_id": f"c{minute}",
        "created_at": f"2026-03-10T20:{minute:02d}:00.000Z",
        "channel_id": "9",
        "content_type": "video",
        "content_id": "77",
        "content_offset_seconds": minute * 60,
        "commenter": {"display_name": "Ann", "_id": "7", "name": "ann"},
        "message": {"body": "hi", "fragments": [{"text": "hi"}], "is_action": False},
    }


@pytest.mark.parametrize("end", [{"_next": "abc"}, {}, {"_next": None}, {"_next": ""}], ids=str)
@pytest.mark.parametrize("form", ["list", "lines", "one page"])
def test_pages_that_end_before_their_vod_cover_the_first_to_the_last_comment(
    tmp_path: Path, form: str, end: dict[str, str | None]
) -> None:
    pages = [{"comments": [comment(5), comment(10)], "_next": "a"}, {"comments": [comment(15), comment(20)], **end}]
    path = tmp_path / "chat.json"
    whole = {"comments": [comment(minute) for minute in (5, 10, 15, 20)], **end}
    path.write_text(
        {"list": json.dumps(pages), "lines": "\n".join(map(json.dumps, pages)), "one page": json.dumps(whole)}[form]
    )
    rows = captures(twitch_downloader.SOURCE, path)
    assert stretches(rows) == ([(at("2026-03-10 20:05"), at("2026-03-10 20:20"), False)] if end.get("_next") else [])
    assert {(row["channel_id"], row["stream_id"]) for row in rows} <= {("9", "vod:77")}


def test_a_sidecar_says_what_a_log_covers(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("[2026-03-10 23:00:05 UTC] ann: hi\n")
    about = {"platform": "twitch", "channel_id": "1"}
    stated = {"covered_from": "2026-03-10T23:00:00Z", "covered_to": "2026-03-10T23:30:00Z"}
    (row,) = captures(chat_text.SOURCE, path, about | stated)
    assert (row["channel_id"], row["stream_id"], row["covered_to"]) == ("1", None, at("2026-03-10 23:30"))
    assert captures(chat_text.SOURCE, path, about) == []


@pytest.mark.parametrize(
    "stated",
    [
        {"covered_from": "2026-03-10T23:00:00Z"},
        {"covered_from": "2026-03-10T23:00:00Z", "covered_to": "2026-03-10T22:00:00Z"},
        {"covered_from": "2026-03-10T23:00:00Z", "covered_to": "2027-03-10T23:00:00Z"},
    ],
)
def test_half_a_stretch_in_a_sidecar_is_a_sentence(tmp_path: Path, stated: dict[str, str]) -> None:
    path = tmp_path / "a.live_chat.json"
    path.write_text("{}\n")
    (problem,) = yt_dlp_live_chat.SOURCE.parse(Export(path, "yt_dlp_live_chat", path.name, stated))
    assert isinstance(problem, Problem)
    assert "covered_from and covered_to belong together" in problem.reason
