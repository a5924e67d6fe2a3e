"""The Dagster side of the Twitch pull: the asset, its schedule and its sensor, against the local server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from data_lake.clients.tokens import Account, Tokens, TokenStore
from data_lake.clients.twitch.client import CLIENT
from data_lake.clients.twitch.login import SCOPES
from data_lake.layout import Layout
from data_lake.sample_world.live.world import LiveSettings
from orchestration.cli import main
from orchestration.clients import live_sensor, pull_asset, pull_schedule
from orchestration.resources import LakeResource
from orchestration.window import CHANGED, WINDOW
from tests.demo_twitch import demo
from tests.helix_rows import channel, profile, user
from tests.helix_server import CLIENT_ID, FakeClock, HelixServer, World
from tests.helix_world import SampleHelix

THIS_MONTH = datetime.now(UTC).date().replace(day=1).isoformat()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HelixServer]:
    batches = {"users": [profile("1", "one")], "channels": [channel("1", "one")]}
    world = World({"channels/vips": {"1": [user(4)]}}, batches)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with HelixServer(world, FakeClock()) as started:
        monkeypatch.setenv("TWITCH_AUTH_URL", started.auth_url)
        monkeypatch.setenv("TWITCH_HELIX_URL", started.helix_url)
        yield started


def log_in(server: HelixServer) -> None:
    tokens = server.login("1", "one", list(SCOPES))
    TokenStore("twitch").save(Tokens(CLIENT_ID, (Account("1", "one", SCOPES, *tokens),)))


def materialize(lake: Layout, **more: Any) -> dg.ExecuteInProcessResult:
    resources = {"lake": LakeResource(root=str(lake.root))}
    return dg.materialize(
        [pull_asset(CLIENT)], resources=resources, raise_on_error=False, partition_key=THIS_MONTH, **more
    )


def test_the_nightly_pull_lands_files_and_its_metadata_hold_no_token(lake: Layout, server: HelixServer) -> None:
    log_in(server)
    done = materialize(lake, tags={WINDOW: CHANGED})
    assert done.success
    (event,) = done.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["files"].value == 10
    assert metadata["not_whole"].value == []
    assert "secret-" not in "".join(str(e) for e in done.all_events)
    assert len(list((lake.landing / "twitch_helix").glob("*.jsonl"))) == 10


def test_a_backfill_of_a_day_says_what_twitch_does_not_keep(lake: Layout, server: HelixServer) -> None:
    log_in(server)
    done = materialize(lake)
    (event,) = done.get_asset_materialization_events()
    not_whole = str(event.materialization.metadata["not_whole"].value)
    assert "Twitch shows who is VIP now, without dates" in not_whole
    assert "videos of" not in not_whole


def test_without_a_login_the_failure_names_the_command(lake: Layout, server: HelixServer) -> None:
    done = materialize(lake, tags={WINDOW: CHANGED})
    assert not done.success
    assert "fullhouse connect twitch" in str([e.event_specific_data for e in done.all_events if e.is_step_failure])


def test_polling_files_what_it_saw_and_status_names_what_no_login_may_read(
    lake: Layout, server: HelixServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    tokens = server.login("1", "one", ["channel:read:vips"])
    TokenStore("twitch").save(Tokens(CLIENT_ID, (Account("1", "one", ("channel:read:vips",), *tokens),)))
    polled = CliRunner().invoke(main, ["poll", "twitch", "--snapshots", "1"])
    assert polled.exit_code == 0, polled.output
    assert "nobody is live" in polled.output
    assert "1 file in landing/twitch_helix/" in polled.output
    assert len(list((lake.landing / "twitch_helix").glob("*-streams-all-*.jsonl"))) == 1
    status = CliRunner().invoke(main, ["status"]).output
    assert "subscriptions of one: log in again as one and grant channel:read:subscriptions" in status
    assert "vips of one" not in status


def test_everything_that_asks_twitch_is_off_by_default() -> None:
    assert pull_schedule(CLIENT).default_status == dg.DefaultScheduleStatus.STOPPED
    assert live_sensor(CLIENT, []).default_status == dg.DefaultSensorStatus.STOPPED


def test_the_sample_world_comes_through_helix_whole(lake: Layout, tmp_path: Path) -> None:
    kept = dict(os.environ)
    try:
        rows = demo(lake, tmp_path, days=2, scale=0.02, world_days=14)
    finally:
        os.environ.clear()
        os.environ.update(kept)
    world = SampleHelix(LiveSettings(seed=7, scale=0.02, days=14))
    end = datetime(2026, 10, 31, 23, 30)
    assert rows["videos"] >= sum(len(world.rows("videos", c, end)) for c in world.channels)
    assert rows["followers"] > 0
    assert rows["samples"] > 20
