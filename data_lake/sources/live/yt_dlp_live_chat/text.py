"""What is written in an item of a YouTube live chat: runs to text and emotes, badges, clocks, sentences of headers."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.reading.emotes import EMOTE

MAX_OFFSET = 172_800.0  # seconds
_CLOCK = r"^-(?:(?P<h>\d{1,3}):)?(?P<m>\d{1,2}):(?P<s>\d\d)$"
_BADGE = pa.struct([("name", pa.string()), ("version", pa.string())])


def spoken(rows: pa.Table) -> tuple[pa.Array, pa.Array]:
    """The text of each row and its emotes; positions (inclusive) count code points."""
    runs = rows["runs"].combine_chunks()
    parts = runs.flatten()
    owners = pc.list_parent_indices(runs).to_numpy()
    emoji = pc.struct_field(parts, "emoji")
    is_custom = pc.fill_null(pc.struct_field(emoji, "isCustomEmoji"), False)
    shortcut = pc.list_element(_padded(pc.struct_field(emoji, "shortcuts")), 0)
    ids = pc.struct_field(emoji, "emojiId")
    shown = pc.if_else(is_custom, pc.coalesce(shortcut, ids), pc.coalesce(ids, shortcut))
    texts = pc.coalesce(pc.struct_field(parts, "text"), shown, pa.scalar(""))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(rows)))])
    whole = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts), "")
    text = pc.coalesce(
        pc.if_else(pc.is_valid(runs), whole, pa.scalar(None, pa.string())), rows["simple_text"].combine_chunks()
    )
    lengths = pc.utf8_length(texts).to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    before = np.concatenate([[0], ends])[offsets[:-1]]
    # An emoji that nothing names is no part of the text: it has an id, if anything, and no place.
    places = np.flatnonzero(is_custom.to_numpy(zero_copy_only=False))
    is_named = pa.array(lengths[places] > 0)
    starts = (ends - lengths)[places] - before[owners[places]]
    emotes = pa.StructArray.from_arrays(
        [
            pc.if_else(is_named, texts.take(places), pa.scalar(None, pa.string())),
            ids.take(places),
            pa.array(["youtube"] * len(places), pa.string()),
            pc.if_else(is_named, pa.array(starts, pa.int32()), pa.scalar(None, pa.int32())),
            pc.if_else(is_named, pa.array(starts + lengths[places] - 1, pa.int32()), pa.scalar(None, pa.int32())),
        ],
        fields=list(EMOTE),
    )
    counts = np.concatenate([[0], np.cumsum(np.bincount(owners[places], minlength=len(rows)))])
    return text, pa.ListArray.from_arrays(pa.array(counts, pa.int32()), emotes)


def _padded(lists: pa.Array) -> pa.Array:
    """Lists with at least one element: list_element refuses shorter ones."""
    is_short = pc.less(pc.fill_null(pc.list_value_length(lists), 0), 1)
    return pc.if_else(is_short, pa.scalar([None], lists.type), lists)


def badges_of(column: pa.ChunkedArray) -> pa.Array:
    """Badges of authors (JSON) to lists; few kinds are worn, so each is read once."""
    codes = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    lists = pa.array([_badges(text) for text in codes.dictionary.to_pylist()], pa.list_(_BADGE))
    return lists.take(codes.indices)


def worn(badges: pa.Array) -> pa.Array:
    """Badges as YouTube lists them, in our names; an empty list where there are none."""
    values = pc.struct_field(badges.flatten(), "liveChatAuthorBadgeRenderer")
    icon = pc.utf8_lower(pc.struct_field(values, ["icon", "iconType"]))
    pairs = pa.StructArray.from_arrays(
        [pc.coalesce(icon, "member"), pc.struct_field(values, "tooltip")], fields=list(_BADGE)
    )
    counts = pc.fill_null(pc.list_value_length(badges), 0).to_numpy()
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32()), pairs)


def _badges(text: str) -> list[dict[str, str | None]]:
    try:
        worn = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return []
    badges = []
    for badge in worn if isinstance(worn, list) else []:
        one = badge.get("liveChatAuthorBadgeRenderer") if isinstance(badge, dict) else None
        if isinstance(one, dict):
            icon = one.get("icon")
            kind = icon.get("iconType") if isinstance(icon, dict) else None
            tooltip = one.get("tooltip")
            badges.append(
                {"name": str(kind).lower() if kind else "member", "version": str(tooltip) if tooltip else None}
            )
    return badges


def offsets(rows: pa.Table) -> pa.Array:
    """Seconds from the start of the stream. What was sent before it has 0 there, and how long before in its clock."""
    seconds = pc.divide(rows["offset_ms"].cast(pa.float64()), 1000.0).combine_chunks()
    # Some streams run for weeks: an offset the contract does not allow must not cost the message.
    seconds = pc.if_else(pc.less_equal(pc.abs(seconds), MAX_OFFSET), seconds, pa.scalar(None, pa.float64()))
    clock = pc.extract_regex(rows["time_text"].combine_chunks(), _CLOCK)
    if not pc.any(pc.is_valid(clock)).as_py():
        return seconds
    hours, minutes, rest = (pc.struct_field(clock, name) for name in "hms")
    hours = pc.if_else(pc.equal(hours, ""), "0", hours)
    before = pc.add(
        pc.add(pc.multiply(hours.cast(pa.float64()), 3600.0), pc.multiply(minutes.cast(pa.float64()), 60.0)),
        rest.cast(pa.float64()),
    )
    is_before = pc.and_kleene(pc.less_equal(seconds, 0.0), pc.is_valid(clock))
    return pc.if_else(pc.fill_null(is_before, False), pc.negate(before), seconds)


def plain_text(value: str | None) -> str | None:
    """The text of a member of YouTube's, {"simpleText": ...} or {"runs": [...]}, given as JSON."""
    try:
        parsed = json.loads(value or "null")
    except (ValueError, RecursionError):
        return value
    if isinstance(parsed, dict) and isinstance(parsed.get("runs"), list):
        return "".join(str(run.get("text", "")) for run in parsed["runs"] if isinstance(run, dict)) or None
    simple = parsed.get("simpleText") if isinstance(parsed, dict) else parsed
    return str(simple) if simple is not None else None
