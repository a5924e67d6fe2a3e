"""A session with the local Helix server, and what tests ask of a pull and of the lake it filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data_lake.clients.http import Clock, Http
from data_lake.clients.report import ListReport, PullReport
from data_lake.clients.tokens import Account, Tokens, TokenStore
from data_lake.clients.twitch.helix import HelixSession
from data_lake.clients.twitch.login import SCOPES
from data_lake.layout import Layout
from data_lake.store import scan
from tests.helix_server import CLIENT_ID, HelixServer


def logged_in(
    tmp_path: Path, server: HelixServer, scopes: tuple[str, ...] = SCOPES, calls: int | None = None, user_id: str = "1"
) -> TokenStore:
    """A token file with one login, by default of channel 1."""
    store = TokenStore("twitch", tmp_path / "config" / "full-house" / "twitch.json")
    name = {"1": "one"}.get(user_id, "someone")
    tokens = server.login(user_id, name, list(scopes), calls)
    store.save(Tokens(CLIENT_ID, (Account(user_id, name, scopes, *tokens),)))
    return store


def session(store: TokenStore, server: HelixServer, read_seconds: float = 5.0) -> HelixSession:
    return HelixSession(store, Http(Clock(server.clock.now, server.clock.sleep), read_seconds=read_seconds))


def rows(lake: Layout, entity: str, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    return scan(lake, entity).query("entity", f"select {columns} from entity where {where} order by all").fetchall()


def one(report: PullReport, endpoint: str) -> ListReport:
    return next(one for one in report.lists if one.endpoint == endpoint)
