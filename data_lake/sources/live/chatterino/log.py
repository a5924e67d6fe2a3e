"""What the lines of a Chatterino log do not say: its channel, its days and its time zone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import TEXT, Export
from data_lake.sources.live.chatterino import FILE_NAME, HEADING
from data_lake.sources.live.chatterino.days import Days, Heading, Moments
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.captures import Capture, Stretches, stated_captures
from data_lake.sources.reading.sidecars import stated_text, stated_time, time_zone
from data_lake.sources.reading.splitting import split_lines

BATCH_BYTES = 1 << 20

_UTC = ("UTC", "GMT", "Etc/UTC", "Z")


@dataclass(frozen=True)
class Log:
    """What the lines do not say; `has_day` is false where neither sidecar, name nor a heading says a day."""

    platform: str
    channel_id: str
    login: str | None
    days: Days
    has_day: bool
    zone: ZoneInfo | None
    stream_id: str | None
    stated_captures: list[Capture]
    stretches: Stretches = field(default_factory=Stretches)

    def captures(self) -> list[Capture]:
        """What the log covers: as the sidecar states, else as its headings say; nothing without either."""
        return self.stated_captures or self.stretches.captures()

    def note(self, headings: Sequence[Heading], logged_at: Moments, sent_at: pa.Array) -> None:
        """Take up what the headings of a batch say, at these local times, of lines sent at these in UTC."""
        begin = 0
        for heading, at in zip(headings, self.in_utc(logged_at).to_pylist(), strict=True):
            self.stretches.lines(sent_at.slice(begin, heading.before - begin))
            begin = heading.before
            (self.stretches.end if heading.is_end else self.stretches.begin)(at)
        self.stretches.lines(sent_at.slice(begin))

    def in_utc(self, local: Moments) -> pa.Array:
        """UTC of local moments; of an hour that a clock change repeats, the first. Null where the zone is not known."""
        if self.zone is None:
            return pa.nulls(len(local), pa.timestamp("us"))
        # Few seconds have a message of their own: each is looked up once.
        codes = pa.array(local, pa.timestamp("us")).dictionary_encode()
        zoned = pc.assume_timezone(codes.dictionary, self.zone.key, ambiguous="earliest", nonexistent="earliest")
        return zoned.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us")).take(codes.indices)


def heading(export: Export, encoding: str | None) -> re.Match[str] | None:
    """The first heading among the first lines."""
    for lines in split_lines(read_utf8(export.path, [], encoding), BATCH_BYTES):
        return next(
            (heading for text in lines[TEXT].slice(0, 200).to_pylist() if (heading := HEADING.match(text))),
            None,
        )
    return None


def stated(export: Export, heading: re.Match[str] | None) -> Log:
    """Raises ValueError naming what the sidecar lacks or has wrong."""
    side, name = export.sidecar, FILE_NAME.match(export.name)
    login = stated_text(side, "channel_login") or (name["channel"] if name else None)
    channel_id = stated_text(side, "channel_id")
    if not (channel_id or login):
        raise ValueError(
            "a Chatterino log does not say its channel: write channel_id or channel_login into its sidecar "
            f"{export.path.name}.yml"
        )
    day = stated_time(side, "date")
    try:
        named_day = date.fromisoformat(name["day"]) if name and name["day"] else None
    except ValueError:
        named_day = None
    zone = stated_text(side, "time_zone") or ("UTC" if heading and heading["zone"] in _UTC else None)
    try:
        known_zone = time_zone(zone)
    except ValueError as error:
        raise ValueError(f"the sidecar's time_zone is {zone!r}; {error}") from error
    known_day = day.date() if day else named_day
    return Log(
        platform=(stated_text(side, "platform") or "twitch").lower(),
        channel_id=channel_id or f"login:{(login or '').lower()}",
        login=login.lower() if login else None,
        days=Days(known_day, is_stated=day is not None, is_of_one_day=named_day is not None),
        has_day=known_day is not None or heading is not None,
        zone=known_zone,
        stream_id=stated_text(side, "stream_id") or (name["stream"] if name else None),
        stated_captures=stated_captures(side),
    )
