with owned_channels as (
    select * from {{ ref('int_owned_channels') }}
),

channel_ids as (
    select * from {{ ref('int_channel_ids') }}
),

stream_ids as (
    select * from {{ ref('int_stream_ids') }}
)

select
    platform,
    'owner:' || creator_id as stand_in_id,
    channel_id
from owned_channels
union all
select
    platform,
    stand_in_id,
    channel_id
from channel_ids
union all
select
    platform,
    'stream:' || source_stream_id as stand_in_id,
    channel_id
from stream_ids
