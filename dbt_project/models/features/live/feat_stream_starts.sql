with creators as (
    select creator_id, min(time_zone) as time_zone from {{ ref('dim_channels') }} group by creator_id
),

as_of as (
    -- the cut-off of a stream is its own start
    select
        streams.broadcast_id,
        streams.creator_id,
        streams.started_at as cut_off_at,
        timezone(creators.time_zone, timezone('UTC', streams.started_at)) as local_started_at,
        row_number() over (
            partition by streams.creator_id order by streams.started_at, streams.broadcast_id
        ) as stream_number
    from {{ ref('fct_streams') }} as streams
    inner join creators on streams.creator_id = creators.creator_id
    where streams.started_at is not null
),

on_air as (
    -- measured on samples, chat and events: what a later snapshot says of a start or an end moves nothing here
    select
        broadcasts.broadcast_id,
        min(minutes.minute_at) as started_at,
        max(minutes.minute_at) + interval 1 minute as ended_at
    from {{ ref('fct_stream_minutes') }} as minutes
    inner join {{ ref('int_broadcasts') }} as broadcasts
        on minutes.platform = broadcasts.platform and minutes.stream_id = broadcasts.stream_id
    where {{ is_seen('minutes.event_date') }}
    group by broadcasts.broadcast_id
),

streams as (
    -- a stream that is over: what was measured in it does not change any more
    select
        streams.broadcast_id as earlier_broadcast_id,
        streams.creator_id,
        on_air.started_at,
        on_air.ended_at,
        isodow(timezone(creators.time_zone, timezone('UTC', on_air.started_at))) as iso_day_of_week,
        epoch(on_air.ended_at - on_air.started_at) / 3600 as on_air_hours,
        streams.viewer_seconds,
        streams.observed_seconds,
        streams.average_viewers,
        streams.peak_viewers,
        streams.message_count,
        streams.follow_count
    from {{ ref('fct_streams') }} as streams
    inner join on_air on streams.broadcast_id = on_air.broadcast_id
    inner join creators on streams.creator_id = creators.creator_id
),

earlier as (
    select
        *,
        row_number() over (
            partition by broadcast_id order by ended_at desc, started_at desc, earlier_broadcast_id
        ) as streams_ago
    from {{ before_as_of('streams', 'ended_at', 90, on=['creator_id']) }}
),

history as (
    select
        broadcast_id,
        cut_off_at,
        max(earlier_broadcast_id) filter (streams_ago = 1) as previous_broadcast_id,
        {%- for column in [
            'started_at', 'ended_at', 'on_air_hours', 'average_viewers', 'peak_viewers', 'message_count',
            'follow_count'
        ] %}
        max({{ column }}) filter (streams_ago = 1) as previous_{{ column }},
        {%- endfor %}
        {%- for streams in [4, 12] %}
        count(*) filter (streams_ago <= {{ streams }}) as stream_count_last_{{ streams }},
        sum(viewer_seconds::decimal(18, 6)) filter (streams_ago <= {{ streams }} and observed_seconds > 0)::double
            / nullif(sum(observed_seconds::decimal(18, 6)) filter (streams_ago <= {{ streams }})::double, 0)
            as average_viewers_last_{{ streams }},
        max(peak_viewers) filter (streams_ago <= {{ streams }}) as peak_viewers_last_{{ streams }},
        sum(on_air_hours::decimal(18, 6)) filter (streams_ago <= {{ streams }})::double
            as on_air_hours_last_{{ streams }},
        sum(message_count) filter (streams_ago <= {{ streams }})::bigint as message_count_last_{{ streams }},
        {%- endfor %}
        count(*) filter ({{ is_before_cut_off('started_at', 7) }}) as stream_count_7d,
        count(*) filter ({{ is_before_cut_off('started_at', 28) }}) as stream_count_28d,
        arg_max(average_viewers, ended_at) filter (iso_day_of_week = isodow(local_started_at))
            as same_weekday_average_viewers,
        count(*) filter (iso_day_of_week = isodow(local_started_at)) as same_weekday_stream_count
    from earlier
    group by broadcast_id, cut_off_at
),

stream_snapshots as (
    select
        broadcasts.broadcast_id,
        snapshots.observed_at,
        snapshots.category_name
    from {{ ref('stg_streams') }} as snapshots
    inner join {{ ref('int_stream_ids') }} as ids
        on snapshots.stream_id = ids.source_stream_id
        and (snapshots.platform = ids.platform or {{ is_relay('snapshots.platform') }})
    inner join {{ ref('int_broadcasts') }} as broadcasts
        on ids.platform = broadcasts.platform and ids.stream_id = broadcasts.stream_id
    where snapshots.category_name is not null
),

