"""Lines of IRC to fields: the command, who and where, the text, and the tags, one row per line.

A batch of pieces (see `splitting`) becomes the temporary table `fields`: `_row`, `_text`, `_problem`, `command`,
`channel` (login), `nick`, `body` (the text as sent), `sent_at`, the tags nearly every message has under names of their
own (`COMMON`), and `tags`, all tags as a JSON object, where a message has others that matter. Tag values are unescaped.
"""

from __future__ import annotations

import re
from collections import Counter

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.irc.commands import SILENT, SPEAKING
from data_lake.sources.reading.repair import chunked

# Tags of nearly every chat message: read by their places, since few orders of tags make up nearly all of a file.
COMMON = ("badge-info", "badges", "color", "display-name", "emotes", "first-msg", "id", "mod", "room-id", "subscriber",
          "tmi-sent-ts", "user-id")  # fmt: skip

# Tags of few chat messages: a line with any of them gets its `tags`.
RARE = ("bits", "custom-reward-id", "msg-id", "pinned-chat-paid-amount", "reply-parent-msg-id", "rm-received-ts",
        "source-room-id", "vip")  # fmt: skip

EXPECTED = "@tags :sender COMMAND #channel :text"

CREATE = "create or replace temp table fields as"
LAYOUTS, SAMPLE_ROWS = 4, 500
_TAG_VALUE = re.compile("=[^;]*")
_TAG_NAMES = re.compile("(?:[^;=]*=;)*[^;=]*=")
_HAS_RARE = "(?:^|;)(?:" + "|".join(RARE) + ")(?:=|;|$)"


def column(tag: str) -> str:
    """The column a tag is read into."""
    return tag.replace("-", "_")


def unescaped(value: str) -> str:
    r"""A tag's value as SQL, its escapes \: \s \\ \r \n undone; a backslash before anything else is dropped (IRCv3)."""
    stand_in = "chr(57344)"  # of a backslash that is meant: a private-use character
    undone = rf"replace({value}, '\\', {stand_in})"
    for escape, meant in ((r"\:", "';'"), (r"\s", "' '"), (r"\r", "chr(13)"), (r"\n", "chr(10)"), ("\\", "''")):
        undone = f"replace({undone}, '{escape}', {meant})"
    return rf"case when contains({value}, '\') then replace({undone}, {stand_in}, '\') else {value} end"


def moment(milliseconds: str) -> str:
    """Epoch milliseconds in text as SQL of a timestamp; null for what is no moment before the year 10000."""
    number = f"try_cast({milliseconds} as bigint)"
    return f"case when {number} between 0 and 253402300799999 then make_timestamp({number} * 1000) end"


def read_lines(con: duckdb.DuckDBPyConnection, lines: pa.Table) -> None:
    """Make `fields` from lines of raw IRC."""
    fields_of_lines(con, lines, "null::varchar", CREATE)


def fields_of_lines(con: duckdb.DuckDBPyConnection, lines: pa.Table, stated: str, into: str) -> None:
    """Read lines into `fields`; `stated` is SQL of a time said beside the line, `into` begins the statement."""
    layouts = layouts_of(lines[TEXT])
    read = ", ".join(f"{_tag(tag, layouts)} as {column(tag)}" for tag in COMMON)
    con.register("pieces", chunked(lines))
    con.execute(f"""
        {into}
        with parts as (
            -- Tags and parameters hold no ' :': it stands first before the sender, then before the text.
            select {ROW}, {TEXT}, {PROBLEM}, {stated} as stated,
                string_split(case when starts_with({TEXT}, ':') then ' ' || {TEXT} else {TEXT} end, ' :') as p
            from pieces
        ),
        words as (
            select * exclude (p),
                case when starts_with(p[1], '@') then substr(p[1], 2) else '' end as tagged,
                -- A line without sender (PING) begins with its command.
                string_split(
                    case when len(p) > 1 and (p[1] = '' or starts_with(p[1], '@')) then p[2] else ' ' || p[1] end,
                    ' ') as w,
                case when len(p) = 3 then p[3] when len(p) > 3 then array_to_string(p[3:], ' :') end as last_part
            from parts
        ),
        split as (
            select *, string_split(tagged, ';') as x,
                case when w[2] in {SPEAKING} or regexp_full_match(w[2], '[A-Z]+|[0-9]{{3}}') then w[2] end as command
            from words
        ),
        laid as (
            select *, {_layout(layouts)} as layout from split
        ),
        read as (
            select {ROW}, {TEXT}, {PROBLEM}, stated, command, {read},
                case when starts_with(w[3], '#') then lower(substr(w[3], 2)) end as channel,
                case when contains(w[1], '!') then lower(split_part(w[1], '!', 1)) end as nick,
                coalesce(last_part, nullif(w[4], '')) as body,
                case when {_has_more(layouts)} then {_AS_JSON} end as tags
            from laid
        ),
        timed as (
            select * exclude (stated, tmi_sent_ts),
                coalesce({moment(_MILLISECONDS)}, try_cast(stated as timestamp)) as sent_at
            from read
        )
        {finished(f"the line is not an IRC message; expected {EXPECTED}")}""")
    con.unregister("pieces")


