"""Features know nothing of what came after their cut-off: neither erasing nor adding later rows changes a byte."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from data_lake.layout import Layout
from tests.builders import at, day, put, sample, stream
from tests.integration.lakes import build, dbt, query_built

Row = dict[str, Any]
World = dict[str, list[Row]]

FEATURES = ("feat_viewers", "feat_channel_days", "feat_stream_starts")
START = at("2026-01-01 22:30")
WEEKS = 12
# A Monday whose stream goes on into Tuesday: the cut-off lies in the middle of it, of its sessions and its samples.
AS_OF = day("2026-03-02")
MOMENT = {
    "chat_messages": "sent_at",
    "viewer_counts": "observed_at",
    "stream_events": "occurred_at",
    "streams": "observed_at",
    "viewers": "observed_at",
    "channels": "observed_at",
    "channel_owners": "observed_at",
    "scheduled_streams": "observed_at",
}


def a_world(chance: random.Random, first: datetime, weeks: int, name: str) -> World:
    """A stream of three hours over midnight every second day, with chat, samples, events and snapshots."""
    world: World = {entity: [] for entity in MOMENT}
    for number in range(weeks * 7 // 2):
        started = first + timedelta(days=2 * number)
        stream_id = f"{name}{number}"
        ended = started + timedelta(hours=3)
        world["streams"].append(stream(stream_id, str(started), str(ended), str(ended + timedelta(hours=1))))
        for minute in range(0, 180, 3):
            moment = started + timedelta(minutes=minute, seconds=chance.randrange(60))
            world["viewer_counts"].append(sample(str(moment), chance.randrange(5, 90), stream_id=stream_id))
        for count in range(40):
            moment = started + timedelta(seconds=chance.randrange(3 * 3600))
            viewer = chance.choice(["1", "2", "3", "4", "5", "6", "7", "8", "login:ann", "9"])
            row = {"message_id": f"{stream_id}-{count}", "sent_at": moment, "channel_id": "c1", "stream_id": stream_id}
            world["chat_messages"].append({**row, "viewer_id": viewer, "text": "hi", "message_type": "chat"})
            if chance.random() < 0.2:
                kind = chance.choice(["follow", "donation", "subscription", "gift", "raid"])
                money = {"amount": chance.randrange(1, 50), "currency": "EUR"} if kind == "donation" else {}
                event = {
                    "event_id": f"{stream_id}-{count}",
                    "occurred_at": moment,
                    "channel_id": "c1",
                    "month_count": 3,
                }
                world["stream_events"].append(
                    {**event, "stream_id": stream_id, "viewer_id": viewer, "event_type": kind, **money}
                )
        snapshot = {
            "observed_at": ended,
            "viewer_id": chance.choice(["1", "2", "3"]),
            "login": chance.choice(["ann", "bob"]),
        }
        world["viewers"].append({**snapshot, "is_bot": chance.random() < 0.05})
        world["channels"].append({"channel_id": "c1", "observed_at": ended, "follower_count": chance.randrange(900)})
        plan = {"channel_id": "c1", "segment_id": "plan", "starts_at": started + timedelta(days=2)}
        world["scheduled_streams"].append(
            {**plan, "observed_at": ended, "category_name": chance.choice(["Chess", "Go"])}
        )
    # who owns a channel says which row a feature is in, and is known from the start
    owner = {"creator_id": "u1", "channel_id": "c1", "observed_at": START, "time_zone": "Europe/Berlin"}
    world["channel_owners"].append(owner)
    return world


def burst(chance: random.Random, midnight: datetime, stream_id: str) -> list[Row]:
    """A bot's pace in the minutes around midnight: only the next day says that the day before saw a bot."""
    return [
        {
            "message_id": f"burst-{n}", "sent_at": midnight + timedelta(seconds=5 * (n - 12) / 2), "viewer_id": "9",
            "channel_id": "c1", "stream_id": stream_id, "text": chance.choice("abc"), "message_type": "chat",
        }
        for n in range(120)
    ]  # fmt: skip


def write(lake: Layout, world: World) -> None:
    for entity, rows in world.items():
        put(lake, entity, *rows)


def until(world: World, days: int = 0) -> World:
    end = datetime.combine(AS_OF, datetime.min.time()) + timedelta(days=1 + days)
    return {entity: [row for row in rows if row[MOMENT[entity]] < end] for entity, rows in world.items()}


def features(lake: Layout) -> dict[str, set[str]]:
    """The features up to the cut-off, as text: every digit of every number.

    A broadcast that is on air at the cut-off is left out: when it began, its own cut-off, is said by a later snapshot.
    """
    end = {"feat_stream_starts": AS_OF - timedelta(days=1)}
    rows = "select to_json(t)::text from {} as t where as_of_date <= date '{}'"
    return {
        table: {row for (row,) in query_built(lake, rows.format(table, end.get(table, AS_OF)))} for table in FEATURES
    }


def changed(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, list[str]]:
    """Rows that are in one of the two only, some of them."""
    return {table: sorted(before[table] ^ after[table])[:4] for table in FEATURES if before[table] != after[table]}


@pytest.fixture(scope="module")
def world() -> World:
    chance = random.Random(4)
    world = a_world(chance, START, WEEKS, "s")
    midnight = datetime.combine(AS_OF, datetime.min.time()) + timedelta(days=1)
    world["chat_messages"] += burst(chance, midnight, f"s{(midnight - START).days // 2}")
    return world


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory, world: World) -> Layout:
    lake = Layout(tmp_path_factory.mktemp("features") / "lake")
    write(lake, until(world))
    build(lake, to_day=AS_OF)
    return lake


def test_rows_after_the_cut_off_change_no_feature(erased: Layout, world: World) -> None:
    before = features(erased)
    assert all(len(rows) > 20 for rows in before.values())

    later = datetime.combine(AS_OF, START.time()) + timedelta(days=1, minutes=17)
    noise = a_world(random.Random(5), later, 3, "noise")
    noise["streams"].append(stream("s29", "2026-02-28 22:30", "2026-03-01 01:30", "2026-03-20 09:00", title="another"))
    mixed = {entity: rows + [r for r in noise[entity] if r[MOMENT[entity]] >= later] for entity, rows in world.items()}
    mixed["viewers"].append({"observed_at": later, "viewer_id": "8", "login": "ann", "is_bot": True})
    # when a row was ingested plays no part either
    mixed["chat_messages"] = [{**row, "extracted_at": at("2027-01-01 00:00")} for row in mixed["chat_messages"]]
    write(erased, mixed)
    build(erased)
    assert query_built(erased, "select max(as_of_date) from feat_viewers") > [(AS_OF,)]
    assert query_built(erased, "select count(*) from fct_chat_messages where stream_id like 'noise%'") > [(0,)]
    assert not changed(before, features(erased))


def test_a_feature_that_would_be_computed_otherwise_now_fails_the_audit(erased: Layout) -> None:
    def recomputed() -> str:
        _, results = dbt(erased, "test", "--select", "test_name:same_recomputed")
        (result,) = results.values()
        return result.status

    assert recomputed() == "pass"
    with duckdb.connect(str(erased.warehouse)) as warehouse:
        warehouse.execute("update feat_viewers set message_count_28d = message_count_28d + 1")
    assert recomputed() == "fail"
