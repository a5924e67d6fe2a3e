"""Which days a change reaches."""

from __future__ import annotations

import shutil
from datetime import date

import duckdb
import pytest

from data_lake.layout import Layout
from data_lake.partitions import partitions
from data_lake.planning import (
    TESTS,
    Audit,
    Plan,
    PlanError,
    begin_build,
    end_audit,
    end_build,
    plan,
    read_state,
    stale,
    unaudited,
)
from tests.builders import PLANNED_MODELS, at, day, message, put, sample, stream

MODELS = "models-1"


def build(lake: Layout, **bounds: date) -> Plan:
    """As a run builds whose models all ran and whose tests all passed."""
    todo = planned(lake, **bounds)
    begin_build(lake, todo, [dbt_tests_of("fct_chat_messages")])
    with duckdb.connect(str(lake.warehouse)) as connection:
        for model, rows in PLANNED_MODELS.items():
            connection.execute(f"create table if not exists {model} as {rows}")
    end_build(lake, todo)
    end_audit(lake)
    return todo


def dbt_tests_of(model: str) -> Audit:
    return Audit(model, TESTS)


def planned(lake: Layout, **bounds: date) -> Plan:
    todo = plan(lake, MODELS, **bounds)
    assert todo
    return todo


def ranges(todo: Plan) -> list[tuple[str, str]]:
    assert todo.days is not None
    return [(str(first), str(last)) for first, last in todo.days]


def test_an_empty_lake_has_nothing_to_build(lake: Layout) -> None:
    assert plan(lake, MODELS) is None


