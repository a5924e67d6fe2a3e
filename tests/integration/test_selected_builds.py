"""A run that builds what lies below changed entities, and the clock's models when as_of moved, leaves a full build."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from typing import Any

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.store import ensure_readable
from tests.builders import at, day, message, put, sample, stream
from tests.integration.lakes import build, tables

FIRST = day("2026-01-05")


def follow(observed_at: str, viewer: str) -> dict[str, Any]:
    return {
        "observed_at": at(observed_at), "channel_id": "c1", "viewer_id": viewer, "followed_at": at("2026-01-01 10:00"),
        "is_complete": True,
    }  # fmt: skip


def evening(lake: Layout, on: date, *viewers: str) -> None:
    """A stream with chat and viewers, without a snapshot of it."""
    start = f"{on} 20:00"
    for entity, rows in {
        "chat_messages": [message(f"{on}-{v}", f"{on} 20:10", viewer=v, stream_id=f"s{on}") for v in viewers],
        "viewer_counts": [
            sample(start, len(viewers), stream_id=f"s{on}"),
            sample(f"{on} 20:03", 4, stream_id=f"s{on}"),
        ],
    }.items():
        put(lake, entity, *rows)


def catalogue(lake: Layout, observed: str, *stream_ids: str) -> None:
    """A snapshot of all streams that a source knows, one a channel."""
    rows = [
        stream(s, "2026-01-04 20:00", "2026-01-04 22:00", observed, channel_id=f"c-{s}", title=observed)
        for s in stream_ids
    ]
    put(lake, "streams", *rows, source="twitch_helix")


def differing(lake: Layout, to_day: date) -> list[str]:
    """Tables of the lake's warehouse that a full build as of that day makes otherwise."""
    whole = Layout(lake.root.with_name("whole"))
    shutil.copytree(lake.root / "raw", whole.root / "raw")
    assert build(whole, to_day=to_day).entities is None
    selected, expected = tables(lake), tables(whole)
    assert selected.keys() == expected.keys()
    assert sum(map(len, selected.values())) > 100
    return [name for name in selected if selected[name] != expected[name]]


def test_selected_builds_over_several_days_end_as_a_full_build_does(lake: Layout) -> None:
    for entity in load_contracts():
        ensure_readable(lake, entity)
    put(lake, "channel_owners", {"creator_id": "u1", "channel_id": "c1", "observed_at": at("2026-01-01 00:00")})
    for on in range(3):
        evening(lake, FIRST - timedelta(on), "ann", "bob", "cid")
    catalogue(lake, "2026-01-05 01:00", "old", "gone")
    catalogue(lake, "2026-01-05 02:00", "old")
    # raw/ knows the next day already: what becomes visible when the clock moves counts as changed
    evening(lake, FIRST + timedelta(1), "ann", "dan")
    build(lake, to_day=FIRST)

    moved = build(lake, to_day=FIRST + timedelta(1))
    assert moved.entities == {"chat_messages", "viewer_counts"}

    # An entity with little below it; by now the channel that the last catalogue lacks has left it, says the clock.
    put(lake, "follows", follow("2026-01-20 12:00", "ann"))
    put(lake, "channel_snapshots", {
        "observed_at": at("2026-01-20 12:00"), "channel_id": "c1", "list_name": "followers", "is_complete": True,
    })  # fmt: skip
    later = day("2026-01-20")
    assert build(lake, to_day=later).entities == {"follows", "channel_snapshots"}
    assert differing(lake, later) == []
