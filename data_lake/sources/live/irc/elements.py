"""JSON messages of justlog and rustlog to fields, the same as those of IRC lines (see `fields`).

Plain chat messages are read from their raw lines (see `fast_path`), the others from members and tags. Where they leave
something open (another command, /me, escapes) the raw line in it is read instead; rustlog's basic form has none, and
what its tags hold says which command it was.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.irc.fields import COMMON, CREATE, RARE, column, fields_of_lines, finished, moment
from data_lake.sources.reading.repair import chunked

# go-twitch-irc's numbers of message types, as justlog and rustlog write them; others are silent commands.
TYPES = {1: "PRIVMSG", 2: "CLEARCHAT", 3: "ROOMSTATE", 4: "USERNOTICE", 13: "CLEARMSG"}

_MEMBERS = ("type", "timestamp", "text", "systemText", "username", "displayName", "channel", "id")
_TELLING = ("system-msg", "target-msg-id", "target-user-id", "ban-duration", "login")
_TAGS = (*COMMON, *RARE, *_TELLING)
_PATHS = ", ".join([*(f"'$.{name}'" for name in _MEMBERS), *(f"""'$.tags."{tag}"'""" for tag in _TAGS)])
_READ = ", ".join(
    f"nullif(extracted[{at}], '') as {name}"
    for at, name in enumerate([*(f"its_{name}" for name in _MEMBERS), *map(column, _TAGS)], 1)
)
_HAS_MORE = " or ".join(f"{column(tag)} is not null" for tag in (*RARE, *_TELLING))
_KEPT = ", ".join(column(tag) for tag in COMMON if tag not in ("tmi-sent-ts", "display-name", "id"))
_ELEMENTS = f"""
    with elements as (
        select *, json_extract_string(case when {PROBLEM} is null then {TEXT} end, [{_PATHS}]) as extracted from pieces
    ),
    members as (
        select {ROW}, {TEXT}, {PROBLEM}, {_READ} from elements
    ),
    typed as (
        select *, try_cast(its_type as integer) as type_number,
            coalesce(user_id is null or tmi_sent_ts is null or its_text is null or contains(display_name, '\\')
                or contains({TEXT}, 'u0001ACTION') or try_cast(its_type as integer) <> 1, false) as is_open
        from members
    ),
    dated as (
        select *,
            case when {PROBLEM} is null and is_open then nullif(({TEXT} ->> '$.raw'), '') end as raw,
            case when {PROBLEM} is null and (is_open or {_HAS_MORE}) then ({TEXT} -> '$.tags') end as its_tags,
            coalesce({moment("coalesce(tmi_sent_ts, rm_received_ts)")}, try_cast(its_timestamp as timestamp)) as sent_at
        from typed
    ),
    tagged as (
        select *, case json_type(its_tags) when 'OBJECT' then its_tags::varchar end as tags from dated
    ),
    named as (
        select *,
            case
                when {PROBLEM} is not null or (tags is null and user_id is null and its_username is null) then null
                {" ".join(f"when type_number = {number} then '{name}'" for number, name in TYPES.items())}
                when type_number is not null then 'NOTICE'
                when target_msg_id is not null then 'CLEARMSG'
                when target_user_id is not null or ban_duration is not null then 'CLEARCHAT'
                when system_msg is not null or its_systemText is not null then 'USERNOTICE'
                else 'PRIVMSG'
            end as command
        from tagged
    ),
    timed as (
        select {ROW}, {TEXT}, {PROBLEM}, raw, its_timestamp as stated, command, tags, sent_at, {_KEPT},
            lower(its_channel) as channel, coalesce(its_id, id) as id,
            coalesce(display_name, its_displayName) as display_name,
            lower(coalesce(its_username, login, its_displayName)) as nick,
            case
                when command = 'CLEARCHAT' then regexp_extract(its_text, '^(\\S+) has been ', 1)
                -- Older versions write the system's sentence and the viewer's text as one.
                when command = 'USERNOTICE' and starts_with(its_text, system_msg) then
                    nullif(trim(its_text[len(system_msg) + 1:]), '')
                else its_text
            end as body
        from named
    )
    {finished("the element is not a chat message: it has neither raw nor tags")}"""


def raw_lines(con: duckdb.DuckDBPyConnection, elements: pa.Table) -> pa.Array:
    """The raw line of each element, null where it has none."""
    raw = f"json_extract_string(case when {PROBLEM} is null then {TEXT} end, '$.raw') as raw"
    return con.from_arrow(chunked(elements)).project(raw).to_arrow_table()["raw"].combine_chunks()


def read_elements(con: duckdb.DuckDBPyConnection, elements: pa.Table) -> None:
    """Make `fields` from JSON messages."""
    con.register("pieces", chunked(elements))
    con.execute(f"{CREATE} {_ELEMENTS}")
    con.unregister("pieces")
    raw = con.execute(
        f"select {ROW}, raw as {TEXT}, null::varchar as {PROBLEM}, stated from fields where raw is not null"
    ).to_arrow_table()
    if len(raw):
        con.execute("delete from fields where raw is not null")
        fields_of_lines(con, raw, "stated", "insert into fields by name")
