"""Helix GET /videos: archives become snapshots of streams, everything else snapshots of videos."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_lake.contracts import contract
from data_lake.sources.base import Export, Problem
from data_lake.sources.live.helix_videos import SOURCE
from data_lake.sources.reading.blocks import read_head


def video(**changes: Any) -> dict[str, Any]:
    """A video as Helix gives it."""
    return {
        "id": "11",
        "stream_id": "900",
        "user_id": "5",
        "user_login": "House",
        "user_name": "HOUSE",
        "title": "Night",
        "description": "",
        "created_at": "2026-01-01T20:00:00Z",
        "published_at": "2026-01-01T20:00:00Z",
        "viewable": "public",
        "view_count": 7,
        "language": "en",
        "type": "archive",
        "duration": "3h21m33s",
        **changes,
    }


class Read:
    def __init__(self, path: Path, content: Any) -> None:
        page = path / "page.json"
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        page.write_bytes(content.encode() if isinstance(content, str) else content)
        self.problems: list[str] = []
        self.rows: dict[str, list[dict[str, Any]]] = {entity: [] for entity in SOURCE.entities}
        for part in SOURCE.parse(Export(page, "helix_videos", page.name)):
            if isinstance(part, Problem):
                self.problems.append(part.reason)
                continue
            for column in part.table.schema:
                if not column.name.startswith("_"):
                    part.table.column(column.name).cast(contract(part.entity).arrow_schema.field(column.name).type)
            self.rows[part.entity] += part.table.to_pylist()

    @property
    def streams(self) -> list[dict[str, Any]]:
        return [row for row in self.rows["streams"] if not row["_problem"]]

    @property
    def bad(self) -> list[dict[str, Any]]:
        return [row for row in self.rows["streams"] if row["_problem"]]


def said(row: Mapping[str, Any], **expected: Any) -> bool:
    return {key: row[key] for key in expected} == expected


def page(*videos: dict[str, Any]) -> dict[str, Any]:
    return {"data": list(videos), "pagination": {"cursor": "x"}}


@pytest.mark.parametrize(
    "content",
    [
        [video(), video(id="12", stream_id="901")],
        page(video(), video(id="12", stream_id="901")),
        {"pagination": {}, "data": [video(), video(id="12", stream_id="901")]},
        [page(video()), page(video(id="12", stream_id="901"))],
        "\n".join(json.dumps(page(v)) for v in (video(), video(id="12", stream_id="901"))),
    ],
)
def test_pages_come_in_several_shapes(tmp_path: Path, content: Any) -> None:
    read = Read(tmp_path, content)
    assert [row["stream_id"] for row in read.streams] == ["900", "901"]
    assert (read.problems, read.bad) == ([], [])


def test_an_archive_is_a_snapshot_of_its_stream_and_its_channel(tmp_path: Path) -> None:
    read = Read(tmp_path, page(video()))
    (stream,), (channel,) = read.streams, read.rows["channels"]
    assert said(
        stream,
        platform="twitch",
        stream_id="900",
        channel_id="5",
        vod_id="11",
        vod_view_count=7,
        title="Night",
        duration_seconds=12_093.0,
        started_at=datetime(2026, 1, 1, 20),
        ended_at=datetime(2026, 1, 1, 23, 21, 33),
        is_rerun=False,
    )
    assert said(channel, platform="twitch", channel_id="5", login="house", display_name="HOUSE")
    assert json.loads(stream["extra"]) == {"description": "", "viewable": "public"}


@pytest.mark.parametrize("missing", [None, "", "0"])
def test_without_a_stream_id_the_stream_is_known_by_its_vod(tmp_path: Path, missing: str | None) -> None:
    assert Read(tmp_path, [video(stream_id=missing)]).streams[0]["stream_id"] == "vod:11"


@pytest.mark.parametrize(
    ("duration", "seconds"), [("45s", 45.0), ("2m0s", 120.0), ("47h59m1s", 172_741.0), ("1h", 3600.0)]
)
def test_durations_of_every_length_are_read(tmp_path: Path, duration: str, seconds: float) -> None:
    assert Read(tmp_path, [video(duration=duration)]).streams[0]["duration_seconds"] == seconds


@pytest.mark.parametrize(
    ("title", "is_rerun"),
    [
        ("RERUN: a vs b", True),
        ("(Rebroadcast) Day 3", True),
        ("a vs b [re-run]", True),
        ("Prerunners", False),
        (None, False),
    ],
)
def test_reruns_are_known_by_their_title(tmp_path: Path, title: str | None, is_rerun: bool) -> None:
    assert Read(tmp_path, [video(title=title)]).streams[0]["is_rerun"] is is_rerun


def test_uploads_and_highlights_are_videos_and_no_streams(tmp_path: Path) -> None:
    read = Read(tmp_path, [video(), video(id="12", type="highlight"), video(id="13", type="upload", stream_id=None)])
    assert len(read.streams) == 1
    assert [(v["video_id"], v["video_type"], v["stream_id"], v["view_count"]) for v in read.rows["videos"]] == [
        ("12", "highlight", "900", 7),
        ("13", "upload", None, 7),
    ]


def test_an_archive_cut_into_parts_is_one_stream(tmp_path: Path) -> None:
    later = video(id="12", created_at="2026-01-01T23:30:00Z", duration="1h", view_count=2, title="Night, part 2")
    (stream,) = Read(tmp_path, [later, video(), video()]).streams
    assert said(
        stream,
        vod_id="11",
        title="Night",
        started_at=datetime(2026, 1, 1, 20),
        ended_at=datetime(2026, 1, 2, 0, 30),
        duration_seconds=15_693.0,
        vod_view_count=9,
    )
    assert json.loads(stream["extra"]) == {"vod_ids": ["11", "12"]}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": None}, "id is missing"),
        ({"user_id": ""}, "user_id is missing"),
        ({"duration": "3:21:33"}, "duration: '3:21:33' is not like 3h21m33s"),
        ({"duration": ""}, "duration: '' is not like 3h21m33s"),
        ({"created_at": "yesterday"}, "created_at: 'yesterday' is not a time"),
        ({"view_count": "many"}, "view_count: 'many' is not a number"),
    ],
)
def test_a_video_that_cannot_be_read_is_a_bad_row(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    read = Read(tmp_path, [video(id="10", stream_id="899"), video(**changes), video(id="12", stream_id="901")])
    assert [row["stream_id"] for row in read.streams] == ["899", "901"]
    assert [(row["_row"], row["_problem"]) for row in read.bad] == [(2, problem)]
    assert json.loads(read.bad[0]["_text"]) == video(**changes)


@pytest.mark.parametrize(
    "content", ["", "nothing", "{}", '{"data": 5}', '{"error": "Unauthorized", "status": 401}', "[5]"]
)
def test_a_file_without_videos_says_so(tmp_path: Path, content: str) -> None:
    read = Read(tmp_path, content)
    assert not read.streams
    assert read.problems or read.bad


def test_videos_are_recognised_by_their_members(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(page(video())))
    assert SOURCE.recognise(read_head(file)) == "Twitch videos (Helix GET /videos)"
    file.write_text('{"data": [{"id": "1"}]}')
    assert SOURCE.recognise(read_head(file)) is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=30), place=st.integers(0, 4))
def test_a_corrupted_video_never_raises_and_leaves_the_others(tmp_path: Path, noise: bytes, place: int) -> None:
    parts = [json.dumps(video(id=str(n), stream_id=str(900 + n))).encode() for n in range(4)]
    broken = b'{"id": "x", ' + noise.replace(b'"', b"").replace(b"\\", b"") + b"}"
    parts.insert(place, broken)
    read = Read(tmp_path, b"[" + b",\n".join(parts) + b"]")
    assert {"900", "901", "902", "903"} <= {row["stream_id"] for row in read.streams}


def test_the_real_pages_are_read_whole(real_data: Path, tmp_path: Path) -> None:
    files = sorted((real_data / "helix_videos").glob("*_vids.json"))
    reads = [Read(tmp_path, file.read_bytes()) for file in files]
    assert all((read.problems, read.bad) == ([], []) for read in reads)
    streams = [stream for read in reads for stream in read.streams]
    assert len(files) == len({row["channel_id"] for read in reads for row in read.rows["channels"]}) == 9
    parts = sum(len(json.loads(s["extra"]).get("vod_ids", "1")) for s in streams)
    assert (parts, len(streams), len({s["stream_id"] for s in streams})) == (5954, 5946, 5946)
    assert [s["stream_id"] for s in streams if s["stream_id"].startswith("vod:")] == ["vod:38126346"]


def test_files_read_side_by_side_do_not_meet(tmp_path: Path) -> None:
    """Ingest reads several files at a time, and all of them in one database."""

    def videos(number: int) -> list[str]:
        folder = tmp_path / str(number)
        folder.mkdir()
        page = {"data": [video(id=str(number * 100 + n), stream_id=None, type="upload") for n in range(20)]}
        return sorted(row["video_id"] for row in Read(folder, page).rows["videos"])

    with ThreadPoolExecutor(4) as readers:
        results = list(readers.map(videos, range(1, 41)))
    assert results == [sorted(str(number * 100 + n) for n in range(20)) for number in range(1, 41)]
