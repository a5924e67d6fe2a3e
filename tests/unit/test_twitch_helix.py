"""Pull files of Twitch lists, whole and damaged, to rows."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_lake.sources import SOURCES, recognise
from data_lake.sources.base import PROBLEM, Export, Problem, Rows
from data_lake.sources.live.twitch_helix import SOURCE
from data_lake.sources.reading.blocks import read_head
from tests.helix_rows import followers, live, subscriber

BEGAN = "2026-03-01T12:00:00Z"
REQUEST = {"kind": "request", "endpoint": "channels/followers", "channel_id": "1", "requested_at": BEGAN}
END = {"kind": "end", "finished_at": "2026-03-01T12:01:00Z", "rows": 3, "total": 3, "is_complete": True}


def page(*rows: Any, endpoint: str = "channels/followers", **body: Any) -> dict[str, Any]:
    call = {"endpoint": endpoint, "method": "GET", "requested_at": "2026-03-01T12:00:01Z", "retry_count": 0}
    line = {"kind": "page", "params": {"broadcaster_id": "1"}, "received_at": "2026-03-01T12:00:02Z", "status": 200}
    return {**line, "calls": [{**call, "status": 200}], "body": {"data": list(rows), **body}}


def pull_file(path: Path, *lines: Any) -> Path:
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines), encoding="utf-8")
    return path


def read(path: Path) -> tuple[dict[str, list[dict[str, Any]]], list[Problem]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    problems = []
    for part in SOURCE.parse(Export(path, "twitch_helix", path.name, {"exported_at": BEGAN})):
        if isinstance(part, Rows):
            assert part.entity in SOURCE.entities
            rows.setdefault(part.entity, []).extend(part.table.to_pylist())
        else:
            problems.append(part)
    return rows, problems


def test_a_pull_file_is_recognised_by_its_request(tmp_path: Path) -> None:
    path = pull_file(tmp_path / "f", REQUEST)
    assert SOURCE.recognise(read_head(path)) == "a pull of Twitch channels/followers"
    assert SOURCE.recognise(read_head(pull_file(path, '{"kind": "request"'))) is None
    assert SOURCE.recognise(read_head(pull_file(path, {**REQUEST, "endpoint": "elsewhere"}))) is None


def test_a_pull_of_videos_is_a_pull_although_it_holds_pages_of_videos(tmp_path: Path) -> None:
    video = {"id": "1", "user_id": "9", "user_login": "ann", "published_at": BEGAN, "viewable": "public"}
    request, answer = {**REQUEST, "endpoint": "videos"}, page({**video, "duration": "1m"}, endpoint="videos")
    path = pull_file(tmp_path / "f", request, answer)
    assert SOURCES["helix_videos"].recognise(read_head(path))
    assert recognise(path)[0] is SOURCE


def test_all_rows_of_a_snapshot_share_its_moment(tmp_path: Path) -> None:
    one, two, three = followers(3)
    found, problems = read(pull_file(tmp_path / "f", REQUEST, page(one, two, total=3), page(two, three, total=3), END))
    assert problems == []
    moment = datetime(2026, 3, 1, 12)
    assert {(r["viewer_id"], r["observed_at"], r["is_complete"]) for r in found["follows"]} == {
        ("1", moment, True), ("2", moment, True), ("3", moment, True),
    }  # fmt: skip
    (snapshot,) = found["channel_snapshots"]
    assert (snapshot["row_count"], snapshot["total_count"], snapshot["ended_at"]) == (
        3,
        3,
        datetime(2026, 3, 1, 12, 0, 2),
    )


def test_a_file_without_its_end_is_an_incomplete_snapshot(tmp_path: Path) -> None:
    found, _ = read(pull_file(tmp_path / "f", REQUEST, page(*followers(2), total=3)))
    assert {r["is_complete"] for r in found["follows"] + found["channel_snapshots"]} == {False}


def test_samples_of_viewers_are_seen_when_their_page_came(tmp_path: Path) -> None:
    request = {**REQUEST, "endpoint": "streams", "channel_id": None}
    found, _ = read(pull_file(tmp_path / "f", request, page(live("1", "s1", 40), endpoint="streams")))
    (sample,) = found["viewer_counts"]
    assert (sample["observed_at"], sample["viewer_count"]) == (datetime(2026, 3, 1, 12, 0, 2), 40)
    assert "channel_snapshots" not in found


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("followed_at", "yesterday", 'followed_at: "yesterday" is not a time'),
        ("user_id", {"a": 1}, 'user_id: {"a": 1} is not text'),
    ],
)
def test_a_row_that_cannot_be_read_is_one_bad_row(tmp_path: Path, field: str, value: Any, reason: str) -> None:
    one, two = followers(2)
    found, _ = read(pull_file(tmp_path / "f", REQUEST, page({**one, field: value}, two), END))
    assert [r[PROBLEM] for r in found["follows"]] == [reason, None]
    assert [r["viewer_id"] for r in found["viewers"]] == ["2"]


def test_unknown_fields_go_to_extra_and_an_address_nowhere(tmp_path: Path) -> None:
    row = {**subscriber(1), "is_loyal": True, "email": "someone@example.org"}
    rows, _ = read(pull_file(tmp_path / "f", {**REQUEST, "endpoint": "subscriptions"}, page(row)))
    assert json.loads(rows["subscriptions"][0]["extra"]) == {"is_loyal": True}


def test_nesting_without_end_costs_its_line_only(tmp_path: Path) -> None:
    deep = '{"kind": "page", "body": ' + "[" * 20_000 + "]" * 20_000 + "}"
    rows, problems = read(pull_file(tmp_path / "f", REQUEST, deep, page(*followers(2)), END))
    assert len(rows["follows"]) == 2
    assert [p.row for p in problems] == [2]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["user_id", "user_login", "followed_at", "user_name", "new"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    line=st.one_of(
        st.text(max_size=40).map(lambda s: s.replace("\n", " ")),
        JUNK.map(lambda v: json.dumps(v)),
        st.tuples(FIELDS, JUNK).map(lambda kv: json.dumps(page({**followers(1)[0], kv[0]: kv[1]}))),
        JUNK.map(lambda v: json.dumps({**page(), "body": v, "calls": v, "received_at": v})),
        JUNK.map(lambda v: json.dumps(page(v, total=v))),
    ),
    place=st.integers(0, 3),
)
def test_damage_to_one_line_loses_no_row_of_another(tmp_path: Path, line: str, place: int) -> None:
    whole: list[Any] = [REQUEST, page(*followers(5)[1:3]), page(*followers(5)[3:])]
    whole.insert(place, line)
    path = tmp_path / "f"
    text = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in whole)
    path.write_bytes(text.encode("utf-8", "replace"))
    found, _ = read(path)
    good = Counter(r["viewer_id"] for r in found["follows"] if r[PROBLEM] is None)
    assert all(good[n] >= 1 for n in "2345")


def test_a_lost_request_line_costs_no_row(tmp_path: Path) -> None:
    found, problems = read(pull_file(tmp_path / "f", '{"kind": "reque', page(*followers(3)), END))
    assert [p.row for p in problems] == [1]
    assert [(r["viewer_id"], r["channel_id"], r["observed_at"]) for r in found["follows"]] == [
        (str(n), "1", datetime(2026, 3, 1, 12)) for n in (1, 2, 3)
    ]
