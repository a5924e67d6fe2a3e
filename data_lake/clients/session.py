"""A platform as one person's logins see it: one page at a time, as received, with every call it took.

Everybody's are the waiting for a token bucket, answers that hold no JSON, the renewal of a token that expired, and the
tokens that never reach a message. What a platform's requests and refusals look like is said by its own session.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from data_lake.clients.base import Body, Client, Endpoint, Params, Row, Target
from data_lake.clients.errors import CallFailed, NotConnected
from data_lake.clients.http import Answer, Attempts, Call, Http
from data_lake.clients.limits import Bucket
from data_lake.clients.oauth import json_object
from data_lake.clients.tokens import Account, TokenStore, redacted

# Answers of status 200 that hold no JSON (a proxy's page) are asked for again this often.
UNREADABLE_ANSWERS = 4
UNREADABLE_WAIT_SECONDS = 2.0


@dataclass(frozen=True)
class Page:
    """One page as received, with the calls it took."""

    params: Params
    received_at: str
    status: int
    body: bytes
    attempts: Attempts
    rows: list[Row]
    cursor: str | None
    total: int | None


class Session(ABC):
    """Pages of a platform for the logins of a token store."""

    # The endpoint that finds targets by name; None where there are only those of the logins.
    lookup: Endpoint | None = None

    def __init__(self, client: Client, store: TokenStore, http: Http) -> None:
        self.client, self.store, self.http = client, store, http
        tokens = store.load()
        self.client_id = tokens.client_id or ""
        self._accounts = {a.user_id: a for a in tokens.accounts}
        self._buckets: dict[str, Bucket] = {}
        self._opening: list[Call] = []

    @property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(self._accounts.values())

    @property
    def targets(self) -> list[Target]:
        """What the logins themselves are. Raises NotConnected when there is none."""
        if not self._accounts:
            raise NotConnected(f"no {self.client.title} login yet; run: {self.client.connect_command}")
        return [Target(a.user_id, a.login) for a in self.accounts]

    def account_for(self, endpoint: Endpoint, target: Target | None) -> Account:
        """The login to read an endpoint of a target with (None: of several). Raises NoLogin or NotConnected."""
        return self.client.account_for(self.accounts, endpoint, target)

    def take_opening_calls(self) -> list[Call]:
        """The calls that checked the logins, once: they belong to no list."""
        calls, self._opening = self._opening, []
        return calls

    def check_logins(self) -> dict[str, str]:
        """Ask whose logins these are and what they may do; renew what has expired.

        Logins that have ended are left out from then on: returned with what to do. Raises NotConnected when none is
        left, NoAnswer when the platform does not answer.
        """
        ended = {}
        for account in self.accounts:
            attempts = Attempts()
            try:
                identified = self.identify(account, attempts)
                if identified is None:
                    self._renew(account, attempts)
                else:
                    self._accounts[account.user_id] = identified
            except NotConnected as error:
                ended[account.login] = str(error)
                del self._accounts[account.user_id]
            finally:
                self._opening += attempts.calls
        if ended and not self._accounts:
            raise NotConnected("; ".join(ended.values()))
        return ended

    def page(self, endpoint: Endpoint, params: Params, account: Account, attempts: Attempts) -> Page:
        """One page; every call it took is in `attempts`, whatever happens.

        Raises Refused, DeadCursor, CallFailed, NoAnswer (no connection) or NotConnected (the login has ended).
        """
        renewed = False
        unreadable = 0
        bucket = self._buckets.setdefault(account.user_id, Bucket(self.client.calls))
        while True:
            wait = bucket.wait_seconds(self.http.clock.now())
            if wait:
                self.http.clock.sleep(wait + self.http.jitter())
            answer = self._get(endpoint, params, self._accounts[account.user_id], attempts)
            bucket.update(answer.headers)
            body = json_object(answer)
            if answer.status == 200:
                if body is not None:
                    return self._page(endpoint, params, answer, body, attempts)
                unreadable += 1
                attempts.calls[-1].error = "the answer is no JSON object"
                if unreadable >= UNREADABLE_ANSWERS:
                    raise CallFailed(f"{endpoint.path}: the answer is no JSON object, {unreadable} times")
                self.http.clock.sleep(UNREADABLE_WAIT_SECONDS * unreadable + self.http.jitter())
                continue
            message = self._message(answer.status, body or {})
            attempts.calls[-1].error = message
            if not renewed and self.is_expired(answer.status, message):
                renewed = True
                self._renew(account, attempts)
                continue
            refusal = self.refusal(endpoint, params, answer.status, message)
            if refusal:
                raise refusal
            attempts.calls[-1].error = None
            empty = answer if body is not None else replace(answer, body=b"{}")
            return self._page(endpoint, params, empty, {}, attempts)

    def _renew(self, account: Account, attempts: Attempts) -> None:
        self._accounts[account.user_id] = self.renew(self._accounts[account.user_id], attempts)

    def _get(self, endpoint: Endpoint, params: Params, account: Account, attempts: Attempts) -> Answer:
        headers = {**self.headers(account), "Accept": "application/json", "User-Agent": "full-house"}
        url = f"{self.address(account)}/{endpoint.path}?{urlencode(params, doseq=True)}"
        return self.http.request(
            "GET", url, endpoint=endpoint.path, attempts=attempts, rules=self.client.calls, headers=headers,
            cost=endpoint.cost,
        )  # fmt: skip

    def _page(self, endpoint: Endpoint, params: Params, answer: Answer, body: Body, attempts: Attempts) -> Page:
        paging = endpoint.paging
        return Page(
            params=params, received_at=self.http.clock.stamp(), status=answer.status, body=answer.body,
            attempts=attempts, rows=paging.rows(body), cursor=paging.following(body, params), total=paging.total(body),
        )  # fmt: skip

    def _message(self, status: int, body: Body) -> str:
        """What a refusal says, on one line, without the tokens a server may repeat."""
        text = " ".join(str(body.get("message") or body.get("error") or f"status {status}").split())[:300]
        return redacted(text, self.accounts)

    # What a platform says of itself.

    @abstractmethod
    def address(self, account: Account) -> str:
        """Where the paths of the endpoints begin."""

    @abstractmethod
    def headers(self, account: Account) -> Mapping[str, str]:
        """The headers that log a call in."""

    @abstractmethod
    def refusal(self, endpoint: Endpoint, params: Params, status: int, message: str) -> Exception | None:
        """What an answer other than 200 means: Refused, NotConnected, DeadCursor or CallFailed; None: an empty list."""

    def is_expired(self, status: int, message: str) -> bool:
        """Whether a new token of the same login would be answered otherwise."""
        return False

    def identify(self, account: Account, attempts: Attempts) -> Account | None:
        """The login with its present name and rights, None when its token has expired. Keys neither change nor end."""
        return account

    def renew(self, account: Account, attempts: Attempts) -> Account:
        """The login with new tokens. Raises NotConnected when it has ended."""
        raise NotConnected(f"the login of {account.login} has ended; run: {self.client.connect_command}")

    def query(self, endpoint: Endpoint, ids: Sequence[str], account: Account) -> dict[str, str | tuple[str, ...]]:
        """The parameters that ask for the list of these targets."""
        return {endpoint.target_param: tuple(ids) if endpoint.batch > 1 else ids[0]}

    def lookup_queries(self, names: Sequence[str]) -> list[Params]:
        """What to ask `lookup` to find the targets of these names."""
        return []

    def target_of(self, row: Row) -> Target:
        """The target a row of `lookup` is about."""
        return Target(str(row.get("id")), str(row.get("name", "")).lower())

    def who_may(self, endpoint: Endpoint, target_name: str) -> str:
        """Which login would be allowed to read a list that was refused, with the command that makes it."""
        return f"log in as {target_name}: {self.client.connect_command}"
