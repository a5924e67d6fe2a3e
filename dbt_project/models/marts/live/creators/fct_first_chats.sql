with clock as (
    select max(date_day) as as_of_date from {{ ref('dim_dates') }} where {{ is_seen('date_day') }}
),

accounts as (
    select * from {{ ref('int_viewer_accounts') }} where not is_bot
),

channels as (
    select platform, channel_id, creator_id from {{ ref('dim_channels') }}
),

first_messages as (
    select
        channels.creator_id,
        messages.platform,
        accounts.canonical_viewer_id as viewer_id,
        min(messages.sent_at) as first_chat_at,
        arg_min(messages.channel_id, (messages.sent_at, messages.message_id)) as channel_id,
        arg_min_null(messages.stream_id, (messages.sent_at, messages.message_id)) as stream_id
    from {{ ref('fct_chat_messages') }} as messages
    inner join accounts on messages.platform = accounts.platform and messages.viewer_id = accounts.viewer_id
    inner join channels on messages.platform = channels.platform and messages.channel_id = channels.channel_id
    where {{ is_seen('messages.event_date') }}
    group by all
),

returns as (
    select
        first_messages.creator_id,
        first_messages.platform,
        first_messages.viewer_id,
        min(streams.first_activity_at) as returned_at
    from first_messages
    inner join {{ ref('int_creator_viewer_streams') }} as streams using (creator_id, platform, viewer_id)
    where streams.first_activity_at > first_messages.first_chat_at
        and streams.stream_id is distinct from first_messages.stream_id
        and streams.first_activity_at <= first_messages.first_chat_at + interval ({{ var('return_days') }}) day
    group by first_messages.creator_id, first_messages.platform, first_messages.viewer_id
)

select
    first_messages.creator_id,
    first_messages.platform,
    first_messages.viewer_id,
    first_messages.channel_id,
    first_messages.stream_id,
    first_messages.first_chat_at,
    first_messages.first_chat_at::date as first_chat_date,
    date_trunc('week', first_messages.first_chat_at)::date as week_start_date,
    returns.returned_at,
    case
        when returns.returned_at is not null then true
        when clock.as_of_date + 1 >= first_messages.first_chat_at + interval ({{ var('return_days') }}) day then false
    end as has_returned
from first_messages
cross join clock
left join returns using (creator_id, platform, viewer_id)