def layouts_of(lines: pa.Array) -> list[tuple[str, ...]]:
    """The orders of tags that most of the first chat messages of the batch have."""
    texts = lines.slice(0, SAMPLE_ROWS)
    spoken = texts.filter(pc.match_substring_regex(texts, "^@[^ ]+ :[^ ]+ PRIVMSG ")).to_pylist()
    seen = Counter(_TAG_VALUE.sub("=", text[1 : text.index(" ")]) for text in spoken)
    orders = Counter({order: count for order, count in seen.items() if _TAG_NAMES.fullmatch(order)})
    plain = [tuple(order[:-1].split("=;")) for order, _ in orders.most_common(LAYOUTS)]
    return [names for names in plain if all(re.fullmatch("[a-z-]+", name) for name in names)]


def _layout(layouts: list[tuple[str, ...]]) -> str:
    """SQL of the number of the layout that all tags of a line follow, 0 for none."""
    cases = ""
    for number, names in enumerate(layouts, 1):
        placed = " and ".join(f"starts_with(x[{at}], '{name}=')" for at, name in enumerate(names, 1))
        cases += f" when len(x) = {len(names)} and {placed} then {number}"
    return f"case{cases} else 0 end" if cases else "0"


def _tag(tag: str, layouts: list[tuple[str, ...]]) -> str:
    """The value of a tag as SQL: from its place in the layout, else looked for; null when it is absent or empty."""
    cases = ""
    for number, names in enumerate(layouts, 1):
        if tag in names:
            cases += f" when {number} then substr(x[{names.index(tag) + 1}], {len(tag) + 2})"
        else:
            cases += f" when {number} then null"
    pattern = f"(?:^|;){re.escape(tag)}=([^;]*)"
    sought = f"case when contains(tagged, '{tag}=') then regexp_extract(tagged, '{pattern}', 1) end"
    value = f"nullif(case layout{cases} else {sought} end, '')" if cases else f"nullif({sought}, '')"
    return unescaped(value) if tag == "display-name" else value


def _has_more(layouts: list[tuple[str, ...]]) -> str:
    """SQL of whether a line has tags that matter beside the common ones."""
    plain = [number for number, names in enumerate(layouts, 1) if not {*RARE} & {*names} and "tmi-sent-ts" in names]
    is_plain = f"command = 'PRIVMSG' and layout in ({', '.join(map(str, plain))})" if plain else "false"
    sought = f"regexp_matches(tagged, '{_HAS_RARE}') or not contains(tagged, 'tmi-sent-ts=')"
    return f"tagged <> '' and not ({is_plain}) and (command <> 'PRIVMSG' or {sought})"


def finished(not_a_message: str) -> str:
    """The rows of `timed`, each with why it cannot be kept and then with its text."""
    problem = f"""case
        when {PROBLEM} is not null then {PROBLEM}
        when command is null then '{not_a_message}'
        when command in {SPEAKING} then
            case when sent_at is null and command <> 'ROOMSTATE' then 'nothing says when it was sent (tmi-sent-ts)' end
        when command not in {SILENT} and not regexp_full_match(command, '[0-9]{{3}}') then
            concat('the IRC command ', command[:40], ' is unknown')
    end"""
    return f"""
        select * exclude (reason) replace (reason as {PROBLEM}, case when reason is not null then {TEXT} end as {TEXT})
        from (select *, {problem} as reason from timed)"""


_MILLISECONDS = """coalesce(tmi_sent_ts, (tags ->> '$."rm-received-ts"'))"""
_VALUE = "(case when contains(t, '=') then t[instr(t, '=') + 1:] else '' end)"
_AS_JSON = f"""'{{' || array_to_string(list_transform(x, lambda t:
    to_json(split_part(t, '=', 1)) || ':' || to_json({unescaped(_VALUE)})), ',') || '}}'"""
