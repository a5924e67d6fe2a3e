"""Plain chat messages among lines of IRC, straight to rows in Arrow: nearly all of a log, in a fifth of the time.

A message is plain when its tags stand in one of the few orders most messages have, none of them is rare, nothing is
escaped and it is no /me. Whatever else a batch holds takes the slow path (see `fields` and `rows`, which say what the
columns mean); a test holds both paths equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.irc.fields import RARE, layouts_of
from data_lake.sources.reading.columns import constant

# Tags without which a line needs the slow path: other lines or the sidecar say what they do not.
_NEEDED = ("id", "room-id", "tmi-sent-ts", "user-id")
_READ = (*_NEEDED, "badge-info", "badges", "color", "display-name", "emotes", "first-msg", "mod", "subscriber")
_LATEST = 253_402_300_799_999  # milliseconds, the end of the year 9999
_EMOTES = r"^[^:/,]+:\d{1,6}-\d{1,6}(?:,\d{1,6}-\d{1,6})*(?:/[^:/,]+:\d{1,6}-\d{1,6}(?:,\d{1,6}-\d{1,6})*)*$"
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_WORDS = 5  # tags, sender, command, channel and text

_LONGEST = 1 << 30

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


def fast_rows(lines: pa.Table, text: pa.Array) -> tuple[pa.Table | None, Mask]:
    """Rows of chat_messages of the plain messages among lines (`text`), with `channel`; and which lines they are.

    Columns the sidecar fills are not among them. None when there are no such lines.
    """
    is_fast = np.zeros(len(lines), dtype=np.bool_)
    layouts = [names for names in layouts_of(text) if {*_NEEDED} <= {*names} and not {*RARE} & {*names}]
    if not layouts:
        return None, is_fast
    spoken = _Spoken.among(text, lines[PROBLEM])
    tables = []
    for names in layouts:
        rows = spoken.messages(names)
        is_fast[rows["at"].to_numpy()] = True
        tables.append(rows)
    if not is_fast.any():
        return None, is_fast
    rows = pa.concat_tables(tables).combine_chunks()
    return rows.append_column(ROW, lines[ROW].take(rows["at"])).drop_columns(["at"]), is_fast


def _true(condition: pa.Array) -> Mask:
    mask: Mask = pc.fill_null(condition, False).to_numpy(zero_copy_only=False)
    return mask


def _behind(array: pa.Array, count: int) -> pa.Array:
    """The strings without their first bytes, which must be ASCII."""
    # Without an end Arrow 25 reckons the size of the result wrongly.
    return pc.binary_slice(array.view(pa.binary()), count, _LONGEST).view(pa.string())


def _split(array: pa.Array, by: str, count: int) -> list[pa.Array]:
    """The parts of strings that all have as many: one array per part, without an object per row."""
    parts = pc.split_pattern(array, by, max_splits=count - 1).flatten()
    return [parts.take(pa.array(np.arange(at, len(parts), count))) for at in range(count)]


@dataclass
class _Spoken:
    """The lines that are PRIVMSG as Twitch writes it: where they stand, their words, their tags one after another."""

    places: Places
    words: pa.Array
    tags: pa.Array
    first_tag: Places  # of each line, and behind the last

    @classmethod
    def among(cls, text: pa.Array, problem: pa.ChunkedArray) -> _Spoken:
        split = pc.split_pattern(text, " ", max_splits=_WORDS - 1)
        is_whole = pc.and_(pc.equal(pc.list_value_length(split), _WORDS), pc.starts_with(text, "@"))
        places = np.flatnonzero(_true(pc.and_(is_whole, pc.is_null(problem.combine_chunks()))))
        words = split.take(pa.array(places)).flatten()
        sender, command, channel, body = (words.take(pa.array(np.arange(at, len(words), _WORDS))) for at in range(1, 5))
        fits = _true(pc.and_(pc.equal(command, "PRIVMSG"), pc.match_substring_regex(sender, "^:[^!]+!")))
        fits &= _true(pc.and_(pc.starts_with(channel, "#"), pc.starts_with(body, ":")))
        fits &= ~_true(pc.starts_with(body, ":\x01"))
        kept = np.flatnonzero(fits)
        tags = pc.split_pattern(words.take(pa.array(kept * _WORDS)), ";")
        first = np.concatenate([[0], np.cumsum(pc.list_value_length(tags).to_numpy())])
        kept_words = words.take(pa.array((kept[:, None] * _WORDS + np.arange(_WORDS)).ravel()))
        return cls(places[kept], kept_words, tags.flatten(), first)

    def messages(self, names: tuple[str, ...]) -> pa.Table:
        """Rows of the lines that have exactly these tags, in this order; `at` is the place of each."""
        lines = np.flatnonzero(np.diff(self.first_tag) == len(names))
        prefixes = ["@" * (not at) + name + "=" for at, name in enumerate(names)]
        values = [self.tags.take(pa.array(self.first_tag[lines] + at)) for at in range(len(names))]
        fits = np.ones(len(lines), dtype=np.bool_)
        for prefix, value in zip(prefixes, values, strict=True):
            fits &= _true(pc.starts_with(value, prefix))
        chosen = pa.array(fits)
        tags = {
            name: _behind(value.filter(chosen), len(prefix))
            for name, prefix, value in zip(names, prefixes, values, strict=True)
            if name in _READ
        }
        lines = lines[fits]
        sender, channel, body = (self.words.take(pa.array(lines * _WORDS + at)) for at in (1, 3, 4))
        return _messages(tags, sender, channel, body, self.places[lines])


def _messages(
    tags: dict[str, pa.Array], sender: pa.Array, channel: pa.Array, body: pa.Array, places: Places
) -> pa.Table:
    """The rows of lines with these tags and words; those that need the slow path are left out."""
    count = len(places)

    def tag(name: str) -> pa.Array:
        value = tags.get(name, constant(None, count))
        return pc.if_else(pc.equal(value, ""), pa.scalar(None, pa.string()), value)

    text = _behind(body, 1)
    color, info, shown, emotes, badges = map(tag, ("color", "badge-info", "display-name", "emotes", "badges"))
    is_plain = np.ones(count, dtype=np.bool_)
    for name in _NEEDED:
        is_plain &= ~_true(pc.is_null(tag(name)))
    is_plain &= _true(pc.match_substring_regex(tag("tmi-sent-ts"), r"^\d{1,15}$"))
    for value in (color, info):
        is_plain &= ~_true(pc.match_substring_regex(value, _NEEDS_ESCAPE))
    is_plain &= ~_true(pc.match_substring(shown, "\\"))
    at = pc.if_else(pa.array(is_plain), tag("tmi-sent-ts"), "0").cast(pa.int64())
    is_plain &= _true(pc.less_equal(at, _LATEST))
    placed, are_placed = _emotes(emotes, text)
    is_plain &= are_placed
    nick = _behind(_split(sender, "!", 2)[0], 1)
    rows = pa.table(
        {
            "at": pa.array(places),
            "channel": pc.utf8_lower(_behind(channel, 1)),
            "message_id": tag("id"),
            "sent_at": pc.multiply(pc.if_else(pa.array(is_plain), at, 0), 1000).cast(pa.timestamp("us")),
            "channel_id": tag("room-id"),
            "viewer_id": tag("user-id"),
            "viewer_login": pc.utf8_lower(nick),
            "viewer_display_name": shown,
            "text": text,
            "emotes": placed,
            "badges": badges,
            "message_type": constant("chat", count),
            "is_action": pa.repeat(False, count),
            "bits_count": pa.nulls(count, pa.int64()),
            "reply_to_message_id": constant(None, count),
            "is_first_message": pc.equal(tag("first-msg"), "1"),
            "is_moderator": pc.equal(tag("mod"), "1"),
            "is_subscriber": pc.equal(tag("subscriber"), "1"),
            "is_vip": pc.fill_null(pc.match_substring_regex(badges, "(?:^|,)vip/"), False),
            "is_bot": pc.if_else(pc.match_substring(badges, "bot-badge/"), True, None).cast(pa.bool_()),
            "shared_from_channel_id": constant(None, count),
            "extra": _extra(info, color),
            TEXT: constant(None, count),
            PROBLEM: constant(None, count),
        }
    )
    return rows if is_plain.all() else rows.filter(pa.array(is_plain))


def _extra(info: pa.Array, color: pa.Array) -> pa.Array:
    """A JSON object of the values that are not null; null when both are."""
    has_info, has_color = pc.is_valid(info), pc.is_valid(color)
    parts = (
        pc.if_else(has_info, pc.binary_join_element_wise('"badge-info":"', pc.fill_null(info, ""), '"', ""), ""),
        pc.if_else(pc.and_(has_info, has_color), ",", ""),
        pc.if_else(has_color, pc.binary_join_element_wise('"color":"', pc.fill_null(color, ""), '"', ""), ""),
    )
    whole = pc.binary_join_element_wise("{", *parts, "}", "")
    return pc.if_else(pc.or_(has_info, has_color), whole, pa.scalar(None, pa.string()))


def _emotes(emotes: pa.Array, text: pa.Array) -> tuple[pa.Array, Mask]:
    """Emotes of each text (null where the tag is empty), and where they could be placed by the fast path."""
    has_none = ~_true(pc.is_valid(emotes))
    is_sound = _true(pc.match_substring_regex(emotes, _EMOTES))
    chosen = np.flatnonzero(is_sound)
    groups = pc.split_pattern(emotes.take(pa.array(chosen)), "/")
    ids, ranges = _split(groups.flatten(), ":", 2)
    places = pc.split_pattern(ranges, ",")
    starts, stops = (part.cast(pa.int32()) for part in _split(places.flatten(), "-", 2))
    of_group = pc.list_parent_indices(places)
    owners = chosen[pc.list_parent_indices(groups).to_numpy()[of_group.to_numpy()]]
    # Python counts code points, as Twitch does.
    placed = zip(text.take(pa.array(owners)).to_pylist(), starts.to_pylist(), stops.to_pylist(), strict=True)
    names = pa.array([whole[first : last + 1] or None for whole, first, last in placed], pa.string())
    values = pa.StructArray.from_arrays(
        [names, ids.take(of_group), constant("twitch", len(owners)), starts, stops],
        names=["name", "id", "provider", "start", "end"],
    )
    ends = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(text)))])
    lists = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=pa.array(has_none))
    return lists, has_none | is_sound
