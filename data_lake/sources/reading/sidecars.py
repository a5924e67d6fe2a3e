"""What a person states of an export: its name, and in its sidecar times and texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

_FILED = re.compile(r"\A[0-9a-f]{16}-(?=.)")


def stated_time(sidecar: Mapping[str, Any], key: str) -> datetime | None:
    """The moment under `key` as naive UTC, None when it is not stated; a time without a zone is UTC.

    Raises ValueError, with what to write instead, when the value is not a time.
    """
    value = sidecar.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            value = None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        raise ValueError(f"the sidecar's {key} is {sidecar[key]!r}; write it as 2026-01-31T12:00:00Z")
    try:
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    except OverflowError:
        raise ValueError(f"the sidecar's {key} is {sidecar[key]!r}; that is no moment in UTC") from None


def stated_text(sidecar: Mapping[str, Any], key: str) -> str | None:
    """The value under `key` as text (a number is taken as it is written); None when it is absent or empty."""
    value = sidecar.get(key)
    return str(value).strip() or None if value is not None else None


def given_name(path: Path) -> str:
    """The name a person gave a file: `fullhouse add` puts the hash of its content before it."""
    return _FILED.sub("", path.name)
