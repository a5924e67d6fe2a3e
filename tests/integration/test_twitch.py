"""Pulls by the Helix client from a local server that speaks Helix, up to the rows in raw/."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from data_lake.clients.access import missing_access
from data_lake.clients.errors import PullBusy
from data_lake.clients.http import Clock
from data_lake.clients.pull import pull
from data_lake.clients.pull_file import PullFolder
from data_lake.clients.twitch.client import CLIENT
from data_lake.clients.twitch.login import SCOPES
from data_lake.ingest import ingest
from data_lake.layout import Layout
from tests.helix_client import logged_in, one, rows, session
from tests.helix_rows import ban, clip, followers, planned, subscriber, user, video
from tests.helix_server import FakeClock, Faults, World


def test_pulling_again_the_same_day_asks_for_nothing(lake: Layout, tmp_path: Path, world: World, serve) -> None:
    world.lists["clips"] = {"1": [clip(1, datetime(2026, 2, 28, 20))]}
    server = serve(world)
    store = logged_in(tmp_path, server)
    pull(lake, session(store, server))
    before = len(server.asked)
    report = pull(lake, session(store, server))
    assert {o.state for o in report.lists} == {"already there"}
    assert len(server.asked) == before


def test_a_missing_scope_skips_the_endpoint_and_says_which_login_would_do(
    lake: Layout, tmp_path: Path, world: World, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    world.lists |= {"channels/followers": {"1": followers(40)}, "channels/vips": {"1": [user(4)]}}
    server = serve(world)
    store = logged_in(tmp_path, server, scopes=("channel:read:vips",))
    report = pull(lake, session(store, server))
    assert one(report, "vips").state == "pulled"
    assert one(report, "banned").message == "log in again as one and grant moderation:read: fullhouse connect twitch"
    assert one(report, "followers").state == "skipped"
    assert server.count("moderation/banned", None) == 0
    sentences = " ".join(missing_access(lake, CLIENT))
    assert "banned of one: log in again as one and grant moderation:read" in sentences
    assert "vips" not in sentences
    ingest(lake)
    # Anyone may read how many followers there are.
    assert rows(lake, "channels", "follower_count", "follower_count is not null") == [(40,)]
    assert rows(lake, "channel_snapshots", "list_name, is_complete", "list_name = 'followers'") == [
        ("followers", False)
    ]


def test_lists_of_another_channel_name_the_login_that_may_read_them(
    lake: Layout, tmp_path: Path, world: World, serve
) -> None:
    world.lists["subscriptions"] = {"1": [subscriber(4)]}
    server = serve(world)
    store = logged_in(tmp_path, server, user_id="2")
    report = pull(lake, session(store, server), ["ONE"], endpoints=["subscriptions", "users"])
    wanted = "log in as the channel one and grant channel:read:subscriptions: fullhouse connect twitch"
    assert one(report, "subscriptions").message == wanted
    assert one(report, "users").rows == 1


def test_snapshots_tell_who_is_gone_and_a_ban_is_one_action(
    lake: Layout, tmp_path: Path, world: World, serve, clock: FakeClock
) -> None:
    world.lists["moderation/banned"] = {
        "1": [ban(7, "2026-02-20T10:00:00Z"), ban(8, "2026-03-01T10:00:00Z", "2026-03-01T10:10:00Z")]
    }
    world.lists["moderation/moderators"] = {"1": [user(9)]}
    server = serve(world)
    store = logged_in(tmp_path, server)
    pull(lake, session(store, server), endpoints=["banned", "moderators"])
    clock.sleep(86_400)
    world.lists["moderation/banned"]["1"].pop()
    world.lists["moderation/moderators"]["1"].clear()
    pull(lake, session(store, server), endpoints=["banned", "moderators"])
    ingest(lake)
    assert rows(lake, "channel_snapshots", "list_name, event_date, row_count, is_complete") == [
        ("banned", date(2026, 3, 1), 2, True),
        ("banned", date(2026, 3, 2), 1, True),
        ("moderators", date(2026, 3, 1), 1, True),
        ("moderators", date(2026, 3, 2), 0, True),
    ]
    assert rows(lake, "channel_roles", "role, viewer_id, viewer_login, event_date") == [
        ("moderator", "9", "viewer9", date(2026, 3, 1))
    ]
    assert rows(lake, "moderation_actions", "target_viewer_id, action_type, duration_seconds, moderator_id") == [
        ("7", "ban", None, "9"),
        ("8", "timeout", 600.0, "9"),
    ]
    assert rows(lake, "bans", "viewer_id, event_date") == [
        ("7", date(2026, 3, 1)), ("7", date(2026, 3, 2)), ("8", date(2026, 3, 1)),
    ]  # fmt: skip


def test_a_daily_pull_fills_every_entity_and_reads_the_same_again(
    lake: Layout, tmp_path: Path, world: World, serve
) -> None:
    world.lists |= {
        "videos": {"1": [video(700, "2026-02-28T18:00:00Z"), video(701, "2026-02-01T10:00:00Z", kind="upload")]},
        "schedule": {"1": [planned("p1", "2026-03-03T18:00:00Z", "2026-03-03T21:00:00Z", "2026-03-04T00:00:00Z")]},
        "subscriptions": {"1": [subscriber(1, gifter="6"), subscriber(2, tier="3000")]},
        "channels/vips": {"1": [user(4)]},
        "clips": {"1": [clip(1, datetime(2026, 2, 28, 20))]},
    }
    server = serve(world)
    report = pull(lake, session(logged_in(tmp_path, server), server))
    assert {o.state for o in report.lists} == {"pulled"}
    assert not ingest(lake).failed
    assert rows(lake, "streams", "stream_id, vod_id, duration_seconds, is_complete") == [("1700", "700", 10800.0, True)]
    assert rows(lake, "videos", "video_id, video_type") == [("701", "upload")]
    assert rows(lake, "scheduled_streams", "segment_id, category_name, is_cancelled") == [("p1", "Chess", True)]
    assert rows(lake, "subscriptions", "viewer_id, tier, is_gift, gifter_id") == [
        ("1", "1000", True, "6"), ("2", "3000", False, None),
    ]  # fmt: skip
    assert rows(lake, "channels", "max(login), max(broadcaster_type), max(language), max(subscriber_count)") == [
        ("one", "affiliate", "en", 2)
    ]
    before = {p.relative_to(lake.raw): p.read_bytes() for p in lake.raw.rglob("part-0.parquet")}
    for path in lake.raw.rglob("*"):
        if path.is_file():
            path.unlink()
    ingest(lake)
    assert {p.relative_to(lake.raw): p.read_bytes() for p in lake.raw.rglob("part-0.parquet")} == before


def test_a_backfill_says_what_twitch_does_not_keep(lake: Layout, tmp_path: Path, world: World, serve) -> None:
    server = serve(world)
    store = logged_in(tmp_path, server)
    report = pull(lake, session(store, server), endpoints=["streams", "videos", "followers"], since=date(2026, 1, 1))
    assert one(report, "streams").state == one(report, "followers").state == "no history"
    assert "Twitch shows only what is live now" in one(report, "streams").message
    assert one(report, "videos").state == "pulled"


def test_two_pulls_at_once_are_one_too_many(lake: Layout, tmp_path: Path, world: World, serve) -> None:
    server = serve(world)
    with (
        PullFolder(lake, CLIENT, Clock()).alone(),
        pytest.raises(PullBusy, match=r"Twitch is being pulled into .* by process .*; wait for it to end"),
    ):
        pull(lake, session(logged_in(tmp_path, server), server))


def test_no_token_is_written_anywhere_but_the_token_file(
    lake: Layout, tmp_path: Path, world: World, serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.lists["channels/followers"] = {"1": followers(300)}
    server = serve(world, Faults(share=0.3, repeats_token=True))
    store = logged_in(tmp_path, server, calls=2)
    report = pull(lake, session(store, server))
    server.tokens.clear()
    server.refreshes.clear()
    ended = session(store, server)
    ended.check_logins = lambda: {}  # type: ignore[method-assign]
    report.lists += pull(lake, ended, endpoints=["vips", "clips"], since=date(2026, 1, 1)).lists
    ingest(lake)
    output = "\n".join([caplog.text, repr(report), repr(store.load()), *report.messages])
    assert "secret-" not in output
    for path in lake.root.rglob("*"):
        if path.is_file():
            assert b"secret-" not in path.read_bytes(), path
    assert "secret-" not in str(rows(lake, "api_calls", "*"))


def test_requests_and_answers_agree_with_the_published_description(
    lake: Layout, tmp_path: Path, world: World, serve, real_data: Path
) -> None:
    path = real_data / "twitch_openapi" / "twitch-helix-openapi.json"
    if not path.exists():
        pytest.skip("the description of Helix is not here: put it at ../shared/data/twitch_openapi")
    described = json.loads(path.read_text(encoding="utf-8"))
    world.lists |= {
        "videos": {"1": [video(700, "2026-02-28T18:00:00Z")]}, "clips": {"1": [clip(1, datetime(2026, 2, 28, 20))]},
        "schedule": {"1": [planned("p1", "2026-03-03T18:00:00Z", "2026-03-03T21:00:00Z")]},
        "channels/followers": {"1": followers(101)}, "subscriptions": {"1": [subscriber(1)]},
        "moderation/banned": {"1": [ban(7, "2026-02-20T10:00:00Z")]}, "channels/vips": {"1": [user(4)]},
        "moderation/moderators": {"1": [user(9)]},
    }  # fmt: skip
    server = serve(world)
    pull(lake, session(logged_in(tmp_path, server), server))
    assert len({a.path for a in server.asked}) == 10
    for asked in server.asked:
        get = described["paths"][f"/{asked.path}"]["get"]
        documented = {p["name"] for p in get["parameters"]}
        assert set(asked.params) <= documented, asked.path
        assert {p["name"] for p in get["parameters"] if p.get("required")} <= set(asked.params), asked.path
        scopes = get["security"][0]["twitch_auth"]
        assert not scopes or set(scopes) & set(SCOPES), asked.path
        schema = get["responses"]["200"]["content"]["application/json"]["schema"]
        assert list(_differences(described, schema, asked.body, asked.path)) == []


def _differences(described: dict[str, Any], schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
    """Where a value does not fit its OpenAPI schema: a property that is missing, unknown or of another type."""
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": int | float}
    if value is None:
        return
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        yield f"{place} is no {schema['type']}"
    elif isinstance(value, dict):
        yield from (f"{place}.{name} is missing" for name in schema.get("required", []) if name not in value)
        yield from (f"{place}.{name} is unknown" for name in value if name not in schema.get("properties", {}))
        for name, inner in schema.get("properties", {}).items():
            yield from _differences(described, inner, value.get(name), f"{place}.{name}")
    elif isinstance(value, list):
        for one_value in value[:2]:
            yield from _differences(described, schema["items"], one_value, f"{place}[]")
