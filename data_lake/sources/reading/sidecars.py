"""What a person states of an export: its name, and in its sidecar times and texts."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from data_lake.contracts import EARLIEST, LATEST

_EARLIEST, _LATEST = datetime.fromisoformat(EARLIEST), datetime.fromisoformat(LATEST)

_FILED = re.compile(r"\A[0-9a-f]{16}-(?=.)")


def stated_time(sidecar: Mapping[str, Any], key: str) -> datetime | None:
    """The moment under `key` as naive UTC, None when it is not stated; a time without a zone is UTC.

    Raises ValueError, with what to write instead, when the value is not a time.
    """
    try:
        return moment(sidecar.get(key))
    except ValueError as error:
        raise ValueError(f"the sidecar's {key} is {sidecar[key]!r}; {error}") from None


def moment(value: Any) -> datetime | None:
    """A stated time as naive UTC; a day is its midnight, a time without a zone UTC, None or an empty text no time.

    Raises ValueError with what to write instead, also for a moment that no row can have.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            value = None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        raise ValueError("write it as 2026-01-31T12:00:00Z")
    try:
        at: datetime = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    except OverflowError:
        raise ValueError("that is no moment in UTC") from None
    if not _EARLIEST <= at < _LATEST:
        raise ValueError(f"that is outside {EARLIEST} to {LATEST}")
    return at


def word(value: Any) -> str | None:
    """A stated text without blanks around it, None when it is absent or empty; a number is taken as it is written.

    Raises ValueError for anything but one value.
    """
    if value is None:
        return None
    if not isinstance(value, str | int | float | date):
        raise ValueError("write one text")
    return str(value).strip() or None


def time_zone(value: Any) -> ZoneInfo | None:
    """A stated time zone. Raises ValueError with what to write instead."""
    name = word(value)
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        raise ValueError("write a name such as Europe/Berlin") from None


def encoding(value: Any) -> str | None:
    """A stated encoding of text. Raises ValueError for one that Python does not know."""
    name = word(value)
    try:
        b"a".decode(name or "utf-8")
    except (LookupError, ValueError):
        raise ValueError("write one such as utf-8, utf-16 or cp1252") from None
    return name


def stated_text(sidecar: Mapping[str, Any], key: str) -> str | None:
    """The value under `key` as text (a number is taken as it is written); None when it is absent or empty.

    Raises ValueError, with what to write instead, when it is no single value.
    """
    try:
        return word(sidecar.get(key))
    except ValueError as error:
        raise ValueError(f"the sidecar's {key} is {reprlib.repr(sidecar[key])}; {error}") from None


def given_name(path: Path) -> str:
    """The name a person gave a file: `fullhouse add` puts the hash of its content before it."""
    return _FILED.sub("", path.name)
