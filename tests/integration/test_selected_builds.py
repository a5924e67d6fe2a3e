"""What lies below changed entities and what reads a clock that moved is built: that leaves what a full build leaves.

Below models that read the clock nothing needs to run for its sake: where a move of it changes which snapshots are
complete, the plan asks for every model.
"""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from typing import Any

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.planning import Plan, begin_build, end_build, plan
from data_lake.store import ensure_readable
from orchestration.assets.marts import dbt_vars
from tests.builders import at, day, message, put, sample, stream
from tests.integration.lakes import UNTESTED, dbt, tables

DATA = (*UNTESTED, "--exclude", "fqn:insights")
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
    put(lake, "streams", *rows, source="helix_videos")


def build(lake: Layout, to_day: date, *, whole: bool = False) -> Plan:
    """Build as a run does: the plan's days, and of the models those that its entities and its clock call for."""
    todo = plan(lake, "code", to_day=to_day)
    assert todo is not None
    select: list[str] = []
    if todo.entities is not None and not whole:
        select = ["--select", *(f"source:raw.{entity}+" for entity in sorted(todo.entities))]
        select += ["tag:as_of"] if todo.as_of_moved else []
    begin_build(lake, todo, [])
    done, results = dbt(lake, "build", *select, *DATA, variables=dbt_vars(todo, None if whole else ()))
    assert done.success, done.error
    assert bool(select) == (len(results) < 90)
    end_build(lake, todo)
    return todo


def differing(lake: Layout, to_day: date) -> list[str]:
    """Tables of the lake's warehouse that a full build as of that day makes otherwise."""
    whole = Layout(lake.root.with_name("whole"))
    shutil.copytree(lake.root / "raw", whole.root / "raw")
    build(whole, to_day, whole=True)
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
    catalogue(lake, "2026-01-04 23:00", "old", "gone")
    catalogue(lake, "2026-01-05 02:00", "old")
    # raw/ knows the next day already: what becomes visible when the clock moves counts as changed
    evening(lake, FIRST + timedelta(1), "ann", "dan")
    build(lake, FIRST)
    assert len(tables(lake)["stg_incomplete_snapshots"]) == 1

    moved = build(lake, FIRST + timedelta(1))
    assert moved.entities == {"chat_messages", "viewer_counts"}

    # an entity with little below it, and a clock that moves over the days between
    put(lake, "follows", follow("2026-01-09 12:00", "ann"))
    followers = {"channel_id": "c1", "list_name": "followers", "is_complete": True}
    put(lake, "channel_snapshots", {**followers, "observed_at": at("2026-01-09 12:00")})
    later = day("2026-01-09")
    assert build(lake, later).entities == {"follows", "channel_snapshots"}
    assert differing(lake, later) == []

    # a week after a channel was last in a snapshot it has left, and the snapshots without it are complete
    left = plan(lake, "code", to_day=day("2026-01-20"))
    assert left is not None
    assert left.entities is None
