{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with messages as not materialized (
    {{ audience_messages([
        'messages.event_date', 'messages.platform', 'messages.message_id', 'messages.channel_id', 'messages.stream_id',
        'messages.viewer_id', 'messages.sent_at', 'messages.text', 'messages.emotes'
    ]) }}
),

known_names as (
    select name, provider from {{ ref('known_emotes') }}
),

positioned as (
    select
        * exclude (emotes, text, emote),
        emote.name as emote_name,
        coalesce(emote.provider, platform) as provider
    from (select *, unnest(emotes) as emote from messages where len(emotes) > 0)
    -- an emote whose place in the text is wrong has an id and no name: fct_chat_messages counts it as unnamed
    where emote.name is not null
),

words as (
    select
        * exclude (emotes, text),
        emotes is null as has_no_positions,
        list_transform(emotes, lambda emote: emote.name) as positioned_names,
        unnest(string_split(text, ' ')) as word
    from messages
),

named as (
    -- third parties have no positions: their names are words. A platform's own names are, where the source has none
    select
        words.* exclude (has_no_positions, positioned_names, word),
        known_names.name as emote_name,
        known_names.provider
    from words
    inner join known_names on words.word = known_names.name
    where not coalesce(list_contains(words.positioned_names, known_names.name), false)
        and (known_names.provider <> words.platform or words.has_no_positions)
        and not (known_names.provider = 'twitch' and words.platform <> 'twitch')
),

uses as (
    select * from positioned
    union all by name
    select * from named
)

select
    event_date,
    platform,
    message_id,
    channel_id,
    stream_id,
    viewer_id,
    any_value(sent_at) as sent_at,
    emote_name,
    provider,
    count(*) as use_count
from uses
group by event_date, platform, message_id, channel_id, stream_id, viewer_id, emote_name, provider
