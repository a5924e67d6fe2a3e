"""Helix as one person's logins see it: its headers, its refusals, how a login is validated and renewed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from data_lake.clients.base import Endpoint, Params, Row, Target
from data_lake.clients.errors import CallFailed, DeadCursor, NotConnected, Refused
from data_lake.clients.http import Attempts, Http
from data_lake.clients.oauth import renew
from data_lake.clients.session import Session
from data_lake.clients.tokens import Account, TokenStore, private
from data_lake.clients.twitch.client import CLIENT
from data_lake.clients.twitch.endpoints import CONNECT, ENDPOINTS, TARGETS_PER_CALL
from data_lake.clients.twitch.login import auth_url, validate

HELIX_URL = "https://api.twitch.tv/helix"


class HelixSession(Session):
    """Pages of Helix for the logins of a token store. `base_url` is by default TWITCH_HELIX_URL, else Twitch's own."""

    lookup = ENDPOINTS["users"]

    def __init__(self, store: TokenStore, http: Http, base_url: str | None = None) -> None:
        super().__init__(CLIENT, store, http)
        self._base = private(base_url or os.environ.get("TWITCH_HELIX_URL", HELIX_URL))

    def address(self, account: Account) -> str:
        return self._base

    def headers(self, account: Account) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {account.access_token}", "Client-Id": self.client_id}

    def identify(self, account: Account, attempts: Attempts) -> Account | None:
        owner = validate(self.http, account.access_token, attempts)
        return replace(account, scopes=tuple(owner["scopes"]), login=owner["login"]) if owner else None

    def is_expired(self, status: int, message: str) -> bool:
        return status == 401 and not _is_about_rights(message)

    def renew(self, account: Account, attempts: Attempts) -> Account:
        return renew(self.store, self.http, account, f"{auth_url()}/token", attempts)

    def refusal(self, endpoint: Endpoint, params: Params, status: int, message: str) -> Exception | None:
        text = f"{endpoint.path}: {message} (status {status})"
        if status == 404 and endpoint.name == "schedule":
            # The channel has no schedule: an empty list, not a fault.
            return None
        if status == 403 or (status == 401 and _is_about_rights(message)):
            return Refused(text)
        if status == 401:
            return NotConnected(f"{endpoint.path}: Twitch does not take the login; run: {CONNECT}")
        # A cursor that belongs to another list has been seen answered with 503 (twitchdev/issues 707).
        if "after" in params and (status >= 500 or "cursor" in message.lower() or "pagination" in message.lower()):
            return DeadCursor(text)
        return CallFailed(text)

    def query(self, endpoint: Endpoint, ids: Sequence[str], account: Account) -> dict[str, str | tuple[str, ...]]:
        login_param = ENDPOINTS[endpoint.name].login_param
        own = {login_param: account.user_id} if login_param else {}
        return {**super().query(endpoint, ids, account), **own}

    def lookup_queries(self, names: Sequence[str]) -> list[Params]:
        chunks = [names[i : i + TARGETS_PER_CALL] for i in range(0, len(names), TARGETS_PER_CALL)]
        by_kind = [
            {"id": tuple(n for n in chunk if n.isdigit()), "login": tuple(n for n in chunk if not n.isdigit())}
            for chunk in chunks
        ]
        return [{param: values for param, values in query.items() if values} for query in by_kind]

    def target_of(self, row: Row) -> Target:
        return Target(str(row.get("id")), str(row.get("login", "")).lower())

    def who_may(self, endpoint: Endpoint, target_name: str) -> str:
        is_for_moderators = ENDPOINTS[endpoint.name].reader == "moderator"
        who = f"{target_name} or one of its moderators" if is_for_moderators else target_name
        return f"log in as {who} and grant {endpoint.scope}: {CONNECT}"


def _is_about_rights(message: str) -> bool:
    """Whether a 401 is about what a token may do, which a new token of the same login would not change."""
    lowered = message.lower()
    return "scope" in lowered or "must match the user id" in lowered
