"""What the lines of a Chatterino log do not say: its channel, its day and its time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import TEXT, Export
from data_lake.sources.live.chatterino import HEADING
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.sidecars import stated_text, stated_time
from data_lake.sources.reading.splitting import split_lines

BATCH_BYTES = 1 << 20

_FILE_NAME = re.compile(r"^(?:(?P<channel>\w{1,25})-)?(?P<day>\d{4}-\d\d-\d\d)\.(?:log|txt)")
_UTC = ("UTC", "GMT", "Etc/UTC", "Z")


@dataclass(frozen=True)
class Log:
    """What the lines do not say."""

    platform: str
    channel_id: str
    login: str | None
    day: date | None
    zone: ZoneInfo | None
    stream_id: str | None

    def moments(self, clock: pa.Array) -> pa.Array:
        """UTC of local times of day as text; null where there is no such time, or the day or zone is not known."""
        if self.day is None or self.zone is None:
            return pa.nulls(len(clock), pa.timestamp("us"))
        local = pc.strptime(
            pc.binary_join_element_wise(self.day.isoformat(), clock, " "),
            "%Y-%m-%d %H:%M:%S",
            "us",
            error_is_null=True,
        )
        return self._in_utc(local)

    def moments_of_seconds(self, seconds: pa.Int64Array) -> pa.Array:
        """UTC of local times of day in seconds; the day and the zone must be known."""
        assert self.day
        codes = seconds.dictionary_encode()
        midnight = pa.scalar(datetime.combine(self.day, time()), pa.timestamp("us"))
        local = pc.add(midnight, pc.multiply(codes.dictionary, 1_000_000).cast(pa.duration("us")))
        return self._in_utc(local).take(codes.indices)

    def _in_utc(self, local: pa.Array) -> pa.Array:
        """Of an hour that a clock change repeats, the first."""
        assert self.zone
        zoned = pc.assume_timezone(local, self.zone.key, ambiguous="earliest", nonexistent="earliest")
        return zoned.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))


def heading(export: Export, encoding: str | None) -> re.Match[str] | None:
    for lines in split_lines(read_utf8(export.path, [], encoding), BATCH_BYTES):
        return next(
            (heading for text in lines[TEXT].slice(0, 200).to_pylist() if (heading := HEADING.match(text))),
            None,
        )
    return None


def stated(export: Export, heading: re.Match[str] | None) -> Log:
    """Raises ValueError naming what the sidecar lacks or has wrong."""
    side, name = export.sidecar, _FILE_NAME.match(export.name)
    login = stated_text(side, "channel_login") or (name["channel"] if name else None)
    channel_id = stated_text(side, "channel_id")
    if not (channel_id or login):
        raise ValueError(
            "a Chatterino log does not say its channel: write channel_id or channel_login into its sidecar "
            f"{export.path.name}.yml"
        )
    day = stated_time(side, "date")
    written = name["day"] if name else heading[1] if heading else None
    try:
        date_of_log = day.date() if day else date.fromisoformat(written) if written else None
    except ValueError:
        date_of_log = None
    zone = stated_text(side, "time_zone") or ("UTC" if heading and heading[2] in _UTC else None)
    try:
        time_zone = ZoneInfo(zone) if zone else None
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"the sidecar's time_zone is {zone!r}; write a name such as Europe/Berlin") from error
    return Log(
        platform=(stated_text(side, "platform") or "twitch").lower(),
        channel_id=channel_id or f"login:{(login or '').lower()}",
        login=login.lower() if login else None,
        day=date_of_log,
        zone=time_zone,
        stream_id=stated_text(side, "stream_id"),
    )
