"""Messages among the lines of a Chatterino log, cut at the places of their colons: nearly all lines of most logs.

Whatever is no `[HH:MM:SS]  login: text` is read the slow way (see `reader`); a test holds both equal.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.chatterino.log import Log
from data_lake.sources.reading.chat import by_login
from data_lake.sources.reading.clocks import seconds_of_hour
from data_lake.sources.reading.columns import constant
from data_lake.sources.reading.spans import Mask, next_of, octets_of, stands, texts

_ZERO, _BRACKET, _SPACE, _COLON = np.frombuffer(b"0[ :", dtype=np.uint8)
_MINUTES = len("[00")
_NAME = len("[00:00:00]  ")
_LOGIN = r"^[^\s:()]{1,60}$"


def fast_rows(text: pa.StringArray, lines: pa.Table, log: Log) -> tuple[pa.Table, Mask]:
    """Rows of chat_messages of the plain messages among lines (`text`), and which lines they are."""
    is_fast = np.zeros(len(text), dtype=np.bool_)
    octets, starts, ends = octets_of(text)
    rows = np.flatnonzero((ends - starts > _NAME) & lines[PROBLEM].is_null().to_numpy())
    if log.day is None or log.zone is None:
        rows = rows[:0]
    starts, ends = starts[rows], ends[rows]
    seconds, fits = seconds_of_hour(octets, starts + _MINUTES)
    tens, units = (octets[starts + place] - _ZERO for place in (1, 2))  # below zero they wrap to more than 9
    fits &= (units <= 9) & (tens <= 2) & ((tens < 2) | (units <= 3))
    fits &= (octets[starts] == _BRACKET) & (octets[starts + _NAME - 1] == _SPACE)
    colon = next_of(np.flatnonzero(octets == _COLON), starts + _NAME)
    fits &= (colon < ends - 1) & (colon > starts + _NAME)
    fits[fits] = stands(octets, colon[fits], b": ")
    kept = np.flatnonzero(fits)
    names = texts(octets, starts[kept] + _NAME, colon[kept]).dictionary_encode()
    is_login = pc.match_substring_regex(names.dictionary, _LOGIN)
    if not pc.all(is_login, min_count=0).as_py():
        are_logins = is_login.take(names.indices)
        names, kept = names.filter(are_logins), kept[are_logins.to_numpy(zero_copy_only=False)]
    is_fast[rows[kept]] = True
    count = len(kept)
    seconds = seconds[kept] + 3600 * (10 * tens[kept].astype(np.int64) + units[kept])
    table = pa.table(
        {
            "platform": constant(log.platform, count),
            "channel_id": constant(log.channel_id, count),
            "stream_id": constant(log.stream_id, count),
            "sent_at": log.moments_of_seconds(pa.array(seconds)) if count else pa.nulls(0, pa.timestamp("us")),
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
