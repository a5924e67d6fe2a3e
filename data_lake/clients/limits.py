"""How often a platform may be called, what a call costs, and how long to wait when it says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# A server that asks for more patience than this is asked again at the next pull.
LONGEST_WAIT_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class CallRules:
    """How a platform wants to be called.

    `retried` statuses are asked for again, `retries` times at most (with 20 % of calls failing, ten retries lose one
    page in fifty million). A call costs what its endpoint says, one answered 429 costs `refused_cost`. The headers
    (in lower case) say how much is left and when (an epoch) the bucket is full again, where a platform sends them.
    """

    retries: int = 10
    retried: frozenset[int] = frozenset({408, 425, 429, 500, 502, 503, 504})
    refused_cost: int = 0
    remaining_header: str | None = None
    reset_header: str | None = None

    def remaining(self, headers: Mapping[str, str]) -> int | None:
        """What is left in the bucket; None if the headers do not say."""
        left = number(headers.get(self.remaining_header or ""))
        return None if left is None else int(left)

    def wait_seconds(self, headers: Mapping[str, str], now: datetime) -> float | None:
        """Seconds an answer asks to wait: Retry-After, else until the reset; None if it says neither."""
        after = number(headers.get("retry-after"))
        if after is not None:
            return min(max(after, 0.0), LONGEST_WAIT_SECONDS)
        reset = number(headers.get(self.reset_header or ""))
        if reset is None:
            return None
        wait = reset - now.replace(tzinfo=UTC).timestamp()
        return min(max(wait, 0.0), LONGEST_WAIT_SECONDS)


def number(text: str | None) -> float | None:
    """The number a header states; None for anything else."""
    try:
        return float(text) if text else None
    except ValueError:
        return None


class Bucket:
    """The token bucket of one login as the headers of the last answer described it."""

    def __init__(self, rules: CallRules) -> None:
        self._rules = rules
        self._remaining: int | None = None
        self._reset: datetime | None = None

    def update(self, headers: Mapping[str, str]) -> None:
        """Take over what is left and when it is full again; headers that are no numbers say nothing."""
        try:
            self._remaining = int(headers[self._rules.remaining_header or ""])
            reset = float(headers[self._rules.reset_header or ""])
            self._reset = datetime.fromtimestamp(reset, UTC).replace(tzinfo=None)
        except (KeyError, ValueError, OverflowError, OSError):
            self._remaining = self._reset = None

    def wait_seconds(self, now: datetime) -> float:
        """How long to wait so that the next call finds a point in the bucket."""
        if self._remaining is None or self._remaining > 0 or self._reset is None:
            return 0.0
        return min(max((self._reset - now) / timedelta(seconds=1), 0.0), LONGEST_WAIT_SECONDS)
