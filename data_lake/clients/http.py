"""One GET or POST with retries, every attempt of it recorded.

Transport and retry are urllib3's: it is already here as a dependency of three others, its Retry is made to be
extended, and it retries a body that breaks off or stalls, which the layers above it (requests) leave to the caller.
A client library of the platform, or dlt's RESTClient with its two dozen dependencies, would hand out parsed objects
where the landing zone keeps what was received.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util.retry import Retry

from data_lake.clients.errors import NoAnswer
from data_lake.clients.limits import CallRules

BACKOFF_SECONDS, BACKOFF_MAX_SECONDS, JITTER_SECONDS = 0.5, 60.0, 0.5
CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0

# urllib3 warns of every retry; ours are api_calls rows.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: "Retrying (_Recording" not in record.getMessage())


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Clock:
    """The time (naive UTC) and how to let it pass: both are arguments, so that tests wait for nothing."""

    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep

    def stamp(self) -> str:
        """The time as text, in UTC to the microsecond."""
        return self.now().isoformat(timespec="microseconds") + "Z"


@dataclass
class Call:
    """One attempt, as its api_calls row will say it. `status` is None when no answer came."""

    endpoint: str
    method: str
    requested_at: str
    retry_count: int
    status: int | None = None
    response_ms: int | None = None
    quota_cost: int | None = None
    quota_remaining: int | None = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass
class Attempts:
    """The attempts made for one page, over all its requests."""

    calls: list[Call] = field(default_factory=list)

    @property
    def retries(self) -> int:
        return max(0, len(self.calls) - 1)


@dataclass(frozen=True)
class Answer:
    """The last answer of a request: status, headers (names in lower case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """A pool of connections; follows no redirect, because the headers of a request hold a token."""

    def __init__(
        self, clock: Clock, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        self.clock = clock
        self._rng = random.Random()
        timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, maxsize=2)

    def request(
        self,
        method: str,
        url: str,
        *,
        endpoint: str,
        attempts: Attempts,
        rules: CallRules,
        headers: Mapping[str, str],
        fields: Mapping[str, str] | None = None,
        cost: int = 1,
    ) -> Answer:
        """Send until an answer is no passing failure. A 4xx, or a 5xx after the last retry, is returned as it is.

        `cost` is what the platform counts for the call. Raises NoAnswer when the last attempt brought none.
        """
        retry = _Recording.of(_Request(self, rules, attempts, endpoint, method, cost))
        sent = dict(headers)
        body = None
        if fields is not None:
            body = urlencode(fields)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        retry.begin()
        try:
            answer = self._pool.request(
                method, url, body=body, headers=sent, retries=retry, redirect=False, preload_content=True
            )
        except HTTPError as error:
            retry.end(None, {}, _reason(error))
            raise NoAnswer(f"{endpoint}: {_reason(error)}; asked {len(attempts.calls)} times") from None
        received = Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.data)
        retry.end(received.status, received.headers, None if received.status < 300 else f"status {received.status}")
        return received

    def jitter(self) -> float:
        return self._rng.uniform(0, JITTER_SECONDS)


def _reason(error: BaseException) -> str:
    """What went wrong on the line, without the URL and the object addresses that urllib3's messages carry."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    return {
        "ReadTimeoutError": "the answer did not come in time",
        "ConnectTimeoutError": "the server could not be reached in time",
        "NewConnectionError": "the server could not be reached",
        "NameResolutionError": "the name of the server could not be resolved",
        "IncompleteRead": "the answer broke off",
        "ProtocolError": "the connection broke",
        "SSLError": "the server's certificate was refused",
    }.get(type(cause).__name__, f"the call failed ({type(cause).__name__})")


@dataclass
class _Request:
    """One request while it is tried; `begun` holds when the attempt under way began, as a time and as text."""

    http: Http
    rules: CallRules
    attempts: Attempts
    endpoint: str
    method: str
    cost: int
    begun: list[tuple[datetime, str]] = field(default_factory=list)


class _Recording(Retry):
    """urllib3's Retry, which also notes each attempt, waits as a rate limit asks, and sleeps by the given clock."""

    _request: _Request

    @classmethod
    def of(cls, request: _Request) -> Self:
        retry = cls(
            total=request.rules.retries, redirect=0, allowed_methods=None, status_forcelist=request.rules.retried,
            raise_on_status=False, backoff_factor=BACKOFF_SECONDS, backoff_max=BACKOFF_MAX_SECONDS, backoff_jitter=0.0,
        )  # fmt: skip
        retry._request = request
        return retry

    def new(self, **kw: Any) -> Self:
        retry = super().new(**kw)
        retry._request = self._request
        return retry

    def begin(self) -> None:
        clock = self._request.http.clock
        self._request.begun.append((clock.now(), clock.stamp()))

    def end(self, status: int | None, headers: Mapping[str, str], error: str | None) -> None:
        """Note the attempt that is under way; nothing when it was noted before."""
        request = self._request
        if not request.begun:
            return
        began, stamp = request.begun.pop()
        took = max(0, round((request.http.clock.now() - began) / timedelta(milliseconds=1)))
        call = Call(request.endpoint, request.method, stamp, len(request.attempts.calls), status, took, error=error)
        call.quota_cost = None if status is None else request.rules.refused_cost if status == 429 else request.cost
        call.quota_remaining = request.rules.remaining(headers)
        request.attempts.calls.append(call)

    def increment(self, *args: Any, **kw: Any) -> Self:
        response, error = kw.get("response"), kw.get("error")
        if response is not None:
            headers = {k.lower(): v for k, v in response.headers.items()}
            self.end(response.status, headers, f"status {response.status}")
        elif error is not None:
            self.end(None, {}, _reason(error))
        return super().increment(*args, **kw)

    def sleep(self, response: urllib3.BaseHTTPResponse | None = None) -> None:
        http, rules = self._request.http, self._request.rules
        asked = None
        if response is not None and response.status in (429, 503):
            asked = rules.wait_seconds({k.lower(): v for k, v in response.headers.items()}, http.clock.now())
        wait = self.get_backoff_time() if asked is None else asked
        http.clock.sleep(wait + http.jitter())
        self.begin()
