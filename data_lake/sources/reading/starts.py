"""The start of a stream that somebody stated, held against the start that its rows tell: time written minus offset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM

AGREES = timedelta(minutes=15)  # recordings begin up to some minutes beside their chat
_EXACT = timedelta(minutes=1)
_MINUTES_OF_ZONES = {60 * hours for hours in range(-14, 15)} | {
    sign * minutes for sign in (-1, 1) for minutes in (210, 270, 330, 345, 390, 570, 630)
}
_SAMPLED = 1_000


def middle(starts: Sequence[datetime]) -> datetime | None:
    """The median of the starts that rows tell, the upper one of two."""
    return sorted(starts)[len(starts) // 2] if starts else None


def zone_between(stated: datetime, starts: Sequence[datetime]) -> timedelta | None:
    """The time zone that nine in ten starts are away from the stated one, None where they agree or are no zone away."""
    told = middle(starts)
    if told is None or abs(told - stated) <= AGREES:
        return None
    minutes = round((told - stated) / timedelta(hours=1) * 4) * 15
    zone = timedelta(minutes=minutes)
    near = sum(abs(start - stated - zone) <= _EXACT for start in starts)
    return zone if minutes in _MINUTES_OF_ZONES and 10 * near >= 9 * len(starts) else None


def in_words(zone: timedelta) -> str:
    """How far times are away: '2 hours before'."""
    hours = zone / timedelta(hours=1)
    return f"{abs(hours):g} hours {'before' if hours < 0 else 'after'}"


def settled(stated: datetime | None, starts: Sequence[datetime]) -> tuple[datetime | None, str | None]:
    """The start a person stated, as far as the rows let it stand, and what is wrong with it in words.

    Corrected by a time zone; None where messages were written before it: then it is of a highlight or an upload.
    """
    if stated is None or (told := middle(starts)) is None:
        return stated, None
    zone = zone_between(stated, starts)
    if zone is not None:
        return stated + zone, (
            f"the sidecar's stream_started_at ({stated} UTC) is a local time: messages were written {in_words(zone)} "
            f"it and their offsets; the start was taken to be {stated + zone}"
        )
    if told < stated - AGREES:
        return None, (
            f"the sidecar's stream_started_at ({stated} UTC) is later than the messages, which by their offsets begin "
            f"at {told}: of a highlight or an upload state when its stream began, or nothing; it was left out"
        )
    return stated, None


def starts_told(messages: pa.Table) -> list[datetime]:
    """Time sent minus offset of the first good messages that lie behind the start."""
    is_told = pc.and_(pc.greater(messages["offset_seconds"], 0.0), pc.is_null(messages[PROBLEM]))
    told = messages.filter(pc.fill_null(is_told, False)).slice(0, _SAMPLED)
    return [
        sent - timedelta(seconds=seconds)
        for sent, seconds in zip(told["sent_at"].to_pylist(), told["offset_seconds"].to_pylist(), strict=True)
        if sent is not None and seconds < 10**7
    ]
