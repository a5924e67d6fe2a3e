"""Plain chat messages among lines of IRC, straight to rows in Arrow: nearly all of a log.

A message is plain when its tags stand in one of the few orders most messages have, none of them is rare, nothing is
escaped and it is no /me. Whatever else a batch holds takes the slow path (see `fields` and `rows`, which say what the
columns mean); a test holds both ways equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.irc.fields import RARE, layouts_of
from data_lake.sources.reading.columns import constant
from data_lake.sources.reading.emotes import EMOTE, are_certain, words_at
from data_lake.sources.reading.spans import NOWHERE, Mask, Octets, Positions, byte_at, next_of, octets_of, stands, texts

# Tags without which a line needs the slow path: other lines or the sidecar say what they do not.
_NEEDED = ("id", "room-id", "tmi-sent-ts", "user-id")
_READ = (*_NEEDED, "badge-info", "badges", "color", "display-name", "emotes", "first-msg", "mod", "subscriber")
_LATEST = 253_402_300_799_999  # milliseconds, the end of the year 9999
_EMOTES = r"^[^:/,]+:\d{1,6}-\d{1,6}(?:,\d{1,6}-\d{1,6})*(?:/[^:/,]+:\d{1,6}-\d{1,6}(?:,\d{1,6}-\d{1,6})*)*$"
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_SPACE, _BANG, _SEPARATOR, _ONE = np.frombuffer(b" !;1", dtype=np.uint8)
_COMMAND = b" PRIVMSG #"


def fast_rows(lines: pa.Table, text: pa.Array) -> tuple[pa.Table | None, Mask]:
    """Rows of chat_messages of the plain messages among lines (`text`), with `channel`; and which lines they are.

    Columns the sidecar fills are not among them. None when there are no such lines.
    """
    is_fast = np.zeros(len(lines), dtype=np.bool_)
    layouts = [names for names in layouts_of(text) if {*_NEEDED} <= {*names} and not {*RARE} & {*names}]
    if not layouts:
        return None, is_fast
    spoken = _Spoken.among(text, lines[PROBLEM])
    parts = []
    for names in layouts:
        rows, places = _messages(spoken, names)
        is_fast[places] = True
        parts.append(rows.append_column(ROW, lines[ROW].take(pa.array(places))))
    return pa.concat_tables(parts).combine_chunks() if is_fast.any() else None, is_fast


def _true(condition: pa.Array) -> Mask:
    holds: Mask = pc.fill_null(condition, False).to_numpy(zero_copy_only=False)
    return holds


@dataclass
class _Spoken:
    """The lines that are PRIVMSG as Twitch writes it, by the places of their parts in `octets`.

    `rows` says which lines they are. Tags stand between `tags` and `sender`, the nick between `nick` and `bang`, the
    channel between `channel` and `channel_end`, the text between `text` and `end`.
    """

    octets: Octets
    separators: Positions  # of tags, in all lines
    rows: Positions
    tags: Positions
    sender: Positions
    nick: Positions
    bang: Positions
    channel: Positions
    channel_end: Positions
    text: Positions
    end: Positions

    @classmethod
    def among(cls, text: pa.Array, problem: pa.ChunkedArray) -> _Spoken:
        octets, starts, ends = octets_of(text)
        spaces = np.append(np.flatnonzero(octets == _SPACE), [NOWHERE] * 4)
        first = np.searchsorted(spaces, starts)
        fits = (spaces[first + 3] < ends) & problem.is_null().to_numpy()
        rows = np.flatnonzero(fits)
        starts, ends, first = starts[rows], ends[rows], first[rows]
        sender, command, channel, behind = (spaces[first + at] for at in range(4))
        bang = next_of(np.flatnonzero(octets == _BANG), sender + 2)
        fits = stands(octets, starts, b"@") & stands(octets, sender, b" :") & (bang > sender + 2) & (bang < command)
        fits &= (channel - command == len(_COMMAND) - 2) & stands(octets, command, _COMMAND)
        fits &= stands(octets, behind, b" :") & ~((behind + 2 < ends) & stands(octets, behind + 2, b"\x01"))
        fits &= behind + 2 <= ends
        places = (rows, starts + 1, sender, sender + 2, bang, channel + 2, behind, behind + 2, ends)
        return cls(octets, np.flatnonzero(octets == _SEPARATOR), *(place[fits] for place in places))

    def following(self, names: tuple[str, ...]) -> tuple[_Spoken, list[Positions]]:
        """The lines that have exactly these tags, in this order, and where each tag begins and the last one ends."""
        first = np.searchsorted(self.separators, self.tags)
        count = np.searchsorted(self.separators, self.sender) - first
        at = np.flatnonzero(count == len(names) - 1)
        between = [self.separators[first[at] + nth] + 1 for nth in range(len(names) - 1)]
        bounds = [self.tags[at], *between, self.sender[at] + 1]
        fits = np.ones(len(at), dtype=np.bool_)
        for name, begin in zip(names, bounds, strict=False):
            fits &= stands(self.octets, begin, f"{name}=".encode())
        if not fits.all():
            at, bounds = at[fits], [bound[fits] for bound in bounds]
        return self._taken(at), bounds

    def _taken(self, at: Positions) -> _Spoken:
        lines = (self.rows, self.tags, self.sender, self.nick, self.bang, self.channel, self.channel_end, self.text)
        return _Spoken(self.octets, self.separators, *(place[at] for place in (*lines, self.end)))


def _messages(spoken: _Spoken, names: tuple[str, ...]) -> tuple[pa.Table, Positions]:
    """The rows of the lines with these tags, and which lines they are; those that need the slow path are left out."""
    lines, bounds = spoken.following(names)
    octets, count = lines.octets, len(lines.rows)
    values = {
        name: (begin + len(name) + 1, end - 1)
        for name, begin, end in zip(names, bounds[:-1], bounds[1:], strict=True)
        if name in _READ
    }

    def tag(name: str) -> pa.Array:
        if name not in values:
            return constant(None, count)
        value = texts(octets, *values[name])
        is_empty = pc.equal(pc.binary_length(value), 0)
        return pc.if_else(is_empty, pa.scalar(None, pa.string()), value) if pc.any(is_empty).as_py() else value

    def is_one(name: str) -> pa.Array:
        if name not in values:
            return pa.nulls(count, pa.bool_())
        begin, end = values[name]
        return pa.array((end - begin == 1) & (byte_at(octets, begin) == _ONE), mask=end == begin)

    text = texts(octets, lines.text, lines.end)
    color, info, shown, emotes, badges = map(tag, ("color", "badge-info", "display-name", "emotes", "badges"))
    needed = {name: tag(name) for name in _NEEDED}
    is_plain = np.ones(count, dtype=np.bool_)
    for value in needed.values():
        if value.null_count:
            is_plain &= ~_true(pc.is_null(value))
    is_plain &= _true(pc.match_substring_regex(needed["tmi-sent-ts"], r"^\d{1,15}$"))
    is_plain &= ~_true(pc.match_substring(shown, "\\"))
    extra, is_written = _extra(info, color)
    is_plain &= is_written
    at = needed["tmi-sent-ts"]
    at = (at if is_plain.all() else pc.if_else(pa.array(is_plain), at, "0")).cast(pa.int64())
    is_plain &= _true(pc.less_equal(at, _LATEST))
    placed, are_placed = _emotes(emotes, text)
    is_plain &= are_placed
    worn = badges.dictionary_encode()
    is_vip = pc.match_substring_regex(worn.dictionary, "(?:^|,)vip/").take(worn.indices)
    is_bot = pc.match_substring(worn.dictionary, "bot-badge/").take(worn.indices)
    rows = pa.table(
        {
            "channel": pc.utf8_lower(texts(octets, lines.channel, lines.channel_end)),
            "message_id": needed["id"],
            "sent_at": pc.multiply(pc.if_else(pa.array(is_plain), at, 0), 1000).cast(pa.timestamp("us")),
            "channel_id": needed["room-id"],
            "viewer_id": needed["user-id"],
            "viewer_login": pc.utf8_lower(texts(octets, lines.nick, lines.bang)),
            "viewer_display_name": shown,
            "text": text,
            "emotes": placed,
            "badges": badges,
            "message_type": constant("chat", count),
            "is_action": pa.repeat(False, count),
            "bits_count": pa.nulls(count, pa.int64()),
            "reply_to_message_id": constant(None, count),
            "is_first_message": is_one("first-msg"),
            "is_moderator": is_one("mod"),
            "is_subscriber": is_one("subscriber"),
            "is_vip": pc.fill_null(is_vip, False),
            "is_bot": pc.if_else(is_bot, True, None).cast(pa.bool_()),
            "shared_from_channel_id": constant(None, count),
            "extra": extra,
            TEXT: constant(None, count),
            PROBLEM: constant(None, count),
        }
    )
    return (rows, lines.rows) if is_plain.all() else (rows.filter(pa.array(is_plain)), lines.rows[is_plain])


def _extra(info: pa.Array, color: pa.Array) -> tuple[pa.Array, Mask]:
    """A JSON object of the values that are not null, null when both are; and where none of them needs an escape.

    Few pairs make up a file: each is written once.
    """
    infos, colors = info.dictionary_encode("encode"), color.dictionary_encode("encode")
    pairs = infos.indices.to_numpy().astype(np.int64) * len(colors.dictionary) + colors.indices.to_numpy()
    pair = pa.array(pairs).dictionary_encode()
    keys = pair.dictionary.to_numpy()
    info = infos.dictionary.take(pa.array(keys // max(len(colors.dictionary), 1)))
    color = colors.dictionary.take(pa.array(keys % max(len(colors.dictionary), 1)))
    has_info, has_color = pc.is_valid(info), pc.is_valid(color)
    parts = (
        pc.if_else(has_info, pc.binary_join_element_wise('"badge-info":"', pc.fill_null(info, ""), '"', ""), ""),
        pc.if_else(pc.and_(has_info, has_color), ",", ""),
        pc.if_else(has_color, pc.binary_join_element_wise('"color":"', pc.fill_null(color, ""), '"', ""), ""),
    )
    whole = pc.binary_join_element_wise("{", *parts, "}", "")
    written = pc.if_else(pc.or_(has_info, has_color), whole, pa.scalar(None, pa.string()))
    is_plain = ~(
        _true(pc.match_substring_regex(info, _NEEDS_ESCAPE)) | _true(pc.match_substring_regex(color, _NEEDS_ESCAPE))
    )
    return written.take(pair.indices), is_plain[pair.indices.to_numpy()]


def _split(array: pa.Array, by: str, count: int) -> list[pa.Array]:
    """The parts of strings that all have as many: one array per part, without an object per row."""
    parts = pc.split_pattern(array, by, max_splits=count - 1).flatten()
    return [parts.take(pa.array(np.arange(at, len(parts), count))) for at in range(count)]


def _emotes(emotes: pa.Array, text: pa.Array) -> tuple[pa.Array, Mask]:
    """Emotes of each text (null where the tag is empty), and where their places are certain (see `reading.emotes`)."""
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
    words = words_at(text.take(pa.array(owners)).to_pylist(), starts.to_pylist(), stops.to_pylist())
    of_emote = ids.take(of_group)
    is_placed = has_none | is_sound
    is_placed[owners[~are_certain(owners, of_emote, words)]] = False
    values = pa.StructArray.from_arrays(
        [pa.array(words, pa.string()), of_emote, constant("twitch", len(owners)), starts, stops], fields=list(EMOTE)
    )
    ends = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(text)))])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=pa.array(has_none)), is_placed
