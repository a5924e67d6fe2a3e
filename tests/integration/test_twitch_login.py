"""Logging in to Twitch by device code, and polling who is live, against the local server."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data_lake.clients.errors import NotConnected
from data_lake.clients.http import Clock, Http
from data_lake.clients.oauth import renew
from data_lake.clients.poll import poll
from data_lake.clients.tokens import Account, Tokens, TokenStore
from data_lake.clients.twitch.helix import HelixSession
from data_lake.clients.twitch.login import SCOPES, connect
from data_lake.ingest import ingest
from data_lake.layout import Layout
from data_lake.store import scan
from tests.helix_rows import live
from tests.helix_server import CLIENT_ID, FakeClock, Faults, HelixServer, Login, World


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HelixServer]:
    with HelixServer(World(), FakeClock()) as started:
        monkeypatch.setenv("TWITCH_AUTH_URL", started.auth_url)
        monkeypatch.setenv("TWITCH_HELIX_URL", started.helix_url)
        monkeypatch.delenv("TWITCH_CLIENT_ID", raising=False)
        yield started


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore("twitch", tmp_path / "config" / "full-house" / "twitch.json")


def http(server: HelixServer) -> Http:
    return Http(Clock(server.clock.now, server.clock.sleep))


def test_a_login_by_device_code_keeps_its_tokens_for_their_owner_only(server: HelixServer, store: TokenStore) -> None:
    server.device_login = Login("1", "one", list(SCOPES))
    server.device_answers = ["authorization_pending", "slow_down", "authorization_pending"]
    messages: list[str] = []
    account = connect(store, http(server), tell=messages.append, client_id=CLIENT_ID)
    assert (account.login, account.user_id, account.scopes) == ("one", "1", SCOPES)
    assert messages == ["open https://www.twitch.tv/activate and enter the code ABCDEFGH"]
    assert 5 + 5 + 10 + 10 <= server.clock.slept < 31
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert store.load().accounts == (account,)
    assert store.load().client_id == CLIENT_ID
    assert "secret" not in repr(account) + repr(store.load())


def test_rights_that_grew_wide_are_tightened_when_the_tokens_are_read(store: TokenStore) -> None:
    store.save(Tokens(CLIENT_ID))
    store.path.chmod(0o644)
    store.load()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_second_login_stands_beside_the_first(server: HelixServer, store: TokenStore) -> None:
    for user_id, name in (("1", "one"), ("2", "two"), ("1", "one")):
        server.device_login = Login(user_id, name, list(SCOPES))
        connect(store, http(server), tell=lambda text: None, client_id=CLIENT_ID)
    assert sorted(a.login for a in store.load().accounts) == ["one", "two"]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (["access_denied"], "the login was not completed: access_denied"),
        (["authorization_pending"] * 400, "the code ran out before it was entered"),
    ],
)
def test_a_login_that_is_not_made_says_so(
    answers: list[str], message: str, server: HelixServer, store: TokenStore
) -> None:
    server.device_answers = answers
    with pytest.raises(NotConnected, match=message):
        connect(store, http(server), tell=lambda text: None, client_id=CLIENT_ID)
    assert not store.path.exists()


def test_without_a_client_id_the_message_says_where_to_get_one(server: HelixServer, store: TokenStore) -> None:
    with pytest.raises(NotConnected, match="set TWITCH_CLIENT_ID"):
        connect(store, http(server), tell=lambda text: None)


def test_a_damaged_token_file_is_named_and_not_repeated(store: TokenStore) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text('{"accounts": [{"access_token": "secret-1"')
    with pytest.raises(NotConnected, match="no token file") as raised:
        store.load()
    assert "secret" not in str(raised.value)


def test_tokens_are_not_sent_over_the_network_in_the_open(store: TokenStore, server: HelixServer) -> None:
    with pytest.raises(NotConnected, match="not https"):
        HelixSession(store, http(server), "http://example.org/helix")


def test_a_token_another_process_renewed_is_taken_over(server: HelixServer, store: TokenStore) -> None:
    old = Account("1", "one", SCOPES, *server.login("1", "one", list(SCOPES)))
    store.save(Tokens(CLIENT_ID, (old,)))
    token_url = f"{server.auth_url}/token"
    first = renew(store, http(server), old, token_url)
    # A second use of the old refresh token would be refused.
    assert renew(store, http(server), old, token_url) == first


def polled(server: HelixServer, store: TokenStore) -> HelixSession:
    if not store.path.exists():
        store.save(Tokens(CLIENT_ID, (Account("1", "one", SCOPES, *server.login("1", "one", list(SCOPES))),)))
    return HelixSession(store, http(server))


def test_polls_become_viewer_counts_and_an_ended_stream_lands_them(
    lake: Layout, server: HelixServer, store: TokenStore
) -> None:
    server.world.batches["streams"] = [live("1", "s1", 40)]
    for viewers in (40, 44):
        server.world.batches["streams"][0]["viewer_count"] = viewers
        report = poll(lake, polled(server, store))
        assert [(one.stream_id, one.viewer_count) for one in report.live] == [("s1", viewers)]
        server.clock.sleep(60)
    server.world.batches["streams"].clear()
    # Pages may leave a stream out: one snapshot without it does not end it.
    assert poll(lake, polled(server, store)).ended == []
    server.clock.sleep(60)
    report = poll(lake, polled(server, store))
    assert [one.stream_id for one in report.ended] == ["s1"]
    assert len(report.landed) == 1
    ingest(lake)
    counts = scan(lake, "viewer_counts").query("t", "select channel_id, stream_id, viewer_count from t order by all")
    assert counts.fetchall() == [("1", "s1", 40), ("1", "s1", 44)]
    streams = scan(lake, "streams").query("t", "select distinct stream_id, category_name, started_at from t").fetchall()
    assert [row[:2] for row in streams] == [("s1", "Chess")]


def test_polls_of_an_hour_share_one_landing_file(lake: Layout, server: HelixServer, store: TokenStore) -> None:
    server.world.batches["streams"] = [live("1", "s1", 40)]
    landed: list[Any] = []
    for _ in range(8):
        landed += poll(lake, polled(server, store)).landed
        server.clock.sleep(600)
    landed += poll(lake, polled(server, store), flush=True).landed
    assert len(landed) == 2
    pages = [json.loads(line)["kind"] for path in landed for line in path.read_text().splitlines()]
    assert pages.count("page") == 9
    assert server.count("streams") == 9


def test_a_poll_that_fails_is_a_hole_and_not_an_end(lake: Layout, server: HelixServer, store: TokenStore) -> None:
    server.world.batches["streams"] = [live("1", "s1", 40)]
    poll(lake, polled(server, store))
    server.faults = Faults(scripted=[500] * 33)
    for _ in range(3):
        report = poll(lake, polled(server, store))
        assert "the viewers of this moment are not known" in (report.error or "")
    assert poll(lake, polled(server, store), flush=True).ended == []
    ingest(lake)
    assert scan(lake, "viewer_counts").query("t", "select count(*) from t").fetchall() == [(2,)]
    assert scan(lake, "api_calls").query("t", "select count(*) from t where error is not null").fetchall() == [(33,)]
