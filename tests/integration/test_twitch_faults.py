"""The Helix client against a server that fails, limits, stalls, forgets and repeats itself: no row lost or doubled."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data_lake.clients.pull import pull
from data_lake.ingest import ingest
from data_lake.layout import Layout
from tests.helix_client import logged_in, one, rows, session
from tests.helix_rows import clip, followers, user
from tests.helix_server import FakeClock, Faults, World


def test_two_hundred_pages_survive_a_fifth_of_failing_calls(lake: Layout, tmp_path: Path, world: World, serve) -> None:
    world.lists["channels/followers"] = {"1": followers(20_000)}
    server = serve(world, Faults(share=0.2))
    report = pull(lake, session(logged_in(tmp_path, server), server), endpoints=["followers"])
    listed = one(report, "followers")
    assert (listed.state, listed.rows, listed.pages) == ("pulled", 20_000, 200)
    assert listed.retries > 20
    ingest(lake)
    assert rows(lake, "follows", "count(*), count(distinct viewer_id)", "is_complete") == [(20_000, 20_000)]
    assert rows(lake, "channel_snapshots", "list_name, row_count, total_count, is_complete") == [
        ("followers", 20_000, 20_000, True)
    ]
    assert rows(lake, "channels", "follower_count", "follower_count is not null") == [(20_000,)]
    # Every call is a row: those the server answered, those it broke off, and the one that validated the login.
    assert rows(lake, "api_calls", "count(*)") == [(len(server.asked) + 1,)]
    assert rows(lake, "api_calls", "channel_id, status", "endpoint = 'oauth2/validate'") == [(None, 200)]
    failed = sum(a.status != 200 for a in server.asked)
    assert rows(lake, "api_calls", "count(*)", "error is not null")[0][0] >= failed


def test_a_pull_killed_half_way_goes_on_where_it_stopped(lake: Layout, tmp_path: Path, world: World, serve) -> None:
    world.lists["channels/followers"] = {"1": followers(1_000)}
    server = serve(world)
    store = logged_in(tmp_path, server)
    dying = session(store, server)
    page, asked = dying.page, []

    def until_killed(*args: Any) -> Any:
        if len(asked) == 4:
            raise KeyboardInterrupt
        asked.append(args)
        return page(*args)

    dying.page = until_killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        pull(lake, dying, endpoints=["followers"])
    (partial,) = lake.pulling("twitch_helix").glob("*.partial")
    partial.write_bytes(partial.read_bytes() + b'{"kind": "page", "pass": 1, "par')
    assert not list((lake.landing / "twitch_helix").glob("*.jsonl"))
    report = pull(lake, session(store, server), endpoints=["followers"])
    assert one(report, "followers").state == "pulled"
    assert server.count("channels/followers") == 10
    assert not list(lake.pulling("twitch_helix").glob("*.partial"))
    ingest(lake)
    assert rows(lake, "follows", "count(*), bool_and(is_complete)") == [(1_000, True)]


def test_an_expired_token_is_renewed_in_mid_list_and_the_new_one_is_kept(
    lake: Layout, tmp_path: Path, world: World, serve
) -> None:
    world.lists["channels/followers"] = {"1": followers(500)}
    server = serve(world)
    store = logged_in(tmp_path, server, calls=3)
    before = store.load().accounts[0]
    report = pull(lake, session(store, server), endpoints=["followers"])
    assert one(report, "followers").state == "pulled"
    after = store.load().accounts[0]
    assert after.access_token != before.access_token
    assert after.refresh_token != before.refresh_token
    ingest(lake)
    assert rows(lake, "follows", "count(*)") == [(500,)]
    calls = rows(lake, "api_calls", "endpoint, status, retry_count", "status = 401 or endpoint = 'oauth2/token'")
    assert calls == [("channels/followers", 401, 0), ("oauth2/token", 200, 1)]


def test_a_login_that_ended_fails_with_the_command_that_renews_it(
    lake: Layout, tmp_path: Path, world: World, serve
) -> None:
    world.lists["channels/followers"] = {"1": followers(500)}
    server = serve(world)
    store = logged_in(tmp_path, server, calls=3)
    server.refreshes.clear()
    listed = one(pull(lake, session(store, server), endpoints=["followers"]), "followers")
    assert listed.state == "failed"
    assert "the login of one has ended; run: fullhouse connect twitch" in listed.message


@pytest.mark.parametrize("status", [400, 503])
def test_a_cursor_that_dies_loses_and_doubles_no_row(
    status: int, lake: Layout, tmp_path: Path, world: World, serve
) -> None:
    world.lists["channels/followers"] = {"1": followers(700)}
    server = serve(world, Faults(dead_cursor_at={300}, dead_cursor_status=status))
    if status == 503:
        # It stays dead however often it is asked for.
        server.faults.dead_cursor_at = _Stubborn({300}, times=11)
    report = pull(lake, session(logged_in(tmp_path, server), server), endpoints=["followers"])
    assert one(report, "followers").state == "pulled"
    ingest(lake)
    assert rows(lake, "follows", "count(*), bool_and(is_complete)") == [(700, True)]


class _Stubborn(set[int]):
    def __init__(self, places: set[int], times: int) -> None:
        super().__init__(places)
        self.times = times

    def discard(self, place: int) -> None:
        self.times -= place in self
        if not self.times:
            super().discard(place)


def test_rows_that_repeat_or_hide_between_pages_come_once(lake: Layout, tmp_path: Path, world: World, serve) -> None:
    world.lists["channels/followers"] = {"1": followers(950)}
    lost = Faults(overlap=7, lost=lambda walk, place: walk == 1 and place in (199, 400, 401))
    server = serve(world, lost)
    listed = one(pull(lake, session(logged_in(tmp_path, server), server), endpoints=["followers"]), "followers")
    assert (listed.state, listed.rows) == ("pulled", 950)
    ingest(lake)
    assert rows(lake, "follows", "count(*), count(distinct viewer_id)") == [(950, 950)]


def test_a_count_that_holds_more_than_the_list_is_settled_by_a_second_walk(
    lake: Layout, tmp_path: Path, world: World, serve
) -> None:
    world.lists["channels/followers"] = {"1": followers(300)}
    server = serve(world, Faults(extra_total=20))
    listed = one(pull(lake, session(logged_in(tmp_path, server), server), endpoints=["followers"]), "followers")
    assert (listed.state, listed.rows) == ("pulled", 300)
    assert server.count("channels/followers") == 6


def test_rows_hidden_in_every_walk_make_the_snapshot_incomplete(
    lake: Layout, tmp_path: Path, world: World, serve
) -> None:
    world.lists["channels/followers"] = {"1": followers(300)}
    server = serve(world, Faults(lost=lambda walk, place: place > 280 or place > 200 + 20 * walk))
    listed = one(pull(lake, session(logged_in(tmp_path, server), server), endpoints=["followers"]), "followers")
    assert listed.state == "incomplete"
    ingest(lake)
    assert rows(lake, "channel_snapshots", "row_count, total_count, is_complete") == [(261, 300, False)]


def test_clips_above_the_cap_are_sliced_by_time(lake: Layout, tmp_path: Path, world: World, serve) -> None:
    begin = datetime(2026, 2, 1)
    world.lists["clips"] = {"1": [clip(n, begin + timedelta(minutes=9 * n)) for n in range(2_600)]}
    server = serve(world)
    report = pull(
        lake, session(logged_in(tmp_path, server), server), endpoints=["clips"], since=date(2026, 2, 1),
        until=date(2026, 2, 20),
    )  # fmt: skip
    assert one(report, "clips").state == "pulled"
    ingest(lake)
    assert rows(lake, "clips", "count(*), min(stream_id), max(vod_offset_seconds)") == [(2_600, "vod:700", 60.0)]


def test_the_bucket_is_never_overdrawn(lake: Layout, tmp_path: Path, world: World, serve, clock: FakeClock) -> None:
    world.lists["channels/followers"] = {"1": followers(3_000)}
    server = serve(world, Faults(bucket=8))
    listed = one(pull(lake, session(logged_in(tmp_path, server), server), endpoints=["followers"]), "followers")
    assert listed.rows == 3_000
    assert server.count("channels/followers", 429) == 0
    assert clock.slept > 120


def test_a_429_is_waited_out_as_long_as_it_says(
    lake: Layout, tmp_path: Path, world: World, serve, clock: FakeClock
) -> None:
    world.lists["channels/vips"] = {"1": [user(4)]}
    server = serve(world, Faults(scripted=[429]))
    assert one(pull(lake, session(logged_in(tmp_path, server), server), endpoints=["vips"]), "vips").state == "pulled"
    assert 59 < clock.slept < 63
    ingest(lake)
    calls = rows(lake, "api_calls", "status, quota_cost, retry_count", "endpoint = 'channels/vips'")
    assert calls == [(200, 1, 1), (429, 0, 0)]


def test_a_body_that_stalls_is_asked_for_again(lake: Layout, tmp_path: Path, world: World, serve) -> None:
    world.lists["channels/vips"] = {"1": [user(4)]}
    server = serve(world, Faults(scripted=["slow"], slow_seconds=0.6))
    slow = session(logged_in(tmp_path, server), server, read_seconds=0.2)
    assert one(pull(lake, slow, endpoints=["vips"]), "vips").rows == 1
    ingest(lake)
    assert rows(lake, "api_calls", "error", "status is null") == [("the answer did not come in time",)]


def test_a_partial_of_yesterday_becomes_an_incomplete_snapshot(
    lake: Layout, tmp_path: Path, world: World, serve, clock: FakeClock
) -> None:
    world.lists["channels/followers"] = {"1": followers(300)}
    server = serve(world, Faults(down_after=2))
    store = logged_in(tmp_path, server)
    listed = one(pull(lake, session(store, server), endpoints=["followers"]), "followers")
    assert listed.state == "failed"
    assert "status 500" in listed.message
    assert listed.message.endswith("pull again to go on where it stopped")
    clock.sleep(86_400)
    server.faults.down_after = None
    assert one(pull(lake, session(store, server), endpoints=["followers"]), "followers").state == "pulled"
    ingest(lake)
    assert rows(lake, "channel_snapshots", "event_date, is_complete") == [
        (date(2026, 3, 1), False), (date(2026, 3, 2), True),
    ]  # fmt: skip
