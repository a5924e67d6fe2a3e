"""An id stands once, whichever days its sources put it on, and a day that loses or regains a row is built again."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from data_lake.layout import Layout
from tests.builders import at, day, message, put
from tests.integration.lakes import build, query_built, tables

RIGHT, WRONG = "irc", "streampai"


def event(event_id: str, occurred_at: str) -> dict[str, Any]:
    return {
        "event_id": event_id, "occurred_at": at(occurred_at), "event_type": "follow", "channel_id": "c1",
        "viewer_id": "v1", "viewer_login": "v1",
    }  # fmt: skip


def ban(action_id: str, occurred_at: str) -> dict[str, Any]:
    return {
        "action_id": action_id, "occurred_at": at(occurred_at), "action_type": "ban", "channel_id": "c1",
        "target_viewer_id": "v2",
    }  # fmt: skip


def put_days(lake: Layout, source: str, *days: str) -> None:
    """The same message, follow and ban on each of these days, and a message that only this source has."""
    for name in days:
        own = message(f"{source} {name}", f"{name} 21:00", viewer=source, stream_id=None)
        put(lake, "chat_messages", message("m", f"{name} 20:00", stream_id=None), own, source=source)
        put(lake, "stream_events", event("e", f"{name} 20:10"), source=source)
        put(lake, "moderation_actions", ban("b", f"{name} 20:20"), source=source)


@pytest.fixture
def wrong(lake: Layout) -> Layout:
    """A lake of one source, which has the wrong day, built."""
    put_days(lake, WRONG, "2026-01-10")
    put(lake, "chat_messages", message("z", "2026-01-31 20:00", stream_id=None))
    build(lake)
    return lake


def days_of_one_id(lake: Layout) -> list[list[tuple[Any, ...]]]:
    places = {"fct_chat_messages": "message_id = 'm'", "fct_moderation": "true", "int_stream_events_resolved": "true"}
    return [query_built(lake, f"select event_date::varchar, source from {t} where {w}") for t, w in places.items()]


def test_the_better_source_takes_the_row_to_its_day_and_gives_it_back(wrong: Layout) -> None:
    before = tables(wrong)
    assert days_of_one_id(wrong) == [[("2026-01-10", WRONG)]] * 3
    put_days(wrong, RIGHT, "2026-01-20")
    assert not build(wrong).covers(day("2026-01-14"))
    assert days_of_one_id(wrong) == [[("2026-01-20", RIGHT)]] * 3
    # What only the other source has stays, on its day.
    assert query_built(wrong, "select count(*) from fct_chat_messages") == [(4,)]
    assert query_built(wrong, "select count(*) from fct_viewer_days where event_date = '2026-01-10'") == [(1,)]
    for entity in ("chat_messages", "stream_events", "moderation_actions"):
        shutil.rmtree(wrong.raw_entity(entity) / "event_date=2026-01-20")
    build(wrong)
    assert tables(wrong) == before


def test_days_built_one_after_another_are_as_built_at_once(wrong: Layout, tmp_path: Any) -> None:
    put_days(wrong, RIGHT, "2026-01-20")
    build(wrong)
    # A third day of the same source: the later of one export, and another day less of the wrong one.
    put_days(wrong, RIGHT, "2026-01-22")
    put_days(wrong, WRONG, "2026-01-12")
    build(wrong)
    assert days_of_one_id(wrong) == [[("2026-01-22", RIGHT)]] * 3
    whole = Layout(tmp_path / "whole")
    shutil.copytree(wrong.raw, whole.raw)
    assert build(whole).days is None
    assert tables(wrong) == tables(whole)


def test_as_of_a_day_before_the_better_row_the_other_one_stands(wrong: Layout) -> None:
    put_days(wrong, RIGHT, "2026-01-20")
    build(wrong)
    build(wrong, to_day=day("2026-01-15"))
    assert days_of_one_id(wrong) == [[("2026-01-10", WRONG)]] * 3
    build(wrong)
    assert days_of_one_id(wrong) == [[("2026-01-20", RIGHT)]] * 3
