"""Which day each line of a log is of: lines have a time of day only.

A heading says the day and the time it was written, a file name or the sidecar the day. From there lines go on in order,
but that a message of before midnight may arrive behind it, as may, with Twitch's times, any message somewhat late.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]
Moments = npt.NDArray[np.datetime64]

_DAY = 86_400
# In a file of one day only what jumps over midnight is of another day; in a file of many days whatever lies further
# back than a message is ever late, or a clock is ever put back, is of the next.
_ONE_DAY = (_DAY - 120, _DAY - 120)
_MANY_DAYS = (3600, _DAY - 3600)


class Heading(NamedTuple):
    """A heading before the line of this number (0-based, of a batch), and the local time at which logging began or
    (`is_end`) stopped."""

    before: int
    at: datetime
    is_end: bool


class Days:
    """The days of the lines of one log, batch by batch and in order.

    `day` is what is known before any heading; where it `is_stated`, headings say no other. `is_of_one_day` is whether
    the file is of a day or of a stream.
    """

    def __init__(self, day: date | None, *, is_stated: bool, is_of_one_day: bool) -> None:
        self._day, self._is_stated = day, is_stated
        self._back, self._ahead = _ONE_DAY if is_of_one_day else _MANY_DAYS
        self._last: float | None = None

    def moments(self, clock: Seconds, headings: Sequence[Heading]) -> tuple[Moments, Moments]:
        """The local moments (us) of lines whose time of day is `clock` (NaN: none), and of the headings.

        NaT where the day is not known, and for a heading that says another day than the one that is stated.
        """
        moments = np.full(len(clock), np.datetime64("NaT"), dtype="datetime64[us]")
        logged = np.full(len(headings), np.datetime64("NaT"), dtype="datetime64[us]")
        begin = 0
        for number, (before, at, _) in enumerate(headings):
            self._read(clock[begin:before], moments[begin:before])
            begin = before
            if not (self._is_stated and at.date() != self._day):
                logged[number] = at
                self._day = at.date()
                self._last = float((at - datetime.combine(self._day, datetime.min.time())).total_seconds())
        self._read(clock[begin:], moments[begin:])
        return moments, logged

    def _read(self, clock: Seconds, moments: Any) -> None:
        timed = np.flatnonzero(~np.isnan(clock))
        if self._day is None or not len(timed):
            return
        times = clock[timed]
        steps = np.diff(times, prepend=times[0] if self._last is None else self._last)
        days = np.cumsum((steps < -self._back).astype(np.int64) - (steps > self._ahead))
        first = np.datetime64(self._day, "us")
        moments[timed] = first + ((days * _DAY + times) * 1e6).round().astype("timedelta64[us]")
        self._day = date.fromordinal(self._day.toordinal() + int(days[-1]))
        self._last = float(times[-1])
