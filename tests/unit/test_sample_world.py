"""The sample world: what is promised of it, read from the files it writes as the sources would read them."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml
from polars.testing import assert_frame_equal

from data_lake.ingest import ingest
from data_lake.layout import Layout
from data_lake.sample_world import SampleWorld, write_sample_world
from data_lake.sample_world.live import world
from data_lake.sample_world.live.words import SUBJECTS

TINY = {"scale": 0.02, "days": 30}


@dataclass(frozen=True)
class Written:
    """A tiny world and where it lies."""

    layout: Layout
    world: SampleWorld

    def truth(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(self.layout.truth / f"{table}.parquet")

    def files(self, source: str, containing: str = "") -> list[Path]:
        folder = self.layout.landing / source
        return [p for p in sorted(folder.iterdir()) if p.suffix != ".yml" and containing in p.name]

    def chats(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for path in self.files("twitch_downloader"):
            raw = path.read_bytes()
            yield path, json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)

    def relay_events(self) -> list[dict[str, Any]]:
        by_id: dict[str, dict[str, Any]] = {}
        for path in self.files("streampai", "_stream_events_"):
            for row in _rows(path):
                row["data"] = json.loads(row["data"]) if isinstance(row["data"], str) else row["data"]
                row["inserted_at"] = _time(row["inserted_at"])
                by_id[row["id"]] = row
        return list(by_id.values())


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".csv":
        return pl.read_csv(path, infer_schema=False).to_dicts()
    return [json.loads(line) for line in path.read_text().splitlines()]


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Written:
    layout = Layout(tmp_path_factory.mktemp("tiny"))
    return Written(layout, write_sample_world(layout, **TINY))


def _bytes(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_same_seed_gives_the_same_bytes(tiny: Written, lake: Layout) -> None:
    write_sample_world(lake, **TINY)
    assert _bytes(lake.root) == _bytes(tiny.layout.root)


def test_another_seed_gives_another_world_with_the_same_promises(tiny: Written, lake: Layout) -> None:
    other = Written(lake, write_sample_world(lake, seed=8, **TINY))
    assert other.truth("viewers")["viewer_id"].to_list() != tiny.truth("viewers")["viewer_id"].to_list()
    for table in ("raids", "sanctions", "moments", "churners", "spells"):
        assert other.truth(table).height > 0, table


def test_tiny_world_holds_one_of_everything(tiny: Written) -> None:
    streams = tiny.truth("streams")
    assert streams["creator_id"].n_unique() == 2
    assert streams["channel_id"].n_unique() == 3
    assert {"26_hours", "minute_45"} == set(streams["special"].drop_nulls())
    assert streams["crosses_midnight"].any()
    assert set(tiny.truth("spells")["kind"]) == {"toxic", "copypasta", "spam_bot"}
    kinds = set(tiny.truth("anomalies")["anomaly_type"])
    assert kinds == {"viewer_spike", "viewer_dropoff", "chat_surge", "data_hole"}
    assert tiny.truth("raids").height > 0
    assert tiny.truth("sanctions").filter(pl.col("duration_seconds").is_null()).height > 0
    assert {"duplicate", "late"} <= set(tiny.truth("exports")["note"].drop_nulls())


def test_every_stream_lies_within_the_days_and_one_lasts_26_hours(tiny: Written) -> None:
    streams = tiny.truth("streams")
    assert streams["started_at"].min() >= datetime(2026, 10, 2)
    assert streams["ended_at"].max() < datetime(2026, 11, 1)
    long = streams.filter(pl.col("special") == "26_hours")
    assert (long["ended_at"] - long["started_at"]).to_list() == [timedelta(hours=26)]


def test_chat_of_one_stream_peaks_at_minute_45(tiny: Written) -> None:
    planted = tiny.truth("streams").filter(pl.col("special") == "minute_45")
    chat = next(c for _, c in tiny.chats() if c["video"]["id"] == planted["vod_id"][0])
    minutes = Counter(c["content_offset_seconds"] // 60 for c in chat["comments"])
    (peak, most), (_, second) = minutes.most_common(2)
    assert peak == 45
    assert most > 2 * second


def test_a_tenth_of_the_chatters_writes_more_than_half(tiny: Written) -> None:
    counts = tiny.truth("viewers")["message_count"].sort(descending=True)
    wrote = counts.filter(counts > 0)
    assert wrote.head(wrote.len() // 10 + 1).sum() > wrote.sum() / 2


def test_messages_and_viewers_are_about_as_many_as_asked(tiny: Written) -> None:
    assert tiny.world.counts["chat_messages"] == pytest.approx(8000, rel=0.15)
    assert tiny.world.counts["viewers"] == pytest.approx(120, rel=0.25)


def test_two_tools_export_the_same_twitch_message_in_the_same_second(tiny: Written) -> None:
    by_vod: set[tuple[str, str, datetime]] = set()
    for _, chat in tiny.chats():
        if chat["streamer"]["login"] == "tombrandt":
            start = datetime.fromisoformat(chat["video"]["created_at"]).replace(tzinfo=None)
            for c in chat["comments"]:
                at = start + timedelta(seconds=c["content_offset_seconds"])
                by_vod.add((c["commenter"]["name"], c["message"]["body"], at))
    relayed = [
        (e["data"]["username"].lower(), e["data"]["message"], e["inserted_at"].replace(microsecond=0))
        for e in tiny.relay_events()
        if e["type"] == "chat_message" and e["platform"] == "twitch"
    ]
    shared = sum(row in by_vod for row in relayed)
    # What moderators removed is missing from the VOD: the only difference.
    removed = sum(row not in by_vod for row in relayed)
    assert shared > 1000
    assert 0 < removed < 0.05 * shared


def test_duplicate_export_holds_the_same_messages_under_a_later_title(tiny: Written) -> None:
    snapshots: dict[str, list[dict[str, Any]]] = {}
    for path, chat in tiny.chats():
        chat["exported_at"] = yaml.safe_load((path.parent / f"{path.name}.yml").read_text())["exported_at"]
        snapshots.setdefault(chat["video"]["id"], []).append(chat)
    twice = [sorted(chats, key=lambda c: c["exported_at"]) for chats in snapshots.values() if len(chats) == 2]
    assert twice
    assert all(first["comments"] == second["comments"] for first, second in twice)
    assert all(first["video"]["viewCount"] < second["video"]["viewCount"] for first, second in twice)
    assert any(first["video"]["title"] != second["video"]["title"] for first, second in twice)


def test_relay_exports_overlap_and_one_is_made_in_mid_stream(tiny: Written) -> None:
    open_ended: set[str] = set()
    snapshots: Counter[str] = Counter()
    for path in tiny.files("streampai", "_livestreams_"):
        for row in _rows(path):
            snapshots[row["id"]] += 1
            if row["ended_at"] in (None, ""):
                open_ended.add(row["id"])
    assert open_ended
    assert max(snapshots.values()) >= 2
    assert set(snapshots) == set(tiny.truth("streams")["livestream_id"])


def test_samples_average_to_the_truth_where_nothing_is_missing(tiny: Written) -> None:
    samples: dict[str, dict[datetime, int]] = {}
    for path in tiny.files("streampai", "maraquill_livestream_metrics"):
        for row in _rows(path):
            assert int(row["youtube_viewers"]) == 0
            samples.setdefault(row["livestream_id"], {})[_time(row["created_at"])] = int(row["twitch_viewers"])
    holes = set(tiny.truth("anomalies").filter(pl.col("anomaly_type") == "data_hole")["livestream_id"])
    for row in tiny.truth("streams").filter(pl.col("creator_id").str.starts_with("5b0c")).to_dicts():
        seen = sorted(samples[row["livestream_id"]].items())
        gaps = [b[0] - a[0] for a, b in pairwise(seen)]
        assert (max(gaps) > timedelta(seconds=300)) == (row["livestream_id"] in holes)
        if row["livestream_id"] not in holes:
            mean = sum(v for _, v in seen) / len(seen)
            assert mean == pytest.approx(row["average_viewers"], rel=0.03)


def test_emote_positions_point_at_the_emote_in_code_points(tiny: Written) -> None:
    checked = 0
    for _, chat in tiny.chats():
        for comment in chat["comments"]:
            message = comment["message"]
            assert "".join(f["text"] for f in message["fragments"]) == message["body"]
            named = [f["text"] for f in message["fragments"] if f["emoticon"]]
            # The tool's `end` lies two past the last code point.
            assert [message["body"][e["begin"] : e["end"] - 1] for e in message["emoticons"]] == named
            checked += len(named)
    assert checked > 500


def test_most_words_of_a_subject_window_belong_to_its_subject(tiny: Written) -> None:
    nouns = {noun: s.name for s in SUBJECTS for noun in s.nouns}
    windows = tiny.truth("subjects").filter(pl.col("vod_id").is_not_null()).to_dicts()
    chats = {c["video"]["id"]: c for _, c in tiny.chats()}
    right = checked = 0
    for window in windows:
        chat = chats[window["vod_id"]]
        start = datetime.fromisoformat(chat["video"]["created_at"]).replace(tzinfo=None)
        counted: Counter[str] = Counter()
        for c in chat["comments"]:
            if window["started_at"] <= start + timedelta(seconds=c["content_offset_seconds"]) < window["ended_at"]:
                counted.update(nouns[w] for w in c["message"]["body"].split() if w in nouns)
        if counted.total() >= 10:
            checked += 1
            right += counted.most_common(1)[0][0] == window["subject"]
    assert checked > 20
    assert right / checked > 0.9


def test_a_banned_viewer_never_writes_again(tiny: Written) -> None:
    bans = tiny.truth("sanctions").filter(pl.col("duration_seconds").is_null())
    viewers = {(v["channel_id"], v["viewer_id"]): v["last_message_at"] for v in tiny.truth("viewers").to_dicts()}
    for ban in bans.to_dicts():
        last = viewers.get((ban["channel_id"], ban["viewer_id"]))
        assert last is None or last < ban["occurred_at"]


def test_large_world_writes_the_rows_that_the_sources_read_from_a_small_one(
    lake: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample_world(lake, **TINY)
    ingest(lake)
    monkeypatch.setattr(world, "DIRECT_ABOVE_SCALE", 0.01)
    straight = Layout(tmp_path / "straight")
    write_sample_world(straight, **TINY)
    ingest(straight)
    made_up = {"message_id", "event_id", "action_id", "gift_group_id", "landing_file", "extracted_at", "extra"}
    for entity in ("chat_messages", "stream_events", "viewer_counts", "stream_segments", "moderation_actions"):
        read, written = _raw(lake, entity), _raw(straight, entity)
        columns = [c for c in read.columns if c not in made_up]
        ordered = [
            frame.select(columns).sort([c for c in columns if c not in ("emotes", "badges")])
            for frame in (read, written)
        ]
        assert_frame_equal(*ordered)


def test_large_world_leaves_to_its_files_what_is_not_in_raw(lake: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "DIRECT_ABOVE_SCALE", 0.01)
    straight = Written(lake, write_sample_world(lake, **TINY))
    assert not straight.files("streampai", "livestream_metrics")
    assert not any(chat["comments"] for _, chat in straight.chats())
    assert {e["type"] for e in straight.relay_events()} == {"stream_updated"}


def _raw(layout: Layout, entity: str) -> pl.DataFrame:
    return pl.read_parquet(f"{layout.raw}/{entity}/*/*/*.parquet", hive_partitioning=False)


def test_scale_and_days_out_of_bounds_are_refused(lake: Layout) -> None:
    with pytest.raises(ValueError, match="at most 25"):
        write_sample_world(lake, scale=26)
    with pytest.raises(ValueError, match="at least 14 days"):
        write_sample_world(lake, days=7)
