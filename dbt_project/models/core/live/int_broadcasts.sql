with streams as (
    select
        int_streams.platform,
        int_streams.stream_id,
        int_streams.started_at,
        int_streams.ended_at,
        creators.creator_id,
        -- one text names a stream across platforms: what the search below walks over
        int_streams.platform || ' ' || int_streams.stream_id as node
    from {{ ref('int_streams') }} as int_streams
    inner join {{ ref('int_creator_channels') }} as creators
        on int_streams.platform = creators.platform and int_streams.channel_id = creators.channel_id
),

groupings as (
    -- distinct: several names of a stream may carry one grouping
    select distinct
        streams.creator_id,
        streams.node,
        intervals.source,
        intervals.source_broadcast_id
    from {{ ref('int_stream_intervals') }} as intervals
    inner join {{ ref('int_stream_ids') }} as ids
        on intervals.platform = ids.platform and intervals.stream_id = ids.source_stream_id
    inner join streams on ids.platform = streams.platform and ids.stream_id = streams.stream_id
    where intervals.source_broadcast_id is not null
),

edges as (
    select
        a.node,
        b.node as other_node
    from groupings as a
    inner join groupings as b
        on a.creator_id = b.creator_id
        and a.source = b.source
        and a.source_broadcast_id = b.source_broadcast_id
    where a.node <> b.node
    union
    select
        a.node,
        b.node as other_node
    from streams as a
    inner join streams as b
        on a.creator_id = b.creator_id
        and a.started_at <= b.ended_at
        and b.started_at <= a.ended_at
    where a.node <> b.node and {{ overlaps_mostly('a', 'b') }}
),

reached as (
    with recursive reach as (
        select node, node as other_node from streams
        union
        select
            reach.node,
            edges.other_node
        from reach
        inner join edges on reach.other_node = edges.node
    )
    select * from reach
),

final as (
    select
        reached.node,
        arg_min(
            other.platform || ':' || other.stream_id, (other.started_at, other.platform, other.stream_id)
        ) as earliest
    from reached
    inner join streams as other on reached.other_node = other.node
    group by reached.node
),

named as (
    select
        streams.*,
        md5(final.earliest) as broadcast_id
    from streams
    inner join final on streams.node = final.node
),

covered as (
    -- how far the streams before this one reach, on its platform and on all
    select
        *,
        max(ended_at) over (
            partition by broadcast_id, platform order by started_at, stream_id
            rows between unbounded preceding and 1 preceding
        ) as platform_covered_until,
        max(ended_at) over (
            partition by broadcast_id order by started_at, platform, stream_id
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from named
)

select
    platform,
    stream_id,
    broadcast_id,
    creator_id,
    {{ seconds_added('platform_covered_until') }} as platform_live_seconds,
    {{ seconds_added('covered_until') }} as live_seconds
from covered
