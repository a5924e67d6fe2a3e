with accounts as (
    select * from {{ ref('int_viewer_accounts') }} where not is_bot
),

channels as (
    select platform, channel_id, creator_id, time_zone from {{ ref('dim_channels') }}
),

sessions as (
    select
        channels.creator_id,
        channels.time_zone,
        sessions.platform,
        accounts.canonical_viewer_id as viewer_id,
        unnest(range(
            date_trunc('hour', sessions.started_at), sessions.ended_at + interval 1 microsecond, interval 1 hour
        )) as hour_at
    from {{ ref('fct_viewer_sessions') }} as sessions
    inner join accounts on sessions.platform = accounts.platform and sessions.viewer_id = accounts.viewer_id
    inner join channels on sessions.platform = channels.platform and sessions.channel_id = channels.channel_id
    where {{ is_seen('sessions.event_date') }}
),

clocks as (
    -- the clock of each zone once per hour: converting every session would cost more than all the rest
    select
        time_zone,
        hour_at,
        hour(timezone(time_zone, timezone('UTC', hour_at))) as hour_of_day
    from (
        -- distinct: many sessions share an hour
        select distinct time_zone, hour_at from sessions
    )
)

select
    sessions.creator_id,
    sessions.platform,
    sessions.viewer_id,
    clocks.hour_of_day,
    count(*) as session_count
from sessions
inner join clocks on sessions.time_zone = clocks.time_zone and sessions.hour_at = clocks.hour_at
group by sessions.creator_id, sessions.platform, sessions.viewer_id, clocks.hour_of_day
