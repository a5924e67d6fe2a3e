"""What part of a channel's chat a raw log covers, as far as the logging connection's own lines say.

A server addresses numeric replies to the connection's own nick (RFC 2812, 2.4): 001 welcomes it, 366 ends the list of
names that follows its JOIN. JOIN and PART of any other nick tell of a viewer (the membership capability). None of them
has a time, so what is covered begins with the first line behind a JOIN and ends with the last one before a PART.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import ROW, TEXT
from data_lake.sources.reading.captures import Capture, Stretches

_SENDER = r"^(?:@[^ ]* )?:[^ ]+ "
_REPLY = re.compile(_SENDER + r"(?P<command>001|366) (?P<nick>[^ ]+)(?: #(?P<channel>[^ ]+))?(?: |$)")
_COMES_OR_GOES = re.compile(r"^(?:@[^ ]* )?:(?P<nick>[^ !]+)![^ ]+ (?P<command>JOIN|PART) :?#(?P<channel>[^ ]+)")


class Coverage:
    """The stretches of each channel of a log; nothing where its lines name no nick of its own, or several."""

    def __init__(self) -> None:
        self._nicks: set[str] = set()
        self._joined: set[str] = set()
        self._channels: dict[str, Stretches] = {}

    def note(self, lines: pa.Table, spoken: pa.Table) -> None:
        """Take up a batch: those of its lines that may be the connection's own, and (`_row`, `channel`, `sent_at`) of
        every line with a time."""
        spoken = spoken.sort_by(ROW)
        rows = spoken[ROW]
        begin = 0
        for row, command, channel in self._own(lines):
            end = pc.sum(pc.less(rows, row)).as_py() or 0
            self._cover(spoken.slice(begin, end - begin))
            begin = end
            self._follow(command, channel)
        self._cover(spoken.slice(begin))

    def captures(self) -> dict[str, list[Capture]]:
        """What is covered of each channel (its login)."""
        if len(self._nicks) != 1:
            return {}
        return {channel: stretches.captures() for channel, stretches in self._channels.items()}

    def _own(self, lines: pa.Table) -> list[tuple[int, str, str]]:
        """Row, command and channel of the lines of the connection itself, in order."""
        replies = _matching(lines, _REPLY)
        self._nicks |= {reply["nick"].lower() for _, reply in replies}
        if not self._nicks:
            return []
        moves = [(row, move) for row, move in _matching(lines, _COMES_OR_GOES) if move["nick"].lower() in self._nicks]
        own = sorted([*replies, *moves], key=lambda placed: placed[0])
        return [(row, line["command"], (line["channel"] or "").lower()) for row, line in own]

    def _cover(self, spoken: pa.Table) -> None:
        if not len(spoken):
            return
        # Whatever the connection hears, it hears all channels it is in.
        for channel in self._joined:
            self._channels[channel].lines(spoken["sent_at"])
        for channel in sorted({*spoken["channel"].unique().drop_null().to_pylist()} - self._joined):
            own = spoken.filter(pc.equal(spoken["channel"], channel))
            self._channels.setdefault(channel, Stretches()).lines(own["sent_at"])

    def _follow(self, command: str, channel: str) -> None:
        if command == "001":
            for stretches in self._channels.values():
                stretches.end()
            self._joined.clear()
        elif command == "PART":
            self._channels.setdefault(channel, Stretches()).end()
            self._joined.discard(channel)
        elif command == "JOIN" or channel not in self._joined:
            self._channels.setdefault(channel, Stretches()).begin()
            self._joined.add(channel)


def _matching(lines: pa.Table, pattern: re.Pattern[str]) -> list[tuple[int, re.Match[str]]]:
    fits = pc.match_substring_regex(lines[TEXT], pattern.pattern)
    kept = lines.filter(pc.fill_null(fits, False))
    rows = zip(kept[ROW].to_pylist(), map(pattern.match, kept[TEXT].to_pylist()), strict=True)
    return [(row, match) for row, match in rows if match is not None]
