"""Messages among the lines of a Chatterino log, cut at the places of their colons: nearly all lines of most logs.

Whatever is no `[HH:MM:SS] login: text` is read the slow way (see `reader`); a test holds both equal.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.chatterino import CLOCK
from data_lake.sources.live.chatterino.days import Seconds
from data_lake.sources.live.chatterino.log import Log
from data_lake.sources.live.chatterino.sentences import SIGNS
from data_lake.sources.reading.chat import by_login
from data_lake.sources.reading.clocks import seconds_of_hour
from data_lake.sources.reading.columns import constant
from data_lake.sources.reading.spans import Mask, holding, next_of, octets_of, stands, texts

_ZERO, _BRACKET, _SPACE, _COLON = np.frombuffer(b"0[ :", dtype=np.uint8)
_MINUTES = len("[00")
_NAME = len("[00:00:00] ")
_LOGIN = r"^[^\s:()]{1,60}$"


def clocks_of(text: pa.StringArray) -> Seconds:
    """The time of day in seconds that each line begins with; NaN where it begins with none."""
    octets, starts, ends = octets_of(text)
    rows = np.flatnonzero(ends - starts >= _NAME)
    at = starts[rows]
    seconds, fits = seconds_of_hour(octets, at + _MINUTES)
    tens, units = (octets[at + place] - _ZERO for place in (1, 2))  # below zero they wrap to more than 9
    fits &= (units <= 9) & (tens <= 2) & ((tens < 2) | (units <= 3)) & (octets[at] == _BRACKET)
    clock = np.full(len(text), np.nan)
    clock[rows[fits]] = (seconds + 3600 * (10 * tens.astype(np.int64) + units))[fits]
    others = np.flatnonzero(np.isnan(clock))
    if len(others):
        clock[others] = _slow_clocks(text.take(pa.array(others)))
    return clock


def _slow_clocks(text: pa.StringArray) -> Seconds:
    parts = pc.extract_regex(text, CLOCK)

    def number(name: str) -> Seconds:
        digits = pc.struct_field(parts, name)
        read = pc.if_else(pc.equal(digits, ""), "0", digits).cast(pa.float64())
        return np.asarray(read.to_numpy(zero_copy_only=False), dtype=np.float64)

    hour, half = number("hour"), pc.utf8_lower(pc.struct_field(parts, "half"))
    in_half, is_late = (pc.fill_null(pc.is_in(half, pa.array(letters)), False).to_numpy(zero_copy_only=False)
                        for letters in (["a", "p"], ["p"]))  # fmt: skip
    fits = np.where(in_half, (hour >= 1) & (hour <= 12), hour <= 23)
    hour = np.where(in_half, hour % 12 + 12 * is_late, hour)
    return np.where(fits, 3600 * hour + 60 * number("minute") + number("second"), np.nan)


def fast_rows(text: pa.StringArray, lines: pa.Table, sent_at: pa.TimestampArray, log: Log) -> tuple[pa.Table, Mask]:
    """Rows of chat_messages of the plain messages among lines (`text`), and which lines they are."""
    is_fast = np.zeros(len(text), dtype=np.bool_)
    octets, all_starts, ends = octets_of(text)
    is_timed = sent_at.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero((ends - all_starts > _NAME + 1) & lines[PROBLEM].is_null().to_numpy() & is_timed)
    starts, ends = all_starts[rows], ends[rows]
    fits = (octets[starts] == _BRACKET) & stands(octets, starts + _NAME - 2, b"] ")
    name = starts + _NAME
    name += octets[name] == _SPACE  # two blanks until 2023
    colon = next_of(np.flatnonzero(octets == _COLON), name)
    fits &= (colon < ends - 1) & (colon > name)
    fits[fits] = stands(octets, colon[fits], b": ")
    # What the program says in the name of a moderator ends in a blank, or holds one of these words.
    fits &= octets[np.maximum(ends - 1, 0)] != _SPACE
    may_be_told = np.zeros(len(text), dtype=np.bool_)
    may_be_told[holding(octets, all_starts, SIGNS)] = True
    fits &= ~may_be_told[rows]
    kept = np.flatnonzero(fits)
    names = texts(octets, name[kept], colon[kept]).dictionary_encode()
    is_login = pc.match_substring_regex(names.dictionary, _LOGIN)
    if not pc.all(is_login, min_count=0).as_py():
        are_logins = is_login.take(names.indices)
        names, kept = names.filter(are_logins), kept[are_logins.to_numpy(zero_copy_only=False)]
    is_fast[rows[kept]] = True
    count = len(kept)
    table = pa.table(
        {
            "platform": constant(log.platform, count),
            "channel_id": constant(log.channel_id, count),
            "stream_id": constant(log.stream_id, count),
            "sent_at": sent_at.filter(pa.array(is_fast)),
            **by_login(names),
            "viewer_display_name": names.cast(pa.string()),
            "text": texts(octets, colon[kept] + 2, ends[kept]),
            "message_type": constant("chat", count),
            ROW: lines[ROW].filter(pa.array(is_fast)),
            TEXT: constant(None, count),
            PROBLEM: constant(None, count),
        }
    )
    return table, is_fast