def test_the_first_build_takes_every_day_and_the_second_none(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-31 20:00"))
    first = build(lake)
    assert first.days is None
    assert first.as_of == day("2026-01-31")
    second = planned(lake)
    assert second.is_empty


def test_other_models_build_every_day_again(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-31 20:00"))
    build(lake)
    todo = plan(lake, "models-2")
    assert todo
    assert todo.days is None
    assert len(stale(partitions(lake), read_state(lake), "models-2")) == 1


def test_an_event_row_reaches_two_days_back_and_one_ahead(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    put(lake, "chat_messages", message("z", "2026-01-31 20:00"))
    build(lake)
    put(lake, "viewer_counts", sample("2026-01-15 20:00", 5))
    assert ranges(planned(lake)) == [("2026-01-13", "2026-01-16")]


def test_a_partition_that_lost_its_rows_is_built_again(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"), message("z", "2026-01-31 20:00"))
    build(lake)
    lake.raw_partition("chat_messages", day("2026-01-01"), "streampai").unlink()
    assert ranges(planned(lake)) == [("2025-12-30", "2026-01-02")]
    build(lake)
    todo = planned(lake)
    assert todo.is_empty


def test_a_snapshot_that_differs_reaches_the_whole_stream(lake: Layout) -> None:
    put(lake, "streams", stream("s1", "2026-01-05 20:00", "2026-01-05 22:00"))
    put(lake, "chat_messages", message("z", "2026-01-31 20:00"))
    build(lake)
    put(lake, "streams", stream("s1", "2026-01-05 20:00", "2026-01-05 23:00", "2026-01-25 12:00"))
    assert ranges(planned(lake)) == [("2026-01-03", "2026-01-07"), ("2026-01-23", "2026-01-26")]


def test_a_snapshot_that_only_counts_more_views_reaches_no_stream(lake: Layout) -> None:
    put(lake, "streams", stream("s1", "2026-01-05 20:00", "2026-01-05 22:00", vod_view_count=1))
    put(lake, "chat_messages", message("z", "2026-01-31 20:00"))
    build(lake)
    put(lake, "streams", stream("s1", "2026-01-05 20:00", "2026-01-05 22:00", "2026-01-25 12:00", vod_view_count=9))
    assert ranges(planned(lake)) == [("2026-01-23", "2026-01-26")]


def test_a_change_of_owner_reaches_every_day_and_the_same_owner_again_does_not(lake: Layout) -> None:
    owner = {"creator_id": "anna", "channel_id": "c1", "creator_name": "Anna"}
    put(lake, "channel_owners", {**owner, "observed_at": at("2026-01-01 00:00")})
    put(lake, "chat_messages", message("z", "2026-01-31 20:00"))
    build(lake)
    put(lake, "channel_owners", {**owner, "observed_at": at("2026-01-20 00:00")})
    assert ranges(planned(lake)) == [("2026-01-18", "2026-01-21")]
    build(lake)
    put(lake, "channel_owners", {**owner, "creator_id": "bert", "observed_at": at("2026-01-25 00:00")})
    todo = planned(lake)
    assert todo.days is None


def test_as_of_hides_later_days_and_the_next_run_brings_them_back(lake: Layout) -> None:
    for n in (1, 10, 20, 30):
        put(lake, "chat_messages", message(f"m{n}", f"2026-01-{n:02} 20:00", stream_id=f"s{n}"))
    build(lake)
    earlier = build(lake, to_day=day("2026-01-10"))
    assert earlier.as_of == day("2026-01-10")
    assert [(str(a), str(b)) for a, b in earlier.days or ()] == [
        ("2026-01-18", "2026-01-21"),
        ("2026-01-28", "2026-01-30"),
    ]
    again = planned(lake)
    assert again.as_of == day("2026-01-30")
    assert again.covers(day("2026-01-20"))
    assert not again.covers(day("2026-01-01"))


def test_a_backfill_builds_its_days_and_keeps_later_ones(lake: Layout) -> None:
    for n in (1, 10, 20, 30):
        put(lake, "chat_messages", message(f"m{n}", f"2026-01-{n:02} 20:00"))
    build(lake)
    put(lake, "chat_messages", message("late", "2026-01-25 20:00"))
    todo = build(lake, from_day=day("2026-01-10"), to_day=day("2026-01-11"))
    assert todo.as_of == day("2026-01-30")
    assert ranges(todo) == [("2026-01-10", "2026-01-11")]
    assert ranges(planned(lake)) == [("2026-01-23", "2026-01-26")]


def test_a_build_that_never_ended_is_built_again(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    build(lake)
    put(lake, "chat_messages", message("b", "2026-01-05 20:00"))
    todo = planned(lake)
    begin_build(lake, todo, [dbt_tests_of("fct_chat_messages")])
    again = planned(lake)
    assert (again.days, again.entities, again.partitions) == (todo.days, todo.entities, todo.partitions)
    assert (todo.unaudited, again.unaudited) == (frozenset(), frozenset({dbt_tests_of("fct_chat_messages")}))


def built_streams(lake: Layout, *streams: tuple[str, str, str]) -> None:
    """As if the models had made these (stream, first activity, last activity) of channel c1 on Twitch."""
    with duckdb.connect(str(lake.warehouse)) as connection:
        for name, first, last in streams:
            connection.execute(
                "insert into int_stream_intervals values (?, ?, ?, ?, ?)", ["twitch", name, "c1", first, last]
            )
            for moment in (first, last):
                connection.execute("insert into int_stream_activity values (?, ?, ?)", [moment[:10], "twitch", name])


def built_ids(lake: Layout, *rows: tuple[str, str, str]) -> None:
    """As if the models had staged these (day, source, id) of chat messages on Twitch."""
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute("delete from stg_chat_messages_keys")
        for row in rows:
            connection.execute("insert into stg_chat_messages_keys values (?, ?, 'twitch', ?)", row)


def test_a_message_that_moved_to_another_day_reaches_the_day_it_was_on_and_back(lake: Layout) -> None:
    put(
        lake,
        "chat_messages",
        message("a", "2026-01-10 20:00", stream_id=None),
        message("z", "2026-01-31 20:00", stream_id=None),
    )
    build(lake)
    built_ids(lake, ("2026-01-10", "streampai", "a"), ("2026-01-31", "streampai", "z"))
    put(
        lake,
        "chat_messages",
        message("a", "2026-01-20 20:00", stream_id=None),
        message("b", "2026-01-20 20:00", stream_id=None),
        source="irc",
    )
    assert ranges(build(lake)) == [("2026-01-08", "2026-01-11"), ("2026-01-18", "2026-01-21")]
    built_ids(lake, ("2026-01-10", "streampai", "a"), ("2026-01-20", "irc", "a"), ("2026-01-20", "irc", "b"))
    assert planned(lake).is_empty
    lake.raw_partition("chat_messages", day("2026-01-20"), "irc").unlink()
    assert ranges(planned(lake)) == [("2026-01-08", "2026-01-11"), ("2026-01-18", "2026-01-21")]


def test_an_id_of_another_platform_is_another_message(lake: Layout) -> None:
    put(
        lake,
        "chat_messages",
        message("a", "2026-01-10 20:00", stream_id=None),
        message("z", "2026-01-31 20:00", stream_id=None),
    )
    build(lake)
    built_ids(lake, ("2026-01-10", "streampai", "a"))
    put(lake, "chat_messages", message("a", "2026-01-20 20:00", stream_id=None, platform="kick"))
    assert ranges(planned(lake)) == [("2026-01-18", "2026-01-21")]


def test_activity_after_a_hole_of_days_reaches_back_to_the_activity_before(lake: Layout) -> None:
    put(lake, "chat_messages", message("z", "2026-01-31 20:00", stream_id=None))
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 5), sample("2026-01-02 20:00", 5))
    build(lake)
    built_streams(lake, ("s1", "2026-01-01 20:00", "2026-01-02 20:00"))
    put(lake, "viewer_counts", sample("2026-01-08 20:00", 5))
    assert ranges(planned(lake)) == [("2026-01-02", "2026-01-09")]
    build(lake)
    lake.raw_partition("viewer_counts", day("2026-01-02"), "streampai").unlink()
    assert ranges(planned(lake)) == [("2025-12-31", "2026-01-03")]


def test_a_day_of_a_stream_without_a_hole_reaches_no_further_than_any_row(lake: Layout) -> None:
    put(lake, "viewer_counts", *(sample(f"2026-01-{n:02} 20:00", 5) for n in range(1, 20)))
    build(lake)
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute("""insert into int_stream_activity
            select unnest(range(date '2026-01-01', date '2026-01-20', interval 1 day)), 'twitch', 's1'""")
    put(lake, "viewer_counts", sample("2026-01-20 20:00", 5))
    assert ranges(planned(lake)) == [("2026-01-18", "2026-01-20")]


def test_two_names_of_a_long_stream_reach_all_its_days(lake: Layout) -> None:
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 5))
    put(lake, "chat_messages", message("z", "2026-01-31 20:00", stream_id=None))
    build(lake)
    built_streams(
        lake, ("s1", "2026-01-01 20:00", "2026-01-04 20:00"), ("vod:1", "2026-01-03 20:00", "2026-01-05 20:00")
    )
    put(lake, "viewer_counts", sample("2026-01-05 20:00", 5))
    assert ranges(planned(lake)) == [("2026-01-01", "2026-01-06")]


def test_a_login_that_turns_out_to_be_a_channel_reaches_every_day(lake: Layout) -> None:
    put(lake, "channels", {"channel_id": "login:anna", "login": "anna", "observed_at": at("2026-01-01 00:00")})
    put(lake, "chat_messages", message("z", "2026-01-31 20:00"))
    build(lake)
    bert = {"channel_id": "2", "login": "bert", "observed_at": at("2026-01-20 00:00")}
    put(lake, "channels", bert)
    assert ranges(planned(lake)) == [("2026-01-18", "2026-01-21")]
    put(lake, "channels", bert, {"channel_id": "1", "login": "Anna", "observed_at": at("2026-01-20 00:00")})
    todo = planned(lake)
    assert (todo.days, todo.reason) == (None, "a channel known by its login got another id")
    build(lake)
    put(lake, "channels", {"channel_id": "1", "login": "anna", "observed_at": at("2026-01-25 00:00")})
    assert ranges(planned(lake)) == [("2026-01-23", "2026-01-26")]


def test_a_snapshot_that_turns_out_to_be_complete_reaches_every_day(lake: Layout) -> None:
    both = [stream(name, "2026-01-01 10:00", "2026-01-01 11:00", channel_id=name) for name in ("anna", "bert")]
    put(lake, "streams", *both)
    put(lake, "streams", {**both[1], "observed_at": at("2026-01-02 12:00")})
    build(lake)
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute(
            "insert into stg_incomplete_snapshots values ('streampai', '', 'twitch', '2026-01-02 12:00')"
        )
    put(lake, "chat_messages", message("a", "2026-01-05 20:00"))
    assert ranges(planned(lake)) == [("2026-01-03", "2026-01-05")]
    put(lake, "chat_messages", message("z", "2026-01-31 20:00"))
    todo = planned(lake)
    assert (todo.days, todo.reason) == (None, "earlier snapshots of streams turned out complete or incomplete")


def test_the_plan_names_the_entities_that_changed_and_none_when_everything_is_built(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 5), sample("2026-01-09 20:00", 5))
    first = build(lake)
    assert (first.entities, first.as_of_moved) == (None, True)
    assert (planned(lake).entities, planned(lake).as_of_moved) == (frozenset(), False)
    put(lake, "chat_messages", message("b", "2026-01-05 20:00"))
    assert (planned(lake).entities, planned(lake).as_of_moved) == (frozenset({"chat_messages"}), False)
    put(lake, "viewer_counts", sample("2026-01-10 20:00", 5))
    later = planned(lake)
    assert (later.entities, later.as_of_moved) == (frozenset({"chat_messages", "viewer_counts"}), True)
    assert later.observed == (day("2026-01-01"), day("2026-01-10"))
    assert planned(lake, from_day=day("2026-01-02")).entities is None