categories as (
    select
        history.broadcast_id,
        arg_max(stream_snapshots.category_name, (stream_snapshots.observed_at, stream_snapshots.category_name))
            as previous_category_name
    from history
    inner join stream_snapshots
        on history.previous_broadcast_id = stream_snapshots.broadcast_id
        and {{ is_before_cut_off('stream_snapshots.observed_at', cut_off_at='history.cut_off_at') }}
    group by history.broadcast_id
),

snapshots as (
    select
        channels.creator_id,
        snapshots.platform,
        coalesce(stand_ins.channel_id, snapshots.channel_id) as channel_id,
        snapshots.observed_at,
        max(snapshots.follower_count) as follower_count
    from {{ ref('stg_channels') }} as snapshots
    left join {{ ref('int_channel_stand_ins') }} as stand_ins
        on snapshots.platform = stand_ins.platform and snapshots.channel_id = stand_ins.stand_in_id
    inner join {{ ref('dim_channels') }} as channels
        on snapshots.platform = channels.platform
        and coalesce(stand_ins.channel_id, snapshots.channel_id) = channels.channel_id
    where snapshots.follower_count is not null
    group by 1, 2, 3, 4
),

followers as (
    select
        broadcast_id,
        sum(follower_count)::bigint as follower_count,
        min(observed_at) as followers_observed_at
    from {{ latest_before_as_of('snapshots', 'observed_at', ['platform', 'channel_id'], on=['creator_id']) }}
    group by broadcast_id
),

plans as (
    select
        channels.creator_id,
        plans.platform,
        plans.channel_id,
        plans.segment_id,
        plans.observed_at,
        plans.starts_at,
        plans.category_name,
        coalesce(plans.is_cancelled, false) as is_cancelled
    from {{ ref('stg_scheduled_streams') }} as plans
    inner join {{ ref('dim_channels') }} as channels
        on plans.platform = channels.platform and plans.channel_id = channels.channel_id
),

scheduled as (
    -- the plan nearest to the start, as it was last seen before it
    select
        broadcast_id,
        starts_at as scheduled_start_at,
        category_name as scheduled_category_name
    from {{ latest_before_as_of('plans', 'observed_at', ['platform', 'channel_id', 'segment_id'], on=['creator_id']) }}
    where not is_cancelled and abs(epoch(starts_at) - epoch(cut_off_at)) <= 3 * 3600
    qualify row_number() over (
        partition by broadcast_id order by abs(epoch(starts_at) - epoch(cut_off_at)), platform, channel_id, segment_id
    ) = 1
)

select
    as_of.broadcast_id,
    as_of.creator_id,
    as_of.cut_off_at as started_at,
    as_of.cut_off_at::date as as_of_date,
    as_of.local_started_at,
    isodow(as_of.local_started_at) as iso_day_of_week,
    hour(as_of.local_started_at) as hour_of_day,
    as_of.stream_number,
    scheduled.scheduled_start_at is not null as is_scheduled,
    scheduled.scheduled_start_at,
    scheduled.scheduled_category_name,
    (epoch_us(as_of.cut_off_at) - epoch_us(history.previous_ended_at)) / 3600000000.0 as hours_since_previous,
    categories.previous_category_name,
    {%- for column in [
        'started_at', 'ended_at', 'on_air_hours', 'average_viewers', 'peak_viewers', 'message_count', 'follow_count'
    ] %}
    history.previous_{{ column }},
    {%- endfor %}
    {%- for streams in [4, 12] %}
    coalesce(history.stream_count_last_{{ streams }}, 0) as stream_count_last_{{ streams }},
    history.average_viewers_last_{{ streams }},
    history.peak_viewers_last_{{ streams }},
    history.on_air_hours_last_{{ streams }},
    history.message_count_last_{{ streams }},
    {%- endfor %}
    coalesce(history.stream_count_7d, 0) as stream_count_7d,
    coalesce(history.stream_count_28d, 0) as stream_count_28d,
    history.same_weekday_average_viewers,
    coalesce(history.same_weekday_stream_count, 0) as same_weekday_stream_count,
    followers.follower_count,
    followers.followers_observed_at
from as_of
left join history on as_of.broadcast_id = history.broadcast_id
left join categories on as_of.broadcast_id = categories.broadcast_id
left join followers on as_of.broadcast_id = followers.broadcast_id
left join scheduled on as_of.broadcast_id = scheduled.broadcast_id
