"""A whole client, as a person adds one: a server that is known by a key, pages by offset, and counts what calls cost.

Tests open it as it is, or copy this file to `data_lake/clients/toy/client.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from data_lake.clients.base import Body, Client, Endpoint, Login, Paging, Params, Setting, Target
from data_lake.clients.errors import CallFailed, NotConnected
from data_lake.clients.http import Attempts, Http
from data_lake.clients.limits import CallRules
from data_lake.clients.oauth import json_object
from data_lake.clients.session import Session
from data_lake.clients.tokens import Account, TokenStore, private


def following(body: Body, params: Params) -> str | None:
    """Where the next page begins, counted from where this one did."""
    end = int(str(params.get("skip", 0))) + len(body.get("results", []))
    return str(end) if end < body.get("total", 0) else None


PAGES = Paging("take", "skip", lambda body: body.get("results", []), following, lambda body: body.get("total"))
ENDPOINTS = {
    "items": Endpoint(
        name="items", path="items", target_param="server", paging=PAGES, page_size=10, cost=3,
        now_only="a toy shows only what it has now",
    ),
    "plays": Endpoint(name="plays", path="plays", target_param="server", paging=PAGES, page_size=10, row_id="play_id"),
}  # fmt: skip


def address() -> str:
    return private(os.environ["TOY_URL"])


class ToySession(Session):
    """Pages of the servers whose keys were given."""

    def address(self, account: Account) -> str:
        return address()

    def headers(self, account: Account) -> Mapping[str, str]:
        return {"X-Api-Key": account.access_token}

    def refusal(self, endpoint: Endpoint, params: Params, status: int, message: str) -> Exception | None:
        if status == 401:
            return NotConnected(f"{endpoint.path}: the key is not taken; run: {self.client.connect_command}")
        return CallFailed(f"{endpoint.path}: {message} (status {status})")


def account_for(accounts: Sequence[Account], endpoint: Endpoint, target: Target | None) -> Account:
    return next(account for account in accounts if target is None or account.user_id == target.id)


def connect(http: Http, tell: Callable[[str], None], settings: Mapping[str, str | None]) -> str:
    name, key = settings["name"] or "home", settings["key"] or ""
    headers = {"X-Api-Key": key}
    answer = http.request(
        "GET", f"{address()}/status", endpoint="status", attempts=Attempts(), rules=CLIENT.calls, headers=headers
    )
    server = json_object(answer)
    if answer.status != 200 or server is None:
        raise NotConnected(f"the server does not take this key (status {answer.status})")
    tell(f"a toy of version {server['version']}")
    TokenStore("toy").put(Account(server["id"], name, (), key, ""), None)
    return name


CLIENT = Client(
    name="toy", title="Toy", platform="toy", source="toy", world="media", target="server", named_by="name",
    description="What toys hold, as received.", endpoints=ENDPOINTS, account_for=account_for,
    login=Login(
        "Give the key of a server.", (Setting("name", "What to call it."), Setting("key", "Its key", True)), connect
    ),
    open=lambda http: ToySession(CLIENT, TokenStore("toy"), http), calls=CallRules(retries=2, refused_cost=1),
)  # fmt: skip
