{#
  Activity of viewers by creator: one row per creator, platform, viewer and seen day. `since`: a query of the first day.
#}
{% macro creator_viewer_days(since=none) %}
    select
        days.event_date,
        channels.creator_id,
        days.platform,
        days.viewer_id,
        sum(days.message_count)::bigint as message_count,
        sum(days.event_count)::bigint as event_count,
        min(days.first_activity_at) as first_activity_at,
        max(days.last_activity_at) as last_activity_at
    from {{ ref('fct_viewer_days') }} as days
    inner join {{ ref('dim_channels') }} as channels
        on days.platform = channels.platform and days.channel_id = channels.channel_id
    where {{ is_seen('days.event_date') }}
    {%- if since %} and days.event_date >= ({{ since }}){% endif %}
    group by all
{%- endmacro %}


{#
  Attendance: one row per viewer and stream, with the first day of it on which the viewer was active. `since`: a query
  of the first day; what was attended earlier may be missing or have a later day.
#}
{% macro attended_streams(since=none) %}
    select
        streams.creator_id,
        days.platform,
        days.viewer_id,
        days.stream_id,
        streams.first_on_air_date,
        min(days.event_date) as event_date
    from {{ ref('fct_stream_viewer_days') }} as days
    inner join {{ ref('int_channel_streams') }} as streams
        on days.platform = streams.platform and days.stream_id = streams.stream_id
    where {{ is_seen('days.event_date') }}
    {%- if since %} and days.event_date >= ({{ since }}){% endif %}
    group by all
{%- endmacro %}
