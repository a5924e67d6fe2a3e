"""Whole runs: whatever the order and the slices in which rows arrive, the same tables come out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest

from data_lake.contracts import contract
from data_lake.layout import Layout
from data_lake.publish import current_version
from data_lake.store import write_partition
from tests.builders import at, day, message, put, rows_of, sample, stream
from tests.integration.lakes import published, query, run, run_well

Row = dict[str, Any]

# Two streams on Twitch, one over midnight; two tools exported the chat, and on the last day somebody looked again.
DAYS = [day(f"2026-01-{n}") for n in (28, 29, 30, 31)]
MESSAGES = [
    *[message(f"m{n}", f"2026-01-28 23:{n:02}:05", f"text {n}", f"v{n % 3}", stream_id=None) for n in range(50, 60)],
    *[message(f"n{n}", f"2026-01-29 00:{n:02}:05", f"text {n}", f"v{n % 4}", stream_id=None) for n in range(0, 10)],
    *[message(f"p{n}", f"2026-01-30 20:{n:02}:05", f"text {n}", f"v{n % 5}", stream_id="s2") for n in range(0, 20)],
]
COPIES = [
    {**row, "message_id": f"streampai:{row['message_id']}", "sent_at": row["sent_at"].replace(microsecond=5000)}
    for row in MESSAGES[8:14]
]
SAMPLES = [
    *[sample(f"2026-01-28 23:{n:02}", 10 + n, stream_id="s1") for n in range(50, 60)],
    *[sample(f"2026-01-29 00:{n:02}", 70 - n, stream_id="s1") for n in range(0, 10, 2)],
    *[sample(f"2026-01-30 20:{n:02}", 100, stream_id="s2") for n in range(0, 20, 3)],
]
LOOKS = [
    stream("s1", "2026-01-28 23:50", "2026-01-29 00:12"),
    stream("s2", "2026-01-30 20:00", "2026-01-30 20:20"),
    stream("s1", "2026-01-28 23:50", "2026-01-29 00:08", "2026-01-31 09:00", title="another title"),
]
ENTITIES: dict[tuple[str, str], list[Row]] = {
    ("chat_messages", "twitch_downloader"): MESSAGES,
    ("chat_messages", "streampai"): COPIES,
    ("viewer_counts", "streampai"): SAMPLES,
    ("streams", "streampai"): LOOKS,
}


def day_of(entity: str, row: Row) -> date:
    moment = row[contract(entity).event_time]
    return moment.date()  # type: ignore[no-any-return]


def arrive(lake: Layout, wanted: Callable[[str, date], bool]) -> None:
    for (entity, source), rows in ENTITIES.items():
        due = [row for row in rows if wanted(entity, day_of(entity, row))]
        if due:
            put(lake, entity, *due, source=source)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    lake = Layout(tmp_path_factory.mktemp("once") / "lake")
    arrive(lake, lambda *_: True)
    run_well(lake)
    return lake


def test_a_run_a_day_ends_in_the_same_tables(at_once: Layout, lake: Layout) -> None:
    for now in DAYS:
        arrive(lake, lambda _, when, now=now: when == now)  # type: ignore[misc]
        run_well(lake, from_day=now, to_day=now)
    assert published(lake) == published(at_once)


def test_shuffled_days_with_looks_that_come_last_end_in_the_same_tables(at_once: Layout, lake: Layout) -> None:
    for now in (DAYS[2], DAYS[0], DAYS[1]):
        arrive(lake, lambda entity, when, now=now: entity != "streams" and when == now)  # type: ignore[misc]
        run_well(lake, from_day=now, to_day=now)
    assert query(lake, "select count(*) from fct_chat_messages") == [(40,)]
    arrive(lake, lambda entity, _: entity == "streams")
    run_well(lake)
    assert published(lake) == published(at_once)


def test_a_rebuilt_warehouse_and_a_second_run_change_nothing(at_once: Layout) -> None:
    before = published(at_once)
    run_well(at_once)
    assert published(at_once) == before
    run_well(at_once, rebuild="warehouse")
    assert published(at_once) == before


def test_the_lake_as_of_a_day_holds_nothing_later_and_comes_back(at_once: Layout) -> None:
    before = published(at_once)
    run_well(at_once, to_day=DAYS[1])
    assert query(at_once, "select max(event_date)::varchar from fct_chat_messages") == [("2026-01-29",)]
    assert query(at_once, "select title from fct_streams") == [("a title",)]
    run_well(at_once)
    assert published(at_once) == before


def test_one_message_from_two_tools_counts_once_also_over_midnight(at_once: Layout) -> None:
    assert query(at_once, "select count(*), count(*) filter (contains(message_id, ':')) from fct_chat_messages") == [
        (40, 0)
    ]


def test_a_failed_audit_leaves_the_last_publish_and_a_day_that_becomes_empty_leaves_every_table(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"), message("z", "2026-01-10 20:00"))
    run_well(lake)
    before = current_version(lake)
    # A reader that stays open is not blocked and blocks nothing.
    with duckdb.connect(str(lake.current / "analytics.duckdb")) as reader:
        # One message sent at two different moments: no one export says so, and no table may hold it twice.
        put(lake, "chat_messages", message("a", "2026-01-05 20:00"))
        summary = run(lake)
        assert not summary.succeeded
        (failed,) = [c for c in summary.failed_checks if c.is_blocking]
        assert "fct_chat_messages" in failed.asset
        assert any(row.get("message_id") == "a" for row in failed.worst_rows)
        assert current_version(lake) == before
        alert = json.loads(lake.alerts.read_text().splitlines()[-1])
        assert "fct_chat_messages" in json.dumps(alert)

        # The wrong day goes, and so does the first; what is left is published.
        lake.raw_partition("chat_messages", day("2026-01-05"), "streampai").unlink()
        write_partition(lake, "chat_messages", day("2026-01-01"), "streampai", rows_of("chat_messages"))
        run_well(lake)
        assert reader.execute("select count(*) from fct_chat_messages").fetchall() == [(2,)]
    assert query(lake, "select message_id from fct_chat_messages") == [("z",)]
    assert query(lake, "select event_date::varchar from fct_viewer_days") == [("2026-01-10",)]


def test_average_and_hours_of_the_two_streams(at_once: Layout) -> None:
    rows = query(
        at_once,
        "select started_at, message_count, peak_viewers, average_viewers, hours_watched from fct_streams order by 1",
    )
    (first, second) = rows
    # Ten messages before midnight and eight until the end at 00:08; the two after it belong to no stream.
    assert first[:3] == (at("2026-01-28 23:50"), 18, 70)
    assert second[:4] == (at("2026-01-30 20:00"), 20, 100, 100)
    assert second[4] == pytest.approx(100 * 18 / 60)
