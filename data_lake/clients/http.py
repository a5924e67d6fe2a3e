"""One GET or POST with retries, every attempt of it recorded.

Transport and retry are urllib3's: it is already here as a dependency of three others, its Retry is made to be
extended, and it retries a body that breaks off or stalls, which the layers above it (requests) leave to the caller.
A client library of the platform, or dlt's RESTClient with its two dozen dependencies, would hand out parsed objects
where the landing zone keeps what was received. What a platform's answers mean does not belong here.
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

# With 20 % of calls failing, ten retries lose one page in fifty million.
RETRIES = 10
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
BACKOFF_SECONDS, BACKOFF_MAX_SECONDS, JITTER_SECONDS = 0.5, 60.0, 0.5
# A server that asks for more patience than this is asked again at the next pull.
LONGEST_WAIT_SECONDS = 300.0
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
class Trace:
    """The attempts made for one page, over all its requests."""

    calls: list[Call] = field(default_factory=list)

    @property
    def retries(self) -> int:
        return max(0, len(self.calls) - 1)


class NoAnswer(Exception):
    """No attempt brought an answer; the message names the endpoint and the last reason, never a header."""


@dataclass(frozen=True)
class Answer:
    """The last answer of a request: status, headers (names in lower case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def bucket_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds an answer asks to wait: Retry-After, else until Ratelimit-Reset (an epoch); None if it says neither."""
    after = _number(headers.get("retry-after"))
    if after is not None:
        return min(max(after, 0.0), LONGEST_WAIT_SECONDS)
    reset = _number(headers.get("ratelimit-reset"))
    if reset is None:
        return None
    wait = reset - now.replace(tzinfo=UTC).timestamp()
    return min(max(wait, 0.0), LONGEST_WAIT_SECONDS)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


class Http:
    """A pool of connections; follows no redirect, because the headers of a request hold a token."""

    def __init__(
        self, clock: Clock, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        self.clock = clock
        self._dice = random.Random()
        timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, maxsize=2)

    def request(
        self,
        method: str,
        url: str,
        *,
        endpoint: str,
        trace: Trace,
        headers: Mapping[str, str],
        fields: Mapping[str, str] | None = None,
        retries: int = RETRIES,
    ) -> Answer:
        """Send until an answer is no passing failure. A 4xx, or a 5xx after the last retry, is returned as it is.

        Raises NoAnswer when the last attempt brought none.
        """  # fmt: skip
        retry = _Recording.of(self, trace, endpoint, method, retries)
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
            raise NoAnswer(f"{endpoint}: {_reason(error)}; asked {len(trace.calls)} times") from None
        found = Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.data)
        retry.end(found.status, found.headers, None if found.status < 300 else f"status {found.status}")
        return found

    def jitter(self) -> float:
        return self._dice.uniform(0, JITTER_SECONDS)


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


class _Recording(Retry):
    """urllib3's Retry, which also notes each attempt, waits as a rate limit asks, and sleeps by the given clock."""

    _http: Http
    _trace: Trace
    _endpoint: str
    _method: str
    _open: list[tuple[datetime, str]]

    @classmethod
    def of(cls, http: Http, trace: Trace, endpoint: str, method: str, retries: int) -> Self:
        made = cls(
            total=retries, redirect=0, allowed_methods=None, status_forcelist=RETRIED, raise_on_status=False,
            backoff_factor=BACKOFF_SECONDS, backoff_max=BACKOFF_MAX_SECONDS, backoff_jitter=0.0,
        )  # fmt: skip
        made._http, made._trace, made._endpoint, made._method, made._open = http, trace, endpoint, method, []
        return made

    def new(self, **kw: Any) -> Self:
        made = super().new(**kw)
        made._http, made._trace, made._endpoint = self._http, self._trace, self._endpoint
        made._method, made._open = self._method, self._open
        return made

    def begin(self) -> None:
        self._open.append((self._http.clock.now(), self._http.clock.stamp()))

    def end(self, status: int | None, headers: Mapping[str, str], error: str | None) -> None:
        """Note the attempt that is under way; nothing when it was noted before."""
        if not self._open:
            return
        began, stamp = self._open.pop()
        remaining = _number(headers.get("ratelimit-remaining"))
        took = max(0, round((self._http.clock.now() - began) / timedelta(milliseconds=1)))
        call = Call(self._endpoint, self._method, stamp, len(self._trace.calls), status, took, error=error)
        call.quota_cost = None if status is None else 0 if status == 429 else 1
        call.quota_remaining = int(remaining) if remaining is not None else None
        self._trace.calls.append(call)

    def increment(self, *args: Any, **kw: Any) -> Self:
        response, error = kw.get("response"), kw.get("error")
        if response is not None:
            headers = {k.lower(): v for k, v in response.headers.items()}
            self.end(response.status, headers, f"status {response.status}")
        elif error is not None:
            self.end(None, {}, _reason(error))
        return super().increment(*args, **kw)

    def sleep(self, response: urllib3.BaseHTTPResponse | None = None) -> None:
        asked = None
        if response is not None and response.status in (429, 503):
            asked = bucket_wait({k.lower(): v for k, v in response.headers.items()}, self._http.clock.now())
        wait = self.get_backoff_time() if asked is None else asked
        self._http.clock.sleep(wait + self._http.jitter())
        self.begin()
