with channel_ids as (
    select * from {{ ref('int_channel_ids') }}
),

snapshots as (
    select owners.* replace (coalesce(channel_ids.channel_id, owners.channel_id) as channel_id)
    from {{ ref('stg_channel_owners') }} as owners
    left join channel_ids
        on owners.platform = channel_ids.platform and owners.channel_id = channel_ids.stand_in_id
),

latest as (
    select * from snapshots
    qualify row_number() over (partition by platform, channel_id order by observed_at desc, creator_id) = 1
),

time_zones as (
    select name from pg_timezone_names()
),

creators as (
    select
        creator_id,
        arg_max(creator_name, (observed_at, platform, channel_id)) as creator_name,
        -- Of a zone that nobody knows no hour can be told; the expectation time_zone_is_known names its row.
        arg_max(time_zone, (observed_at, platform, channel_id)) filter (
            where time_zone in (select time_zones.name from time_zones)
        ) as time_zone
    from snapshots
    group by creator_id
)

select
    latest.platform,
    latest.channel_id,
    latest.observed_at,
    latest.creator_id,
    creators.creator_name,
    creators.time_zone
from latest
inner join creators on latest.creator_id = creators.creator_id
