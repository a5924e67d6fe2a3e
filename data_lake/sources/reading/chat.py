"""What chat formats share: lines of speaker and text, the cheers among messages, the viewers of a file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Rows
from data_lake.sources.reading.columns import constant, last_of_each

_LOGIN = "^[a-z0-9_]{1,25}$"


def said_by(lines: pa.Array, head: str, text: str) -> pa.Array:
    """Lines of `<head>: <text>` as a struct of the groups of both patterns; null where they do not fit together.

    `head` ends before the colon, `text` begins with it. An expression over whole lines costs several times one over
    their heads, so it serves only where the first colon before a space does not end the head.
    """
    split = pc.split_pattern(lines, ": ", max_splits=1)
    has_text = pc.equal(pc.list_value_length(split), 2)
    first = np.cumsum(pc.fill_null(pc.list_value_length(split), 0).to_numpy()) - 1
    behind = split.flatten().take(pc.if_else(has_text, pa.array(first), pa.scalar(None, pa.int64())))
    heads = pc.if_else(has_text, pc.list_element(split, 0), pa.scalar(None, pa.string()))
    found = pc.extract_regex(heads, f"^{head}$")
    other = pc.is_null(found)
    whole = pc.extract_regex(lines.filter(other), f"^{head}{text}$")
    names = [field.name for field in whole.type]
    columns = [
        pc.replace_with_mask(
            behind if name == "text" else pc.struct_field(found, name), other, pc.struct_field(whole, name)
        )
        for name in names
    ]
    is_none = pc.replace_with_mask(pc.is_null(found), other, pc.is_null(whole))
    return pa.StructArray.from_arrays(columns, names=names, mask=is_none)


def by_login(names: pa.StringArray | pa.DictionaryArray) -> dict[str, pa.Array]:
    """The columns viewer_id and viewer_login of speakers known by name only; a name that is no login has none.

    The same few speak again and again, so each name is judged once.
    """
    codes = names.dictionary_encode()  # of what is encoded: the same
    login = pc.utf8_lower(codes.dictionary)
    viewer_id = pc.binary_join_element_wise("login", login, ":")
    logins = pc.if_else(pc.match_substring_regex(login, _LOGIN), login, pa.scalar(None, pa.string()))
    return {"viewer_id": viewer_id.take(codes.indices), "viewer_login": logins.take(codes.indices)}


def cheers_of(messages: pa.Table) -> Iterator[Rows]:
    """The cheers among chat messages, as stream_events: one for each good message with bits.

    The event's id is the message's, so that two exports of one chat count a cheer once; bits are no currency, and
    stand in `extra`. A message mirrored by shared chat cheers in the other channel.
    """
    is_cheer = pc.and_(pc.greater(messages["bits_count"], 0), pc.is_null(messages[PROBLEM]))
    if "shared_from_channel_id" in messages.column_names:
        is_cheer = pc.and_(is_cheer, pc.is_null(messages["shared_from_channel_id"]))
    cheers = messages.filter(is_cheer)
    if not len(cheers):
        return
    names = {"message_id": "event_id", "sent_at": "occurred_at", "text": "message_text"}
    kept = ("platform", "channel_id", "stream_id", "viewer_id", "viewer_login", *names, ROW, TEXT, PROBLEM)
    events = cheers.select([name for name in kept if name in cheers.column_names])
    events = events.rename_columns([names.get(name, name) for name in events.column_names])
    bits = cheers["bits_count"].cast(pa.int64()).cast(pa.string())
    extra = pc.binary_join_element_wise('{"bits_count":', bits, "}", "")
    events = events.append_column("event_type", constant("cheer", len(events)))
    yield Rows("stream_events", events.append_column("extra", extra))


class Viewers:
    """The viewers seen in one file, each as seen last."""

    def __init__(self) -> None:
        self._seen: pa.Table | None = None

    def note(self, rows: pa.Table, viewer_id: str, login: str, display_name: str) -> None:
        """Take up the viewers of good rows; the names are those of the columns that say who they are."""
        has_id = pc.invert(pc.fill_null(pc.starts_with(rows[viewer_id], "login:"), True))
        columns = {"viewer_id": viewer_id, "login": login, "display_name": display_name, ROW: ROW}
        seen = pa.table({name: rows[column] for name, column in columns.items()})
        seen = seen.filter(pc.and_(pc.is_null(rows[PROBLEM]), has_id))
        # Rows of a batch may come in several tables, each in its own order.
        every = [last_of_each(seen.sort_by(ROW), "viewer_id")] + ([self._seen] if self._seen is not None else [])
        self._seen = last_of_each(pa.concat_tables(every).sort_by(ROW), "viewer_id")

    def snapshots(self, platform: str) -> list[Rows]:
        """One snapshot of each viewer; no rows when there are none."""
        if self._seen is None or not len(self._seen):
            return []
        count = len(self._seen)
        snapshots = self._seen.append_column("platform", constant(platform, count))
        return [
            Rows(
                "viewers",
                snapshots.append_column(TEXT, constant(None, count)).append_column(PROBLEM, constant(None, count)),
            )
        ]