def test_a_later_clock_alone_leaves_something_to_build(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    build(lake)
    todo = planned(lake, to_day=day("2026-01-20"))
    assert (todo.days, todo.entities, todo.as_of_moved, todo.is_empty) == ((), frozenset(), True, False)


def test_models_whose_tests_did_not_all_pass_are_not_forgotten(lake: Layout) -> None:
    assert unaudited(lake) == frozenset()
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    todo = build(lake)
    assert planned(lake).is_empty
    begin_build(
        lake, todo, [dbt_tests_of("fct_streams"), Audit("fct_streams", "expectations"), dbt_tests_of("dim_viewers")]
    )
    end_build(lake, todo)
    failed = planned(lake)
    assert (failed.days, failed.is_empty) == ((), False)
    assert {audit.model for audit in failed.unaudited} == {"fct_streams", "dim_viewers"}
    begin_build(lake, failed, [dbt_tests_of("dim_viewers"), dbt_tests_of("fct_chat_messages")])
    end_build(lake, failed)
    end_audit(
        lake, [dbt_tests_of("dim_viewers"), dbt_tests_of("fct_chat_messages"), Audit("fct_streams", "expectations")]
    )
    assert unaudited(lake) == {dbt_tests_of("fct_streams")}
    end_audit(lake)
    assert planned(lake).is_empty


def test_a_warehouse_of_an_older_version_that_remembered_less_is_built_again(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    build(lake)
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute("drop table lake.audits")
    assert unaudited(lake) == frozenset()
    todo = planned(lake)
    assert (todo.days, todo.reason) == (None, "nothing was built yet")


def test_a_model_that_planning_reads_and_the_warehouse_lacks_stops_the_run(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    build(lake)
    put(lake, "chat_messages", message("b", "2026-01-05 20:00"))
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute("alter table int_stream_intervals rename to int_intervals")
    with pytest.raises(PlanError, match=r"without the model int_stream_intervals .*planning/worlds/live\.py"):
        plan(lake, MODELS)
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute("alter table int_intervals rename to int_stream_intervals")
        connection.execute("alter table int_stream_activity rename stream_id to stream")
    with pytest.raises(PlanError, match="without the model int_stream_activity"):
        plan(lake, MODELS)


def test_an_interval_that_no_world_knows_stops_the_run(lake: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    put(lake, "chat_messages", message("z", "2026-01-31 20:00"))
    build(lake)
    put(lake, "streams", stream("s1", "2026-01-05 20:00", "2026-01-05 22:00"))
    monkeypatch.setattr("data_lake.planning.affected.worlds", dict)
    with pytest.raises(PlanError, match=r"streams\.yml says interval_if_changed.*worlds/live\.py is missing"):
        plan(lake, MODELS)


def test_a_folder_of_raw_that_no_contract_names_is_not_read(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    shutil.copytree(lake.raw_entity("chat_messages"), lake.raw_entity("chat_lines"))
    assert [part.entity for part in build(lake).partitions] == ["chat_messages"]
    assert planned(lake).is_empty


def test_an_entity_that_is_one_no_more_builds_every_day(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    build(lake)
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute("insert into lake.built values ('chat_lines', '2026-01-01', 'irc', 'f')")
    todo = planned(lake)
    assert (todo.days, todo.reason) == (None, "chat_lines is an entity no more")


def test_the_first_rows_of_a_world_build_every_day(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-01 20:00"))
    build(lake)
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute("delete from lake.built")
        for model in PLANNED_MODELS:
            connection.execute(f"drop table {model}")
    todo = planned(lake)
    assert (todo.days, todo.reason) == (None, "first rows of the live world")
