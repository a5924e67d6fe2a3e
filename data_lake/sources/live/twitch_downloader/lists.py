"""The lists inside a comment, emotes and badges, for a whole batch at once in Arrow and numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MARK_LENGTH = len("\x01ACTION ")  # what stands before the text of /me

_EMOTE = ("name", "id", "provider", "start", "end")


def array_of(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def emotes_of(wide: pa.Table) -> pa.Array:
    """Emotes of each message, from its fragments; start and end (inclusive) count code points of `text`.

    The tool's own `begin` and `end` count UTF-16 units and end one too late, so they serve only where fragments
    name no emote. Positions are those in the text without the marks of /me.
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
    is_emote = pc.fill_null(pc.not_equal(ids, ""), False).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(is_emote)
    shift = MARK_LENGTH * wide["is_marked"].to_numpy()[parents[places]].astype(np.int64)
    start = (ends - lengths - before)[places] - shift
    from_fragments = (
        parents[places],
        pc.struct_field(pieces, [0]).take(places),
        ids.take(places),
        start,
        start + lengths[places] - 1,
    )
    owners, names, emote_ids, starts, stops = _with_emoticons(wide, from_fragments)
    order = np.argsort(owners, kind="stable")
    emotes = pa.StructArray.from_arrays(
        [
            names.take(order),
            emote_ids.take(order),
            pa.array(["twitch"] * len(order), pa.string()),
            pa.array(starts[order], pa.int32()),
            pa.array(stops[order], pa.int32()),
        ],
        names=list(_EMOTE),
    )
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=rows))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), emotes)


_Emotes = tuple[np.ndarray, pa.Array, pa.Array, np.ndarray, np.ndarray]


def _with_emoticons(wide: pa.Table, from_fragments: _Emotes) -> _Emotes:
    """Emotes found in fragments, and those of messages that state them by position only."""
    rows = np.flatnonzero(pc.is_valid(wide["emoticons"]).to_numpy())
    more: list[tuple[int, str, str, int, int]] = []
    for row, emoticons, body in zip(
        rows.tolist(), wide["emoticons"].take(rows).to_pylist(), wide["body"].take(rows).to_pylist(), strict=True
    ):
        units = (body or "").encode("utf-16-le", errors="surrogatepass")
        for emoticon in emoticons:
            begin, end = emoticon["begin"], emoticon["end"]
            if emoticon["_id"] is None or begin is None or end is None or not 0 <= begin <= end < len(units) // 2:
                continue
            name = units[2 * begin : 2 * (end + 1)].decode("utf-16-le", errors="replace").split(" ")[0]
            start = len(units[: 2 * begin].decode("utf-16-le", errors="replace"))
            more.append((row, name, emoticon["_id"], start, start + len(name) - 1))
    if not more:
        return from_fragments
    owners, names, ids, starts, stops = zip(*more, strict=True)
    return (
        np.concatenate([from_fragments[0], owners]),
        pa.concat_arrays([from_fragments[1], pa.array(names, pa.string())]),
        pa.concat_arrays([from_fragments[2], pa.array(ids, pa.string())]),
        np.concatenate([from_fragments[3], starts]),
        np.concatenate([from_fragments[4], stops]),
    )


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
