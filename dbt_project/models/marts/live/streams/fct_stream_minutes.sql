{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with viewers as (
    select * from {{ ref('int_viewer_minutes') }} where {{ in_window() }}
),

bots as (
    -- distinct: an account has one row per channel
    select distinct event_date, platform, viewer_id from {{ ref('fct_viewer_days') }}
    where {{ in_window() }} and is_bot
),

messages as (
    select
        messages.platform,
        messages.stream_id,
        date_trunc('minute', messages.sent_at) as minute_at,
        count(*) as message_count,
        count(bots.viewer_id) as bot_message_count,
        count(distinct messages.viewer_id) filter (bots.viewer_id is null) as chatter_count,
        sum(messages.emote_count)::bigint as emote_count
    from {{ ref('fct_chat_messages') }} as messages
    left join bots
        on messages.event_date = bots.event_date
        and messages.platform = bots.platform
        and messages.viewer_id = bots.viewer_id
    where {{ in_window('messages.event_date') }} and messages.stream_id is not null
    group by all
),

chat_days as (
    -- distinct: a day of a stream has many minutes
    select distinct platform, stream_id, minute_at::date as event_date from messages
),

counts as not materialized (
    select
        event_date, platform, channel_id, stream_id, observed_at, message_count, emote_count, source
    from {{ ref('stg_chat_counts') }}
    where {{ in_window() }}
),

counts_by_source as (
    select
        counts.platform,
        counts.stream_id,
        date_trunc('minute', counts.observed_at) as minute_at,
        counts.source,
        sum(counts.message_count)::bigint as message_count,
        sum(counts.emote_count)::bigint as emote_count
    from {{ with_streams('counts', 'observed_at') }} as counts
    -- where the messages themselves are known, they are counted
    anti join chat_days
        on counts.platform = chat_days.platform
        and counts.stream_id = chat_days.stream_id
        and counts.event_date = chat_days.event_date
    where counts.stream_id is not null
    group by all
),

chat as (
    select
        platform, stream_id, minute_at, message_count, bot_message_count, chatter_count, emote_count,
        'measured' as chat_observability
    from messages
    union all
    select
        platform, stream_id, minute_at, message_count,
        null::bigint as bot_message_count,
        null::bigint as chatter_count,
        emote_count,
        'platform_reported' as chat_observability
    from counts_by_source
    qualify row_number() over (partition by platform, stream_id, minute_at order by {{ source_rank() }}, source) = 1
),

events as (
    select
        platform,
        stream_id,
        date_trunc('minute', occurred_at) as minute_at,
        count(*) as event_count,
        count(*) filter (event_type = 'follow') as follow_count,
        count(*) filter (event_type in ('subscription', 'resubscription')) as subscription_count,
        coalesce(sum(coalesce(gift_count, 1)) filter (event_type = 'gift'), 0)::bigint as gift_count,
        count(*) filter (event_type = 'raid') as raid_count,
        count(*) filter ({{ is_donation() }}) as donation_count
    from {{ ref('int_stream_events_resolved') }}
    where {{ in_window() }} and stream_id is not null and {{ is_audience_event() }}
    group by all
),

minutes as (
    select platform, stream_id, minute_at from viewers
    union
    select platform, stream_id, minute_at from chat
    union
    select platform, stream_id, minute_at from events
),

covered as (
    -- a minute without messages says zero only where the chat of the stream is known
    select
        minutes.platform,
        minutes.stream_id,
        minutes.minute_at,
        min(coverage.chat_observability) as chat_observability,
        sum(
            epoch_us(least(coverage.covered_to, minutes.minute_at + interval 1 minute))
            - epoch_us(greatest(coverage.covered_from, minutes.minute_at))
        )::double / 1000000 as covered_seconds
    from minutes
    inner join {{ ref('int_chat_coverage') }} as coverage
        on minutes.platform = coverage.platform
        and minutes.stream_id = coverage.stream_id
        and minutes.minute_at::date = coverage.event_date
        and minutes.minute_at < coverage.covered_to
        and minutes.minute_at + interval 1 minute > coverage.covered_from
    where {{ in_window('coverage.event_date') }}
    group by minutes.platform, minutes.stream_id, minutes.minute_at
),

final as (
    select
        minutes.minute_at::date as event_date,
        minutes.platform,
        streams.channel_id,
        minutes.stream_id,
        minutes.minute_at,
        viewers.viewer_seconds,
        coalesce(viewers.observed_seconds, 0) as observed_seconds,
        viewers.viewer_seconds / nullif(viewers.observed_seconds, 0) as average_viewers,
        viewers.peak_viewers,
        coalesce(viewers.sample_count, 0) as sample_count,
        coalesce(covered.covered_seconds, 0) as chat_covered_seconds,
        -- a message that a file has beside what it says to cover is known as well
        coalesce(chat.chat_observability, covered.chat_observability) as chat_observability,
        coalesce(chat.message_count, case when covered.platform is not null then 0 end) as message_count,
        coalesce(chat.bot_message_count, case when covered.chat_observability = 'measured' then 0 end)
            as bot_message_count,
        coalesce(chat.chatter_count, case when covered.chat_observability = 'measured' then 0 end) as chatter_count,
        coalesce(chat.emote_count, case when covered.platform is not null then 0 end) as emote_count,
        coalesce(events.event_count, 0) as event_count,
        coalesce(events.follow_count, 0) as follow_count,
        coalesce(events.subscription_count, 0) as subscription_count,
        coalesce(events.gift_count, 0) as gift_count,
        coalesce(events.raid_count, 0) as raid_count,
        coalesce(events.donation_count, 0) as donation_count,
        case when viewers.platform is not null then 'measured' else 'chat_inferred' end as observability
    from minutes
    inner join {{ ref('int_streams') }} as streams
        on minutes.platform = streams.platform and minutes.stream_id = streams.stream_id
    left join viewers
        on minutes.platform = viewers.platform
        and minutes.stream_id = viewers.stream_id
        and minutes.minute_at = viewers.minute_at
    left join chat
        on minutes.platform = chat.platform
        and minutes.stream_id = chat.stream_id
        and minutes.minute_at = chat.minute_at
    left join events
        on minutes.platform = events.platform
        and minutes.stream_id = events.stream_id
        and minutes.minute_at = events.minute_at
    left join covered
        on minutes.platform = covered.platform
        and minutes.stream_id = covered.stream_id
        and minutes.minute_at = covered.minute_at
)

select
    event_date,
    platform,
    channel_id,
    stream_id,
    minute_at,
    viewer_seconds,
    observed_seconds,
    average_viewers,
    peak_viewers,
    sample_count,
    message_count,
    bot_message_count,
    chatter_count,
    emote_count,
    event_count,
    follow_count,
    subscription_count,
    gift_count,
    raid_count,
    donation_count,
    observability,
    chat_observability,
    chat_covered_seconds,
    chat_covered_seconds / 60 as chat_coverage_ratio
from final
