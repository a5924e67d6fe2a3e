"""Checks that contracts cannot say: small tables written by hand, and recorded incidents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data_lake.contracts import load_contracts
from data_lake.expectations import profiles
from data_lake.expectations.audit import check_raw, check_tables
from data_lake.expectations.suites import entity_suite, table_suites
from data_lake.expectations.validation import write_data_docs
from data_lake.expectations.verdicts import Verdict
from data_lake.layout import Layout
from data_lake.snapshots import incomplete_snapshots
from data_lake.sql import connect
from data_lake.store import write_partition
from tests.builders import at, day, message, put, sample

SNAPSHOT = "earlier_snapshots_have_every_channel"
NEWEST = "newest_snapshot_has_every_channel"
KEPT = "snapshots_keep_rows"


def verdict_on(verdicts: Iterable[Verdict], name: str, subject: str = "") -> Verdict:
    matching = [f for f in verdicts if f.name == name and f.subject.endswith(subject)]
    assert len(matching) == 1, [(f.subject, f.source) for f in matching]
    return matching[0]


def snapshot(
    observed_at: str, streams: str, *, full: bool = True, file: str = "agency/all.csv"
) -> list[dict[str, Any]]:
    """A snapshot of streams such as 'ann1 ann2 bob1': letters name the channel, left out where not `full`."""
    return [
        {
            "stream_id": stream,
            "observed_at": at(observed_at),
            "channel_id": stream.rstrip("0123456789") if full else None,
            "landing_file": file,
        }
        for stream in streams.split()
    ]


def put_snapshots(lake: Layout, *snapshots: Sequence[dict[str, Any]]) -> None:
    put(lake, "streams", *(row for rows in snapshots for row in rows), source="tabular")


def incomplete(lake: Layout, as_of: str) -> list[tuple[str, str, int]]:
    """(day, channel, rows before) of every snapshot known as of a day to be incomplete."""
    with connect(lake) as connection:
        rows = incomplete_snapshots(lake, connection, day(as_of), "streams").fetchall()
    return sorted((f"{at:%m-%d}", channel, before) for _, _, _, at, channel, before, now in rows if now == 0)


def test_a_channel_gone_from_the_newest_snapshot_blocks_and_is_named(lake: Layout) -> None:
    put_snapshots(lake, snapshot("2026-01-01 12:00", "ann1 ann2 bob1"), snapshot("2026-01-02 12:00", "bob1 bob2"))
    put(lake, "channels", {"channel_id": "ann", "login": "ann_live", "observed_at": at("2026-01-01 00:00")})
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-02"), days=None), NEWEST, "streams")
    assert verdict.blocking
    assert not verdict.passed
    assert "ann_live (2 rows before) is gone from the snapshot of 2026-01-02 12:00:00" in verdict.observed
    assert verdict.worst[0]["channel_id"] == "ann"
    assert verdict.worst[0]["landing_file"] == "agency/all.csv"
    assert json.loads(json.dumps(verdict.worst)) == verdict.worst


def test_a_channel_that_came_back_leaves_a_warning_about_the_earlier_snapshot(lake: Layout) -> None:
    put_snapshots(
        lake,
        snapshot("2026-01-01 12:00", "ann1 ann2 bob1"),
        snapshot("2026-01-02 12:00", "bob1"),
        snapshot("2026-01-03 12:00", "ann1 ann2 bob1"),
    )
    verdicts = check_raw(lake, as_of=day("2026-01-03"), days=None)
    assert verdict_on(verdicts, NEWEST, "streams").passed
    warning = verdict_on(verdicts, SNAPSHOT, "streams")
    assert not warning.passed
    assert not warning.blocking
    assert warning.worst[0]["observed_at"] == "2026-01-02 12:00:00"
    assert incomplete(lake, "2026-01-03") == [("01-02", "ann", 2)]


def test_who_is_live_at_a_moment_is_no_list_that_a_stream_can_be_missing_from(lake: Layout) -> None:
    live = [
        {**row, "landing_file": f"streams-all-{n}.jsonl"}
        for n, streams in enumerate(("ann1 bob1", "bob1", "bob1"))
        for row in snapshot(f"2026-01-01 12:0{n}", streams)
    ]
    put(lake, "streams", *live, source="twitch_helix")
    assert incomplete(lake, "2026-01-01") == []
    assert all(f.passed for f in check_raw(lake, as_of=day("2026-01-01"), days=None) if f.name in (NEWEST, SNAPSHOT))


def test_a_newest_snapshot_blocks_whatever_the_window_of_the_run(lake: Layout) -> None:
    put_snapshots(lake, snapshot("2026-01-01 12:00", "ann1 bob1"), snapshot("2026-01-02 12:00", "bob1"))
    verdicts = check_raw(lake, as_of=day("2026-01-05"), days=((day("2026-01-04"), day("2026-01-05")),))
    assert not verdict_on(verdicts, NEWEST, "streams").passed
    assert verdict_on(verdicts, SNAPSHOT, "streams").passed


def test_a_channel_that_stays_away_makes_every_snapshot_incomplete_until_it_has_left(lake: Layout) -> None:
    snapshots = [snapshot(f"2026-01-{n:02} 12:00", "bob1") for n in range(2, 12)]
    put_snapshots(lake, snapshot("2026-01-01 12:00", "ann1 bob1"), *snapshots)
    assert incomplete(lake, "2026-01-03") == [("01-02", "ann", 1), ("01-03", "ann", 1)]
    assert len(incomplete(lake, "2026-01-09")) == 8
    assert incomplete(lake, "2026-01-10") == []
    verdicts = check_raw(lake, as_of=day("2026-01-10"), days=None)
    assert verdict_on(verdicts, NEWEST, "streams").passed
    assert len(verdict_on(verdicts, SNAPSHOT, "streams").worst) == 1


def test_rows_gone_from_a_channel_that_is_there_are_a_warning_with_their_number(lake: Layout) -> None:
    put_snapshots(
        lake,
        snapshot("2026-01-01 12:00", "ann1 ann2 ann3 bob1"),
        snapshot("2026-01-02 12:00", "ann1 bob1"),
        snapshot("2026-01-03 12:00", "ann1 ann2 bob1"),
    )
    warning = verdict_on(check_raw(lake, as_of=day("2026-01-03"), days=None), KEPT, "streams")
    assert not warning.blocking
    assert "ann lost 2 rows in the snapshot of 2026-01-02 12:00:00, 1 came back" in warning.observed
    assert incomplete(lake, "2026-01-03") == []


def test_snapshots_are_compared_with_snapshots_of_their_kind_only(lake: Layout) -> None:
    put_snapshots(
        lake,
        snapshot("2026-01-01 12:00", "ann1 ann2 bob1"),
        snapshot("2026-01-02 12:00", "bob1", full=False),
        snapshot("2026-01-03 12:00", "ann1 ann2 bob1"),
    )
    assert incomplete(lake, "2026-01-03") == []


def test_a_row_without_a_channel_belongs_to_the_channel_other_snapshots_give_its_stream(lake: Layout) -> None:
    put_snapshots(
        lake,
        snapshot("2026-01-01 12:00", "ann1 bob1", full=False),
        snapshot("2026-01-02 12:00", "bob1", full=False),
        snapshot("2026-01-03 12:00", "ann1 bob1"),
    )
    assert incomplete(lake, "2026-01-03") == [("01-02", "ann", 1)]


def test_exports_of_single_recordings_are_not_a_catalogue(lake: Layout) -> None:
    put_snapshots(
        lake,
        snapshot("2026-01-01 12:00", "ann1"),
        snapshot("2026-01-02 12:00", "bob1"),
        snapshot("2026-01-03 12:00", "bob2"),
        snapshot("2026-01-04 12:00", "ann2 bob3"),
        snapshot("2026-01-05 12:00", "bob4 bob5"),
    )
    assert incomplete(lake, "2026-01-05") == []


def test_snapshots_of_another_mapping_do_not_come_between(lake: Layout) -> None:
    put_snapshots(
        lake,
        snapshot("2026-01-01 12:00", "ann1 bob1"),
        snapshot("2026-01-01 18:00", "eve1", file="other/streams.csv"),
        snapshot("2026-01-02 12:00", "bob1"),
    )
    assert incomplete(lake, "2026-01-02") == [("01-02", "ann", 1)]


def test_an_absurd_viewer_count_is_a_warning_with_its_key_and_landing_file(lake: Layout) -> None:
    put(
        lake,
        "viewer_counts",
        sample("2026-01-01 20:00", 100),
        sample("2026-01-01 20:01", 20_000_000, landing_file="bad"),
    )
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-01"), days=None), "viewer_count_is_plausible")
    assert (verdict.passed, verdict.blocking) == (False, False)
    assert verdict.observed == "1 of 2 rows outside: viewer_count 20000000"
    assert verdict.worst == [
        {
            "platform": "twitch",
            "channel_id": "c1",
            "observed_at": "2026-01-01 20:01:00",
            "viewer_count": 20_000_000,
            "landing_file": "bad",
        }
    ]


def test_the_worst_rows_come_first_and_are_ten(lake: Layout) -> None:
    put(lake, "viewer_counts", *(sample(f"2026-01-01 20:{n:02}", 10_000_000 + n) for n in range(20)))
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-01"), days=None), "viewer_count_is_plausible")
    assert [row["viewer_count"] for row in verdict.worst] == [10_000_000 + n for n in range(19, 9, -1)]


def test_a_large_set_is_sampled_and_no_row_outside_is_missed(lake: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "FRAME_ROWS", 5)
    monkeypatch.setattr(profiles, "KEPT_ROWS", 10)
    put(lake, "viewer_counts", *(sample(f"2026-01-01 20:{n:02}", 10_000_001 if n == 33 else 5) for n in range(60)))
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-01"), days=None), "viewer_count_is_plausible")
    assert verdict.observed == "1 of 60 rows outside: viewer_count 10000001"


def test_rows_after_the_as_of_day_or_outside_the_window_do_not_count(lake: Layout) -> None:
    put(lake, "viewer_counts", *(sample(f"2026-01-0{n} 20:00", 20_000_000) for n in (1, 2, 3)))
    verdicts = check_raw(lake, as_of=day("2026-01-02"), days=((day("2026-01-02"), day("2026-01-03")),))
    assert verdict_on(verdicts, "viewer_count_is_plausible").observed.startswith("1 of 1 rows")
    assert check_raw(lake, as_of=day("2026-01-02"), days=()) == []


def test_each_source_is_judged_alone(lake: Layout) -> None:
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 20_000_000))
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 20), source="helix")
    verdicts = check_raw(lake, as_of=day("2026-01-01"), days=None)
    passed = {f.source: f.passed for f in verdicts if f.name == "viewer_count_is_plausible"}
    assert passed == {"streampai": False, "helix": True}


def days_of_messages(counts: Sequence[int]) -> list[dict[str, Any]]:
    first = date(2026, 1, 1)
    return [
        message(f"{d}-{n}", f"{first + timedelta(days=d)} 20:00:{n:02}")
        for d, count in enumerate(counts)
        for n in range(count)
    ]


def test_a_day_with_a_fraction_of_the_usual_rows_is_noticed(lake: Layout) -> None:
    put(lake, "chat_messages", *days_of_messages([50] * 7 + [2, 50]))
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-09"), days=None), "volume_is_usual")
    assert not verdict.passed
    assert "2026-01-08 has 2 rows, the median day before 50" in verdict.observed
    assert verdict.worst[0]["landing_file"] == "a-file"


def test_the_end_of_a_stream_just_after_midnight_is_not_a_day_of_its_own(lake: Layout) -> None:
    end = [message(f"end-{n}", f"2026-01-08 00:0{n}") for n in range(2)]
    put(lake, "chat_messages", *days_of_messages([50] * 7), *end)
    assert verdict_on(check_raw(lake, as_of=day("2026-01-08"), days=None), "volume_is_usual").passed


def test_the_first_week_has_no_usual_volume(lake: Layout) -> None:
    put(lake, "chat_messages", *days_of_messages([50] * 6 + [1]))
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-07"), days=None), "volume_is_usual")
    assert verdict.passed
    assert verdict.observed == "none of 7 days can be judged"


def test_the_days_before_a_window_say_what_is_usual_in_it(lake: Layout) -> None:
    put(lake, "chat_messages", *days_of_messages([50] * 7 + [2]))
    verdicts = check_raw(lake, as_of=day("2026-01-08"), days=((day("2026-01-08"), day("2026-01-08")),))
    assert not verdict_on(verdicts, "volume_is_usual").passed


def test_messages_of_a_channel_that_no_snapshot_holds_are_noticed_and_stand_ins_counted_apart(lake: Layout) -> None:
    put(lake, "channels", {"channel_id": "c1", "observed_at": at("2026-01-01 00:00")})
    put(
        lake,
        "chat_messages",
        message("m1", "2026-01-01 20:00"),
        message("m2", "2026-01-01 20:01", channel_id="c9"),
        message("m3", "2026-01-01 20:02", channel_id="stream:s1"),
        message("m4", "2026-01-01 20:03", channel_id=None),
    )
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-01"), days=None), "channels_are_known", "chat_messages")
    assert not verdict.passed
    worst = verdict.worst[0]
    assert (worst["channel_row_count"], worst["channel_stand_in_count"], worst["known_channel_ratio"]) == (2, 1, 0.5)
    assert worst["unknown_channel_id"] == "twitch/c9"


def test_a_platform_that_was_never_seen_is_not_judged(lake: Layout) -> None:
    put(lake, "channels", {"channel_id": "c1", "platform": "youtube", "observed_at": at("2026-01-01 00:00")})
    put(lake, "chat_messages", message("m1", "2026-01-01 20:00"))
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-01"), days=None), "channels_are_known")
    assert verdict.passed
    assert verdict.observed == "none of 1 days can be judged"


def test_a_stream_is_known_by_its_recording_and_through_its_relay(lake: Layout) -> None:
    put(
        lake,
        "streams",
        {"stream_id": "s1", "vod_id": "7", "observed_at": at("2026-01-01 00:00")},
        {"stream_id": "r1", "platform": "streampai", "observed_at": at("2026-01-01 00:00")},
    )
    put(
        lake,
        "chat_messages",
        *(message(s, "2026-01-01 20:00", stream_id=s) for s in ("s1", "vod:7", "r1", "nowhere")),
    )
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-01"), days=None), "streams_are_known", "chat_messages")
    assert verdict.worst[0]["known_stream_ratio"] == 0.75
    assert verdict.worst[0]["unknown_stream_id"] == "twitch/nowhere"


def test_unknown_words_times_and_emotes_are_kept_and_told(lake: Layout) -> None:
    event = {"event_id": "e1", "occurred_at": at("2026-01-01 20:00"), "event_type": "subathon", "currency": "usd"}
    put(lake, "stream_events", event)
    owner = {"creator_id": "x", "channel_id": "c1", "observed_at": at("2026-01-01 00:00"), "time_zone": "Berlin"}
    put(lake, "channel_owners", owner)
    emote = {"name": "Kappa", "id": "25", "provider": "twitch", "start": 0, "end": 4}
    beyond = message("m2", "2026-01-01 20:00", "Kapp", emotes=[emote])
    put(lake, "chat_messages", message("m1", "2026-01-01 20:00", "Kappa", emotes=[emote]), beyond)
    verdicts = check_raw(lake, as_of=day("2026-01-01"), days=None)
    assert verdict_on(verdicts, "event_type_is_known").observed == "1 of 1 rows outside: event_type 'subathon'"
    assert verdict_on(verdicts, "currency_is_iso").observed.endswith("currency 'usd'")
    assert verdict_on(verdicts, "time_zone_is_known").worst[0]["time_zone"] == "Berlin"
    assert [row["message_id"] for row in verdict_on(verdicts, "emote_end_is_plausible").worst] == ["m2"]


def test_one_viewer_who_types_like_a_machine_is_named(lake: Layout) -> None:
    with connect(lake) as connection:
        rows = connection.execute(
            """select 'twitch' as platform, i::varchar as message_id, timestamp '2026-01-01' + to_seconds(i) as sent_at,
            if(i % 4 = 0, 'v2', 'v1') as viewer_id, 'irc' as source, 'a-file' as landing_file,
            timestamp '2026-01-02' as extracted_at from range(80000) as t(i)"""
        ).to_arrow_table()
    write_partition(lake, "chat_messages", day("2026-01-01"), "irc", rows)
    verdict = verdict_on(check_raw(lake, as_of=day("2026-01-01"), days=None), "viewers_type_like_people")
    assert verdict.observed == "1 of 1 days outside: twitch/v1 sent 60000 messages on 2026-01-01"


def warehouse(lake: Layout, *statements: str) -> None:
    lake.root.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(lake.warehouse)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_table_is_published_with_what_an_input_made_implausible_and_not_with_a_mistake_of_ours(lake: Layout) -> None:
    warehouse(
        lake,
        "create schema marts",
        """create table marts.fct_streams as select 'b1' as broadcast_id, 3.0 as average_viewers,
        20000000 as peak_viewers, 60.0 as live_seconds, 1.5 as observed_ratio, 1.0 as hours_watched,
        5 as message_count, 0 as gift_count, 1 as platform_count""",
    )
    verdicts = check_tables(lake, {"fct_streams": "marts.fct_streams", "dim_dates": "x.y"}, as_of=day("2026-01-01"))
    failed = [f for f in verdicts if not f.passed]
    assert [(f.subject, f.name, f.blocking) for f in failed] == [
        ("fct_streams", "peak_viewers_is_plausible", False),
        ("fct_streams", "observed_ratio_is_plausible", True),
    ]
    assert failed[0].worst == [{"broadcast_id": "b1", "peak_viewers": 20_000_000, "landing_file": None}]


def test_of_a_table_cut_into_days_only_the_window_is_read(lake: Layout) -> None:
    warehouse(
        lake,
        """create table fct_chat_messages as select d::date as event_date, 'twitch' as platform,
        d::varchar as message_id, d + interval 1 day as sent_at, 'hello' as text,
        null::bigint as bits_count, 'irc' as source
        from range(timestamp '2026-01-01', timestamp '2026-01-05', interval 1 day) as t(d)""",
    )
    window = ((day("2026-01-02"), day("2026-01-03")),)
    verdicts = check_tables(lake, {"fct_chat_messages": "fct_chat_messages"}, as_of=day("2026-01-04"), days=window)
    verdict = verdict_on(verdicts, "seconds_of_day_is_plausible")
    assert verdict.source == "warehouse"
    assert verdict.observed.startswith("2 of 2 rows outside")


def test_data_docs_hold_the_sentences_of_the_newest_run_only(lake: Layout) -> None:
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 100), sample("2026-01-02 20:00", 100))
    for as_of in ("2026-01-01", "2026-01-02"):
        check_raw(lake, as_of=day(as_of), days=((day("2026-01-01"), day(as_of)),))
    index = write_data_docs(lake)
    assert index == lake.quality / "data_docs" / "index.html"
    pages = [
        p for p in (index.parent / "validations").rglob("*.html") if "viewer_counts" in str(p) and "rows" in str(p)
    ]
    assert len(pages) == 1
    assert "Concurrent viewers lie between 0 and 10 million." in pages[0].read_text(encoding="utf-8")


def test_a_full_run_forgets_the_results_of_what_is_gone(lake: Layout) -> None:
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 100))
    put(lake, "chat_messages", message("m1", "2026-01-01 20:00"))
    check_raw(lake, as_of=day("2026-01-01"), days=None)
    lake.raw_partition("chat_messages", day("2026-01-01"), "streampai").unlink()
    check_raw(lake, as_of=day("2026-01-01"), days=None)
    write_data_docs(lake)
    assert not [p for p in lake.quality.rglob("*.html") if "validations" in p.parts and "chat_messages" in str(p)]


def test_results_that_a_killed_run_left_half_written_are_dropped(lake: Layout) -> None:
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 100))
    put(lake, "chat_messages", message("m1", "2026-01-02 20:00"))
    check_raw(lake, as_of=day("2026-01-02"), days=None)
    for path in (*lake.quality.rglob("*.json"), *lake.quality.rglob("*.yml")):
        path.write_bytes(path.read_bytes()[:100])
    verdicts = check_raw(lake, as_of=day("2026-01-02"), days=((day("2026-01-01"), day("2026-01-01")),))
    assert verdict_on(verdicts, "viewer_count_is_plausible").passed
    assert write_data_docs(lake).exists()


def test_a_run_writes_nothing_to_the_terminal(lake: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    put(lake, "viewer_counts", sample("2026-01-01 20:00", 20_000_000))
    check_raw(lake, as_of=day("2026-01-01"), days=None)
    write_data_docs(lake)
    assert capfd.readouterr() == ("", "")


def test_every_expectation_is_a_sentence_with_a_name_of_its_own() -> None:
    suites = [entity_suite(entity) for entity in load_contracts()]
    suites += [suite.expectations for suite in table_suites().values()]
    for suite in suites:
        names = [e.name for e in suite]
        assert len(names) == len(set(names))
        for expectation in suite:
            assert expectation.sentence[0].isupper()
            assert expectation.sentence.endswith(".")
            assert expectation.name == expectation.name.lower()
            assert expectation.name.isidentifier()


@pytest.fixture(scope="module")
def agency(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The 14 full snapshots of an agency's streams, and the view counts around the day that lost a channel."""
    folder = real_data / "stellive"
    layout = Layout(tmp_path_factory.mktemp("agency"))
    with connect(layout) as connection:
        rows = connection.execute(
            """with counts as (
                select snapshot_commit, snapshot_at::timestamptz::timestamp as observed_at, video_no, view_count
                from read_csv($1, types = {'snapshot_at': 'varchar'})
            ), moments as (select distinct snapshot_commit, observed_at from counts
            ), full_snapshots as (
                select video_no, observed_at, member_id, view_count, parse_filename(filename) as file
                from read_csv($2, filename = true, union_by_name = true) join moments
                    on snapshot_commit like regexp_extract(filename, '_([0-9a-f]+)[.]csv', 1) || '%'
            ), view_snapshots as (
                select video_no, observed_at, null as member_id, view_count, 'views' as file from counts
                where observed_at between '2026-05-20' and '2026-06-01'
                and observed_at not in (select observed_at from full_snapshots)
            )
            select 'chzzk' as platform, video_no::varchar as stream_id, observed_at, member_id as channel_id,
                view_count as vod_view_count, 'tabular' as source, 'stellive/' || file as landing_file,
                observed_at as extracted_at
            from (select * from full_snapshots union all select * from view_snapshots)""",
            [str(folder / "vod_views_snapshots.csv.gz"), str(folder / "raw_snapshots" / "*.csv.gz")],
        ).to_arrow_table()
        connection.register("snapshots", rows)
        for (found_day,) in connection.execute("select distinct observed_at::date from snapshots").fetchall():
            part = connection.execute(
                "select * from snapshots where observed_at::date = ?", [found_day]
            ).to_arrow_table()
            write_partition(layout, "streams", found_day, "tabular", part)
    return layout


def test_the_snapshot_that_lost_a_real_channel_blocks_on_its_day(agency: Layout) -> None:
    verdicts = check_raw(agency, as_of=day("2026-05-26"), days=None)
    assert [f.name for f in verdicts if not f.passed] == [NEWEST]
    blocking = verdict_on(verdicts, NEWEST)
    assert blocking.blocking
    assert "aokumo_rin (509 rows before) is gone from the snapshot of 2026-05-26 04:09:49" in blocking.observed


def test_over_the_whole_range_the_real_snapshot_is_known_to_be_incomplete(agency: Layout) -> None:
    verdicts = check_raw(agency, as_of=day("2026-08-22"), days=None)
    assert not [f for f in verdicts if f.blocking and not f.passed]
    assert incomplete(agency, "2026-08-22") == [("05-26", "aokumo_rin", 509)]
    assert (
        "arahashi_tabi lost 5 rows in the snapshot of 2026-06-04 04:47:35, 5 came back"
        in verdict_on(verdicts, KEPT).observed
    )
