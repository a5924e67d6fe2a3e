"""The Helix client: one page at a time, with what is Twitch's own: scopes, the token bucket, a token that expires.

Retries of failing calls are `http`'s; walking pages and keeping them is `pull`'s.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from data_lake.clients.http import LONGEST_WAIT_SECONDS, Answer, Call, Http, Trace
from data_lake.clients.twitch.endpoints import Endpoint, cursor_of, rows_of
from data_lake.clients.twitch.login import Account, NotConnected, TokenStore, private, redacted, refresh, validate

HELIX_URL = "https://api.twitch.tv/helix"
# Answers of status 200 that hold no JSON (a proxy's page) are asked for again this often.
UNREADABLE_ANSWERS = 4
UNREADABLE_WAIT_SECONDS = 2.0

Params = Mapping[str, str | tuple[str, ...]]


class HelixError(Exception):
    """Twitch refused or failed a call for good; the message says which and why, and holds no token."""


class Refused(HelixError):
    """The login may not read this endpoint of this channel."""


class DeadCursor(HelixError):
    """The cursor no longer leads anywhere: the list has to be walked from its start."""


@dataclass(frozen=True)
class Page:
    """One page as received, with the calls it took."""

    params: Params
    received_at: str
    status: int
    body: bytes
    trace: Trace
    rows: list[dict[str, Any]]
    cursor: str | None
    total: int | None


class Bucket:
    """The token bucket as the headers of the last answer described it."""

    def __init__(self) -> None:
        self._remaining: int | None = None
        self._reset: datetime | None = None

    def saw(self, headers: Mapping[str, str]) -> None:
        """Take over Ratelimit-Remaining and Ratelimit-Reset (an epoch); headers that are no numbers say nothing."""
        try:
            self._remaining = int(headers["ratelimit-remaining"])
            self._reset = datetime.fromtimestamp(float(headers["ratelimit-reset"]), UTC).replace(tzinfo=None)
        except (KeyError, ValueError, OverflowError, OSError):
            self._remaining = self._reset = None

    def wait_seconds(self, now: datetime) -> float:
        """How long to wait so that the next call finds a point in the bucket."""
        if self._remaining is None or self._remaining > 0 or self._reset is None:
            return 0.0
        return min(max((self._reset - now) / timedelta(seconds=1), 0.0), LONGEST_WAIT_SECONDS)


class HelixClient:
    """Pages of Helix for the logins of a token store. `base_url` is by default TWITCH_HELIX_URL, else Twitch's own."""

    def __init__(self, store: TokenStore, http: Http, base_url: str | None = None) -> None:
        self._store, self.http = store, http
        self._base = private(base_url or os.environ.get("TWITCH_HELIX_URL", HELIX_URL))
        tokens = store.load()
        self._client_id = tokens.client_id or ""
        self._accounts = {a.user_id: a for a in tokens.accounts}
        self._buckets: dict[str, Bucket] = {}
        self._opening: list[Call] = []

    @property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(self._accounts.values())

    def take_opening_calls(self) -> list[Call]:
        """The calls that validated the logins, once: they belong to no list."""
        calls, self._opening = self._opening, []
        return calls

    def validate(self) -> dict[str, str]:
        """Ask whose logins these are and what they may do, as Twitch wants it at every start; renew what has expired.

        Logins that have ended are left out from then on: returned with what to do. Raises NotConnected when none is
        left, NoAnswer when Twitch does not answer.
        """
        ended = {}
        for account in self.accounts:
            trace = Trace()
            try:
                who = validate(self.http, account.access_token, trace)
                if who is None:
                    self._renew(account, trace)
                else:
                    self._accounts[account.user_id] = replace(account, scopes=tuple(who["scopes"]), login=who["login"])
            except NotConnected as error:
                ended[account.login] = str(error)
                del self._accounts[account.user_id]
            finally:
                self._opening += trace.calls
        if ended and not self._accounts:
            raise NotConnected("; ".join(ended.values()))
        return ended

    def page(self, endpoint: Endpoint, params: Params, account: Account, trace: Trace) -> Page:
        """One page; every call it took is in `trace`, whatever happens.

        Raises Refused, DeadCursor, HelixError, NoAnswer (no connection) or NotConnected (the login has ended).
        """
        renewed = False
        unreadable = 0
        bucket = self._buckets.setdefault(account.user_id, Bucket())
        while True:
            wait = bucket.wait_seconds(self.http.clock.now())
            if wait:
                self.http.clock.sleep(wait + self.http.jitter())
            answer = self._get(endpoint, params, self._accounts[account.user_id], trace)
            bucket.saw(answer.headers)
            if answer.status == 200:
                said = _json(answer)
                if said is not None:
                    return self._page(params, answer, said, trace)
                unreadable += 1
                trace.calls[-1].error = "the answer is no JSON object"
                if unreadable >= UNREADABLE_ANSWERS:
                    raise HelixError(f"{endpoint.path}: the answer is no JSON object, {unreadable} times")
                self.http.clock.sleep(UNREADABLE_WAIT_SECONDS * unreadable + self.http.jitter())
                continue
            message = self._message(answer)
            trace.calls[-1].error = message
            if answer.status == 401 and not renewed and not _is_about_rights(message):
                renewed = True
                self._renew(account, trace)
                continue
            if answer.status == 404 and endpoint.name == "schedule":
                # The channel has no schedule: an empty list, not a fault.
                trace.calls[-1].error = None
                empty = answer if _json(answer) is not None else replace(answer, body=b"{}")
                return self._page(params, empty, {}, trace)
            raise _refusal(endpoint, params, answer.status, message)

    def _renew(self, account: Account, trace: Trace) -> None:
        self._accounts[account.user_id] = refresh(self._store, self.http, self._accounts[account.user_id], trace)

    def _get(self, endpoint: Endpoint, params: Params, account: Account, trace: Trace) -> Answer:
        headers = {
            "Authorization": f"Bearer {account.access_token}",
            "Client-Id": self._client_id,
            "Accept": "application/json",
            "User-Agent": "full-house",
        }
        url = f"{self._base}/{endpoint.path}?{urlencode(params, doseq=True)}"
        return self.http.request("GET", url, endpoint=endpoint.path, trace=trace, headers=headers)

    def _page(self, params: Params, answer: Answer, said: dict[str, Any], trace: Trace) -> Page:
        total = said.get("total")
        return Page(
            params=params, received_at=self.http.clock.stamp(), status=answer.status, body=answer.body, trace=trace,
            rows=rows_of(said), cursor=cursor_of(said),
            total=total if isinstance(total, int) and not isinstance(total, bool) else None,
        )  # fmt: skip

    def _message(self, answer: Answer) -> str:
        """What a refusal says, on one line, without the tokens a server may repeat."""
        said = _json(answer) or {}
        text = " ".join(str(said.get("message") or said.get("error") or f"status {answer.status}").split())[:300]
        return redacted(text, [s for a in self.accounts for s in (a.access_token, a.refresh_token)])


def _json(answer: Answer) -> dict[str, Any] | None:
    """The object an answer holds; decoded strictly, because its bytes are kept in a file of UTF-8."""
    try:
        said = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _is_about_rights(message: str) -> bool:
    """Whether a 401 is about what a token may do, which a new token of the same login would not change."""
    said = message.lower()
    return "scope" in said or "must match the user id" in said


def _refusal(endpoint: Endpoint, params: Params, status: int, message: str) -> Exception:
    text = f"{endpoint.path}: {message} (status {status})"
    if status == 403 or (status == 401 and _is_about_rights(message)):
        return Refused(text)
    if status == 401:
        return NotConnected(f"{endpoint.path}: Twitch does not take the login; run: fullhouse connect twitch")
    # A cursor that belongs to another list has been seen answered with 503 (twitchdev/issues 707).
    if "after" in params and (status >= 500 or "cursor" in message.lower() or "pagination" in message.lower()):
        return DeadCursor(text)
    return HelixError(text)
