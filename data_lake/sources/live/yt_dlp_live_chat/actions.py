"""Lines of a YouTube live chat to actions: what was added, replaced or removed, one row each.

A line holds the actions of one moment: wrapped as `replayChatItemAction` (replays, and yt-dlp's live captures, which
say `isLive`) or bare. Nearly all add one text message, whose members are read straight from the line.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.live.yt_dlp_live_chat.text import badges_of, worn
from data_lake.sources.reading.columns import constant
from data_lake.sources.reading.repair import chunked, prove_lines
from data_lake.sources.reading.typed import typed

TEXT_MESSAGE = "liveChatTextMessageRenderer"

_RUNS = '[{"text":"VARCHAR","emoji":{"emojiId":"VARCHAR","shortcuts":["VARCHAR"],"isCustomEmoji":"BOOLEAN"}}]'

# Members of an item, by the name they get here.
_MEMBERS = {
    "id": "id",
    "moment": "timestampUsec",
    "author": "authorExternalChannelId",
    "name": "authorName.simpleText",
    "runs_text": "message.runs",
    "badges": "authorBadges",
    "time_text": "timestampText.simpleText",
}
# Members that only paid items, memberships and gifts have.
_MORE = {
    "simple_text": "message.simpleText",
    "purchase": "purchaseAmountText.simpleText",
    "primary": "headerPrimaryText",
    "subtext": "headerSubtext",
    "sticker": "sticker.accessibility.accessibilityData.label",
    "gift_header": "header.liveChatSponsorshipsHeaderRenderer.primaryText",
    "gift_name": "header.liveChatSponsorshipsHeaderRenderer.authorName.simpleText",
    "jewels_name": "authorName.content",
    "jewels_text": "text.content",
    "gift_badges": "header.liveChatSponsorshipsHeaderRenderer.authorBadges",
}
_WRAPPED = f"$.replayChatItemAction.actions[0].addChatItemAction.item.{TEXT_MESSAGE}"


def _paths(prefix: str, members: dict[str, str]) -> str:
    return ", ".join(f"'{prefix}.{path}'" for path in members.values())


def _columns(members: dict[str, str], first: int) -> str:
    return ", ".join(f"extracted[{at}] as {name}" for at, name in enumerate(members, first))


def _none(*names: str) -> str:
    return ", ".join(f"null::varchar as {name}" for name in names)


ACTIONS = f"""
    with lines as (
        select *, json_extract_string(case when {PROBLEM} is null then {TEXT} end, [
            '$.replayChatItemAction.videoOffsetTimeMsec', '$.videoOffsetTimeMsec', '$.isLive',
            '$.replayChatItemAction.actions[1]', {_paths(_WRAPPED, _MEMBERS)}]) as extracted
        from pieces
    ),
    placed as (
        select {ROW}, {TEXT}, {PROBLEM}, extracted, coalesce(extracted[3] = 'true', false) as is_live,
            -- Live captures count from the start of the capture, not of the stream.
            case when extracted[3] is distinct from 'true'
                then try_cast(coalesce(extracted[1], extracted[2]) as bigint) end as offset_ms,
            extracted[4] is null and extracted[6] is not null and extracted[9] is not null as is_plain
        from lines
    ),
    plain as (
        select {ROW}, 0 as place, null::varchar as {TEXT}, {PROBLEM}, is_live, offset_ms,
            'addChatItemAction' as action, '{TEXT_MESSAGE}' as kind, {_columns(_MEMBERS, 5)},
            {_none(*_MORE, "target_id", "target_author")}
        from placed where is_plain
    ),
    unwrapped as (
        select {ROW}, {TEXT}, {PROBLEM}, is_live, offset_ms,
            case
                when {PROBLEM} is not null then [null]
                when json_type({TEXT}, '$.replayChatItemAction.actions') = 'ARRAY'
                    then json_extract({TEXT}, '$.replayChatItemAction.actions[*]')
                when json_type({TEXT}) = 'OBJECT' then [json({TEXT})]
                else [null]
            end as actions
        from placed where not coalesce(is_plain, false)
    ),
    each_action as (
        select {ROW}, {TEXT}, {PROBLEM}, is_live, offset_ms, unnest(actions) as done,
            unnest(range(len(actions))) as place
        from unwrapped
    ),
    named as (
        select *,
            list_filter(json_keys(done), lambda k: regexp_full_match(k, '\\w{{1,100}}(?:Action|Command)'))[1] as action
        from each_action
    ),
    items as (
        select *, (done -> ('$.' || action)) as body,
            coalesce((done -> '$.addChatItemAction.item'), (done -> '$.replaceChatItemAction.replacementItem')) as item
        from named
    ),
    kinds as (
        select *, list_filter(json_keys(item), lambda k: regexp_full_match(k, '\\w{{1,100}}'))[1] as kind from items
    ),
    general as (
        select * exclude (item), json_extract_string((item -> ('$.' || kind)),
            [{_paths("$", _MEMBERS)}, {_paths("$", _MORE)}]) as extracted
        from kinds
    ),
    rest as (
        select {ROW}, place, {TEXT},
            case
                when {PROBLEM} is not null then {PROBLEM}
                when done is null or json_type(done) <> 'OBJECT' then 'is not a live chat action but another JSON value'
                when action is null then 'has no live chat action'
            end as {PROBLEM},
            is_live, offset_ms, action, kind, {_columns(_MEMBERS, 1)}, {_columns(_MORE, len(_MEMBERS) + 1)},
            (body ->> '$.targetItemId') as target_id, (body ->> '$.externalChannelId') as target_author
        from general
    ),
    every as (from plain union all by name from rest),
    timed as (
        select * exclude (moment, runs_text),
            case when try_cast(moment as bigint) between 0 and 253402300799999999
                then make_timestamp(try_cast(moment as bigint)) end as sent_at,
            json_transform(case when json_valid(runs_text) then runs_text end, '{_RUNS}') as runs
        from every
    )
    from timed order by {ROW}, place"""


_TEXT = pa.string()
_BADGE = pa.struct(
    [("liveChatAuthorBadgeRenderer", pa.struct([("tooltip", _TEXT), ("icon", pa.struct([("iconType", _TEXT)]))]))]
)
_SIMPLE = pa.struct([("simpleText", _TEXT)])
_EMOJI = pa.struct([("emojiId", _TEXT), ("shortcuts", pa.list_(_TEXT)), ("isCustomEmoji", pa.bool_())])
_MESSAGE = pa.struct(
    [
        ("id", _TEXT),
        ("timestampUsec", _TEXT),
        ("authorExternalChannelId", _TEXT),
        ("authorName", _SIMPLE),
        ("message", pa.struct([("runs", pa.list_(pa.struct([("text", _TEXT), ("emoji", _EMOJI)])))])),
        ("authorBadges", pa.list_(_BADGE)),
        ("timestampText", _SIMPLE),
    ]
)
_ITEM = pa.struct([("item", pa.struct([(TEXT_MESSAGE, _MESSAGE)]))])
# A line that adds one text message, as nearly all do.
_PLAIN = pa.schema(
    [
        (
            "replayChatItemAction",
            pa.struct(
                [("actions", pa.list_(pa.struct([("addChatItemAction", _ITEM)]))), ("videoOffsetTimeMsec", _TEXT)]
            ),
        ),
        ("videoOffsetTimeMsec", _TEXT),
        ("isLive", pa.bool_()),
    ]
)


def read_actions(con: duckdb.DuckDBPyConnection, lines: pa.Table) -> pa.Table:
    """The actions of a batch of lines in their order: what they do (`action`), to what kind of item, and its members.

    `offset_ms` is null in live captures. `runs` holds the parts of the text, `badges` (name, version) what the author
    wears. `_problem` says why a line is no action. The lines need not have been proven to be JSON.
    """
    plain = typed(lines, _PLAIN)
    if plain is None:
        return _slow_path(con, lines)
    is_fast, actions = _fast_path(lines, plain)
    if pc.all(is_fast).as_py():
        return actions
    both = pa.concat_tables([actions, _slow_path(con, lines.filter(pc.invert(is_fast)))], promote_options="default")
    return both.take(pc.sort_indices(both, [(ROW, "ascending"), ("place", "ascending")])).combine_chunks()


def _slow_path(con: duckdb.DuckDBPyConnection, lines: pa.Table) -> pa.Table:
    con.register("pieces", chunked(pa.concat_tables(prove_lines(con.cursor(), [lines]))))
    actions = con.execute(ACTIONS).to_arrow_table().combine_chunks()
    con.unregister("pieces")
    return actions.set_column(actions.schema.get_field_index("badges"), "badges", badges_of(actions["badges"]))


def _fast_path(lines: pa.Table, read: pa.Table) -> tuple[pa.Array, pa.Table]:
    """Which lines add one text message, and those actions."""
    wrapper = read["replayChatItemAction"].combine_chunks()
    added = pc.struct_field(wrapper, "actions")
    item = pc.list_element(_of_one(added), 0)
    message = pc.struct_field(item, ["addChatItemAction", "item", TEXT_MESSAGE])
    ident, moment = pc.struct_field(message, "id"), pc.struct_field(message, "timestampUsec")
    is_time = pc.fill_null(pc.match_substring_regex(moment, r"^[0-9]{1,15}$|^1[0-9]{15}$"), False)
    offset = pc.coalesce(pc.struct_field(wrapper, "videoOffsetTimeMsec"), read["videoOffsetTimeMsec"].combine_chunks())
    is_number = pc.fill_null(pc.match_substring_regex(offset, "^-?[0-9]{1,15}$"), True)
    one = pc.equal(pc.fill_null(pc.list_value_length(added), 0), 1)
    is_fast = pc.and_(pc.and_(one, pc.is_valid(ident)), pc.and_(is_time, is_number))
    is_live = pc.fill_null(read["isLive"].combine_chunks(), False)
    count = len(read)
    columns = {
        ROW: lines[ROW].combine_chunks(),
        "place": pa.repeat(pa.scalar(0, pa.int64()), count),
        TEXT: constant(None, count),
        PROBLEM: constant(None, count),
        "is_live": is_live,
        "offset_ms": pc.if_else(is_live, pa.scalar(None, _TEXT), pc.if_else(is_number, offset, pa.scalar(None, _TEXT))),
        "action": constant("addChatItemAction", count),
        "kind": constant(TEXT_MESSAGE, count),
        "id": ident,
        "author": pc.struct_field(message, "authorExternalChannelId"),
        "name": pc.struct_field(message, ["authorName", "simpleText"]),
        "badges": worn(pc.struct_field(message, "authorBadges")),
        "time_text": pc.struct_field(message, ["timestampText", "simpleText"]),
        **{name: constant(None, count) for name in (*_MORE, "target_id", "target_author")},
        "sent_at": moment,
        "runs": pc.struct_field(message, ["message", "runs"]),
    }
    actions = pa.table(columns).filter(is_fast).combine_chunks()
    for name, kind in (("offset_ms", pa.int64()), ("sent_at", pa.int64())):
        actions = actions.set_column(actions.schema.get_field_index(name), name, actions[name].cast(kind))
    at = actions.schema.get_field_index("sent_at")
    return is_fast, actions.set_column(at, "sent_at", actions["sent_at"].cast(pa.timestamp("us")))


def _of_one(lists: pa.Array) -> pa.Array:
    """The lists with one element, the others as a list of null: list_element refuses empty ones."""
    is_one = pc.equal(pc.fill_null(pc.list_value_length(lists), 0), 1)
    return pc.if_else(is_one, lists, pa.scalar([None], lists.type))
