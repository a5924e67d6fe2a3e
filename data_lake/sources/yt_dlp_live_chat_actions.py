"""Lines of a YouTube live chat to actions: what was added, replaced or removed, one row each.

A line holds the actions of one moment: wrapped as `replayChatItemAction` (replays, and yt-dlp's live captures, which
say `isLive`) or bare. Nearly all add one text message, whose members are read straight from the line. What becomes of
an action does not belong here (see `yt_dlp_live_chat_rows`).
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.reading_repair import chunked

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
    "gift_badges": "header.liveChatSponsorshipsHeaderRenderer.authorBadges",
}
_WRAPPED = f"$.replayChatItemAction.actions[0].addChatItemAction.item.{TEXT_MESSAGE}"


def _paths(prefix: str, members: dict[str, str]) -> str:
    return ", ".join(f"'{prefix}.{path}'" for path in members.values())


def _columns(members: dict[str, str], first: int) -> str:
    return ", ".join(f"said[{at}] as {name}" for at, name in enumerate(members, first))


def _none(*names: str) -> str:
    return ", ".join(f"null::varchar as {name}" for name in names)


ACTIONS = f"""
    with lines as (
        select *, json_extract_string(case when {PROBLEM} is null then {TEXT} end, [
            '$.replayChatItemAction.videoOffsetTimeMsec', '$.videoOffsetTimeMsec', '$.isLive',
            '$.replayChatItemAction.actions[1]', {_paths(_WRAPPED, _MEMBERS)}]) as said
        from pieces
    ),
    placed as (
        select {ROW}, {TEXT}, {PROBLEM}, said, coalesce(said[3] = 'true', false) as is_live,
            -- Live captures count from the start of the capture, not of the stream.
            case when said[3] is distinct from 'true' then try_cast(coalesce(said[1], said[2]) as bigint) end
                as offset_ms,
            said[4] is null and said[6] is not null and said[9] is not null as is_plain
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
    known as (
        select *,
            list_filter(json_keys(done), lambda k: regexp_full_match(k, '\\w{{1,100}}(?:Action|Command)'))[1] as action
        from each_action
    ),
    items as (
        select *, (done -> ('$.' || action)) as body,
            coalesce((done -> '$.addChatItemAction.item'), (done -> '$.replaceChatItemAction.replacementItem')) as item
        from known
    ),
    kinds as (
        select *, list_filter(json_keys(item), lambda k: regexp_full_match(k, '\\w{{1,100}}'))[1] as kind from items
    ),
    general as (
        select * exclude (item), json_extract_string((item -> ('$.' || kind)),
            [{_paths("$", _MEMBERS)}, {_paths("$", _MORE)}]) as said
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
            json_transform(runs_text, '{_RUNS}') as runs
        from every
    )
    from timed order by {ROW}, place"""


def read_actions(con: duckdb.DuckDBPyConnection, lines: pa.Table) -> pa.Table:
    """The actions of a batch of lines in their order: what they do (`action`), to what kind of item, and its members.

    `offset_ms` is null in live captures. `runs` holds the parts of the text. `_problem` says why a line is no action.
    """
    con.register("pieces", chunked(lines))
    actions = con.execute(ACTIONS).to_arrow_table().combine_chunks()
    con.unregister("pieces")
    return actions
