"""A start that the rows contradict, by a time zone or because the video is a highlight of an earlier stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources.base import Export, Problem
from data_lake.sources.live import chat_downloader, yt_dlp_live_chat
from data_lake.sources.live.twitch_downloader.reader import read
from tests.builders import at, twitch_chat
from tests.unit.live_formats import Read

WRITTEN = at("2026-03-10 22:00")
OFFSETS = (0, 600, 6_600, 10_200)


def exported(
    folder: Path, start: datetime, written: list[datetime], file_written: str = "2026-03-12T10:00:00Z"
) -> Path:
    """A chat whose video says `start`, and whose comments say that they were written at these times."""
    path = twitch_chat(folder / "chat.json", [(offset, "ann", "hi") for offset in OFFSETS], start=f"{start}Z")
    content = json.loads(path.read_text())
    content["FileInfo"] |= {"CreatedAt": file_written, "UpdatedAt": "0001-01-01T00:00:00"}
    for comment, moment in zip(content["comments"], written, strict=True):
        comment["created_at"] = f"{moment.isoformat()}.25Z"
    path.write_text(json.dumps(content))
    return path


def rows(path: Path) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    found: dict[str, list[dict[str, Any]]] = {}
    problems = []
    for part in read(Export(path, "twitch_downloader", path.name)):
        if isinstance(part, Problem):
            problems.append(part.reason)
        else:
            found.setdefault(part.entity, []).extend(part.table.to_pylist())
    return found, problems


def moments(start: datetime) -> list[datetime]:
    return [start + timedelta(seconds=offset) for offset in OFFSETS]


@pytest.mark.parametrize("hours", [2, -5, 5.5, 14])
def test_a_start_in_local_time_gives_way_to_the_comments(tmp_path: Path, hours: float) -> None:
    path = exported(tmp_path, WRITTEN + timedelta(hours=hours), moments(WRITTEN))
    found, (problem,) = rows(path)
    assert [row["sent_at"] for row in found["chat_messages"]] == moments(WRITTEN)
    assert found["streams"][0]["started_at"] == WRITTEN
    assert f"created_at of the comments is {abs(hours):g} hours {'before' if hours > 0 else 'after'} it" in problem
    assert f"the start was taken to be {WRITTEN}" in problem


def test_comments_in_the_local_time_of_the_file_give_way_to_the_start(tmp_path: Path) -> None:
    path = exported(tmp_path, WRITTEN, moments(WRITTEN + timedelta(hours=2)), "2026-03-12T10:00:00.1234567+02:00")
    found, problems = rows(path)
    assert ([row["sent_at"] for row in found["chat_messages"]], problems) == (moments(WRITTEN), [])


def test_minutes_between_a_vod_and_its_chat_are_no_error(tmp_path: Path) -> None:
    found, problems = rows(exported(tmp_path, WRITTEN, moments(WRITTEN + timedelta(minutes=3))))
    assert (found["chat_messages"][0]["sent_at"], problems) == (WRITTEN, [])


@pytest.mark.parametrize(
    ("cut", "written"),
    [
        ("2026-03-12 09:17", moments(WRITTEN)),
        ("2026-03-11 01:20", moments(WRITTEN)),
        # Two parts of the broadcast, an hour apart.
        ("2026-03-11 02:00", [*moments(WRITTEN)[:2], *moments(WRITTEN + timedelta(hours=1))[2:]]),
    ],
)
def test_a_highlight_is_no_broadcast_and_its_messages_keep_when_they_were_written(
    tmp_path: Path, cut: str, written: list[datetime]
) -> None:
    found, problems = rows(exported(tmp_path, at(cut), written))
    assert [row["sent_at"].replace(microsecond=0) for row in found["chat_messages"]] == written
    assert {(row["stream_id"], row["offset_seconds"]) for row in found["chat_messages"]} == {(None, None)}
    assert {row["channel_id"] for row in found["chat_messages"]} == {"1"}
    assert (found.keys() & {"streams", "stream_segments"}, problems) == (set(), [])


def microseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1e6)


def downloaded(folder: Path, stated: datetime) -> Read:
    """A chat as chat-downloader writes it, beside a sidecar that states when its stream began."""
    items = [
        {
            "message_type": "text_message", "message_id": f"m{offset}", "message": "hi", "channel_id": "1",
            "timestamp": microseconds(WRITTEN + timedelta(seconds=offset)), "time_in_seconds": offset,
            "author": {"id": "7", "name": "ann"},
        }
        for offset in OFFSETS
    ]  # fmt: skip
    content = "\n".join(map(json.dumps, items))
    about = {"platform": "twitch", "channel_id": "1", "vod_id": "5", "stream_started_at": stated}
    return Read(chat_downloader.SOURCE, folder, content, about)


def replayed(folder: Path, stated: datetime) -> Read:
    """The same as yt-dlp writes it."""
    lines = []
    for offset in OFFSETS:
        text = {
            "id": f"m{offset}", "timestampUsec": str(microseconds(WRITTEN + timedelta(seconds=offset))),
            "authorExternalChannelId": "UCann", "message": {"runs": [{"text": "hi"}]},
        }  # fmt: skip
        action = {"addChatItemAction": {"item": {"liveChatTextMessageRenderer": text}}}
        lines.append({"replayChatItemAction": {"actions": [action], "videoOffsetTimeMsec": str(offset * 1000)}})
    content = "\n".join(map(json.dumps, lines)) + "\n"
    about = {"channel_id": "UChouse", "stream_id": "vid", "stream_started_at": stated}
    return Read(yt_dlp_live_chat.SOURCE, folder, content, about, "chat.live_chat.json")


@pytest.mark.parametrize("form", [downloaded, replayed])
def test_a_start_stated_in_local_time_is_corrected_and_said(tmp_path: Path, form: Callable[..., Read]) -> None:
    parsed = form(tmp_path, WRITTEN + timedelta(hours=2))
    assert [row["sent_at"] for row in parsed.messages] == moments(WRITTEN)
    assert [row["started_at"] for row in parsed.rows("streams")] == [WRITTEN]
    (problem,) = parsed.problems
    assert "is a local time: messages were written 2 hours before it" in problem.reason


@pytest.mark.parametrize(("form", "started_at"), [(downloaded, None), (replayed, WRITTEN)])
def test_a_start_stated_for_a_highlight_is_left_out_and_said(
    tmp_path: Path, form: Callable[..., Read], started_at: datetime | None
) -> None:
    parsed = form(tmp_path, at("2026-03-12 09:17"))
    assert [row["sent_at"] for row in parsed.messages] == moments(WRITTEN)
    assert [row["started_at"] for row in parsed.rows("streams")] == [started_at]
    (problem,) = parsed.problems
    assert f"which by their offsets begin at {WRITTEN}" in problem.reason


@pytest.mark.parametrize("form", [downloaded, replayed])
def test_a_start_that_is_true_stands(tmp_path: Path, form: Callable[..., Read]) -> None:
    parsed = form(tmp_path, WRITTEN + timedelta(seconds=20))
    assert [row["started_at"] for row in parsed.rows("streams")] == [WRITTEN + timedelta(seconds=20)]
    assert not parsed.problems
