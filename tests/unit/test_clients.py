"""The base of all clients, with a platform that has nothing of Twitch's: a key, pages by offset, calls that cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data_lake.clients.errors import NotConnected, UnknownTarget
from data_lake.clients.http import Clock, Http
from data_lake.clients.poll import poll
from data_lake.clients.pull import pull
from data_lake.clients.tokens import Account, TokenStore
from data_lake.layout import Layout
from data_lake.sources import SOURCES
from data_lake.sources.reading.blocks import read_head
from tests.helix_server import FakeClock
from tests.toy_client import CLIENT, ToySession
from tests.toy_server import KEY, ToyServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToyServer]:
    lists = {"items": [{"id": n} for n in range(25)], "plays": [{"play_id": n} for n in range(3)]}
    with ToyServer(lists) as started:
        monkeypatch.setenv("TOY_URL", started.url)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        yield started


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def session(clock: FakeClock, key: str = KEY) -> ToySession:
    TokenStore("toy").put(Account("s1", "home", (), key, ""), None)
    return ToySession(CLIENT, TokenStore("toy"), Http(Clock(clock.now, clock.sleep)))


def landed(lake: Layout, name: str) -> list[dict[str, Any]]:
    (path,) = (lake.landing / "toy").glob(f"*-{name}-*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_list_that_pages_by_offset_comes_whole_and_its_calls_cost_what_it_says(
    lake: Layout, server: ToyServer, clock: FakeClock
) -> None:
    server.statuses = [503]
    report = pull(lake, session(clock))
    assert [(one.endpoint, one.target, one.state, one.rows, one.pages) for one in report.lists] == [
        ("items", "home", "pulled", 25, 3),
        ("plays", "home", "pulled", 3, 1),
    ]
    request, *pages, end = landed(lake, "items")
    assert (request["platform"], request["server_id"]) == ("toy", "s1")
    assert [page["params"].get("skip") for page in pages] == [None, "10", "20"]
    assert [(call["status"], call["quota_cost"]) for call in pages[0]["calls"]] == [(503, 3), (200, 3)]
    assert (end["rows"], end["is_complete"]) == (25, True)
    assert [call["quota_cost"] for call in landed(lake, "plays")[1]["calls"]] == [1]


def test_a_pull_that_broke_off_goes_on_at_the_page_it_lacks(lake: Layout, server: ToyServer, clock: FakeClock) -> None:
    opened = session(clock)
    page = opened.page

    def dying(*args: Any) -> Any:
        if args[1].get("skip") == "10":
            raise KeyboardInterrupt
        return page(*args)

    opened.page = dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        pull(lake, opened, endpoints=["items"])
    asked = len(server.asked)
    assert pull(lake, session(clock), endpoints=["items"]).lists[0].state == "pulled"
    assert len(server.asked) - asked == 2
    assert [page["params"].get("skip") for page in landed(lake, "items")[1:-1]] == [None, "10", "20"]


def test_a_platform_says_how_often_it_may_be_asked_again(lake: Layout, server: ToyServer, clock: FakeClock) -> None:
    server.statuses = [429] * 3
    (report,) = pull(lake, session(clock), endpoints=["items"]).lists
    assert (report.state, report.calls) == ("failed", 3)
    (partial,) = lake.pulling("toy").glob("*.partial")
    failed = json.loads(partial.read_text(encoding="utf-8").splitlines()[-1])
    assert [call["quota_cost"] for call in failed["calls"]] == [1, 1, 1]


def test_a_backfill_says_in_the_platforms_own_words_what_it_does_not_keep(
    lake: Layout, server: ToyServer, clock: FakeClock
) -> None:
    items, plays = pull(lake, session(clock), since=date(2026, 1, 1)).lists
    assert (items.target, items.state) == ("any server", "no history")
    assert items.message.startswith("a toy shows only what it has now")
    assert plays.state == "pulled"


def test_a_key_that_is_refused_names_the_command_and_is_repeated_nowhere(
    lake: Layout, server: ToyServer, clock: FakeClock
) -> None:
    (report,) = pull(lake, session(clock, "secret-wrong"), endpoints=["items"]).lists
    assert report.message == "items: the key is not taken; run: fullhouse connect toy"
    written = b"".join(path.read_bytes() for path in lake.root.rglob("*") if path.is_file())
    assert b"opens nothing" in written
    assert b"secret-" not in written


def test_without_a_lookup_only_what_is_connected_can_be_named(
    lake: Layout, server: ToyServer, clock: FakeClock
) -> None:
    with pytest.raises(UnknownTarget, match="Toy knows no server attic; check the spelling of the name"):
        pull(lake, session(clock), ["attic"])
    assert len(pull(lake, session(clock), ["HOME"]).lists) == 2
    TokenStore("toy").path.unlink()
    empty = ToySession(CLIENT, TokenStore("toy"), Http(Clock(clock.now, clock.sleep)))
    with pytest.raises(NotConnected, match="no Toy login yet; run: fullhouse connect toy"):
        pull(lake, empty)


def test_a_pull_file_is_taken_for_its_own_platforms_whatever_its_endpoint_is_called(tmp_path: Path) -> None:
    def recognised(**request: str) -> str | None:
        path = tmp_path / "pull.jsonl"
        path.write_text(json.dumps({"kind": "request", **request}) + "\n", encoding="utf-8")
        return SOURCES["twitch_helix"].recognise(read_head(path))

    assert recognised(platform="toy", endpoint="videos") is None
    assert recognised(platform="twitch", endpoint="videos") == "a pull of Twitch videos"
    assert recognised(endpoint="videos") == "a pull of Twitch videos"


def test_a_client_that_polls_nothing_cannot_be_polled(lake: Layout, server: ToyServer, clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="nothing of Toy is polled"):
        poll(lake, session(clock))
