"""The lists inside a comment, emotes and badges, for a whole batch at once in Arrow and numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import ROW, Problem
from data_lake.sources.reading.columns import constant
from data_lake.sources.reading.emotes import EMOTE, StatedEmote, with_names, words_at
from data_lake.sources.reading.spans import Positions

MARK_LENGTH = len("\x01ACTION ")  # what stands before the text of /me


def array_of(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def emotes_of(wide: pa.Table) -> tuple[pa.Array, list[Problem]]:
    """Emotes of each message, from its fragments; start and end (inclusive) count code points of `text`.

    The tool's own `begin` and `end` count UTF-16 units and end one too late, so they serve only where fragments
    name no emote. Positions are those in the text without the marks of /me. Also what is wrong with emotes.
    """
    rows = len(wide)
    fragments = array_of(wide["fragments"])
    pieces = fragments.flatten()
    parents = pc.list_parent_indices(fragments).to_numpy()
    lengths = pc.fill_null(pc.utf8_length(pc.struct_field(pieces, [0])), 0).to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    first = np.ones(len(parents), dtype=np.bool_)
    first[1:] = parents[1:] != parents[:-1]
    before = np.maximum.accumulate(np.where(first, ends - lengths, 0)) if len(parents) else ends
    ids = pc.struct_field(pieces, [1, 0])
    places = np.flatnonzero(pc.fill_null(pc.not_equal(ids, ""), False).to_numpy(zero_copy_only=False))
    shift = MARK_LENGTH * wide["is_marked"].to_numpy()[parents[places]].astype(np.int64)
    start = (ends - lengths - before)[places] - shift
    names = pc.struct_field(pieces, [0]).take(places)
    # A fragment that says nothing, or stands before the text, names no emote.
    is_placed = pc.and_(pc.fill_null(pc.match_substring_regex(names, r"\S"), False), pa.array(start >= 0))
    owners, emotes = parents[places], _struct(names, ids.take(places), start, start + lengths[places] - 1, is_placed)
    rows_of_emotes = np.bincount(owners, minlength=rows)
    problems: list[Problem] = []
    stated = pc.indices_nonzero(pc.is_valid(array_of(wide["emoticons"])))
    if len(stated):
        taken = wide.select([ROW, "body", "emoticons"]).take(stated).rename_columns([ROW, "text", "emotes"])
        taken = taken.append_column("platform", constant("twitch", len(taken)))
        found, problems = with_names(taken, _stated_emotes)
        lists = array_of(found["emotes"])
        more = np.asarray(stated)[pc.list_parent_indices(lists).to_numpy()]
        order = pa.array(np.argsort(np.concatenate([owners, more]), kind="stable"))
        emotes = pa.concat_arrays([emotes, lists.flatten()]).take(order)
        rows_of_emotes += np.bincount(more, minlength=rows)
    offsets = np.concatenate([[0], np.cumsum(rows_of_emotes)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), emotes), problems


def _struct(names: pa.Array, ids: pa.Array, starts: Positions, stops: Positions, is_placed: pa.Array) -> pa.Array:
    columns = [names, ids, constant("twitch", len(ids)), pa.array(starts, pa.int32()), pa.array(stops, pa.int32())]
    if not pc.all(is_placed).as_py():
        for at in (0, 3, 4):
            columns[at] = pc.if_else(is_placed, columns[at], pa.scalar(None, columns[at].type))
    return pa.StructArray.from_arrays(columns, fields=list(EMOTE))


def _stated_emotes(emoticons: list[dict[str, Any]], body: str, _: str) -> Iterator[StatedEmote]:
    """The emotes of a message that states them by position only; an end one too late is the tool's, and put right."""
    units = body.encode("utf-16-le", errors="surrogatepass")
    for emoticon in emoticons:
        emote_id, begin, end = emoticon["_id"], emoticon["begin"], emoticon["end"]
        if emote_id is None:
            continue
        start = stop = None
        if begin is not None and end is not None and 0 <= begin <= end <= len(units) // 2:
            start = len(units[: 2 * begin].decode("utf-16-le", errors="replace"))
            stop = start - 1 + len(units[2 * begin : 2 * (end + 1)].decode("utf-16-le", errors="replace").rstrip(" "))
            (word,) = words_at([body], [start], [stop])
            if word is None and words_at([body], [start], [stop - 1])[0]:
                stop -= 1
        yield StatedEmote(emote_id, start, stop, f"{begin}-{end}")


def renamed(badges: pa.Array) -> pa.Array:
    """Badges in the names of the contract; an empty list where there are none."""
    values = badges.flatten()
    pairs = pa.StructArray.from_arrays(
        [pc.struct_field(values, [0]), pc.struct_field(values, [1])], ["name", "version"]
    )
    counts = pc.fill_null(pc.list_value_length(badges), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs)


def wears(badges: pa.Array, names: Sequence[str]) -> pa.Array:
    """Whether each list holds a badge of one of the names; null where there is no list."""
    holds = pc.is_in(pc.struct_field(badges.flatten(), [0]), pa.array(names)).to_numpy(zero_copy_only=False)
    is_worn = np.zeros(len(badges), dtype=np.bool_)
    is_worn[pc.list_parent_indices(badges).to_numpy()[holds]] = True
    return pc.if_else(pc.is_valid(badges), pa.array(is_worn), pa.scalar(None, pa.bool_()))
