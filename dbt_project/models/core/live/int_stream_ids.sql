with streams as (
    select
        *,
        case when stream_id like 'vod:%' then 1 when is_relayed then 2 else 0 end as stand_in_rank
    from {{ ref('int_stream_intervals') }}
),

vods as (
    -- a snapshot of a stream says which VOD is its archive
    select
        vod.platform,
        vod.stream_id as stream_id,
        stream.stream_id as other_stream_id
    from streams as vod
    inner join streams as stream
        on vod.platform = stream.platform and vod.stream_id = 'vod:' || stream.vod_id
    where stream.stand_in_rank = 0
),

overlapping as (
    -- two streams of one tool are two streams (YouTube lets a channel send several at once); a stand-in, or what
    -- another tool saw at the same time on the same channel, is the same stream
    select
        a.platform,
        a.stream_id,
        b.stream_id as other_stream_id
    from streams as a
    inner join streams as b
        on a.platform = b.platform
        and a.channel_id = b.channel_id
        and a.started_at <= b.ended_at
        and b.started_at <= a.ended_at
    where a.stream_id < b.stream_id
        and (a.stand_in_rank > 0 or b.stand_in_rank > 0 or a.source is distinct from b.source)
        and {{ overlaps_mostly('a', 'b') }}
        and not exists (
            select 1 from vods
            where vods.platform = a.platform and vods.stream_id in (a.stream_id, b.stream_id)
        )
),

edges as (
    select platform, stream_id, other_stream_id from vods
    union
    select platform, other_stream_id, stream_id from vods
    union
    select platform, stream_id, other_stream_id from overlapping
    union
    select platform, other_stream_id, stream_id from overlapping
),

reached as (
    with recursive reach as (
        select platform, stream_id, stream_id as other_stream_id from streams
        union
        select
            reach.platform,
            reach.stream_id,
            edges.other_stream_id
        from reach
        inner join edges on reach.platform = edges.platform and reach.other_stream_id = edges.stream_id
    )
    select * from reach
),

final as (
    select
        reached.platform,
        reached.stream_id as source_stream_id,
        arg_min(other.stream_id, (other.stand_in_rank, other.started_at, other.stream_id)) as stream_id
    from reached
    inner join streams as other
        on reached.platform = other.platform and reached.other_stream_id = other.stream_id
    group by reached.platform, reached.stream_id
)

select
    final.platform,
    final.source_stream_id,
    final.stream_id,
    -- one channel for all names of a stream: the platform's own id before a stand-in
    coalesce(
        min(streams.channel_id) filter ({{ is_native('streams.channel_id') }}) over names,
        min(streams.channel_id) over names
    ) as channel_id
from final
inner join streams on final.platform = streams.platform and final.source_stream_id = streams.stream_id
window names as (partition by final.platform, final.stream_id)
