"""What part of a stream a chat file covers: said by the file or its sidecar, cut at midnight, nothing where unsaid."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources.base import Export, Problem, Source
from data_lake.sources.live import chat_text, twitch_downloader, yt_dlp_live_chat
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
