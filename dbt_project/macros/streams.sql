{# How streams are told apart and how rows find theirs. #}

{# True for a platform that only relays to others (var relay_platforms). #}
{%- macro is_relay(platform) -%}
{{ platform }} in ({{ sql_texts(var("relay_platforms")) }})
{%- endmacro -%}

{#
  True when two live intervals share more than half of the shorter one. An interval counts at least a second, so that
  a stream of which only the start is known lies inside another, or not.
#}
{%- macro overlaps_mostly(a, b) -%}
2 * (
            least({{ last_us(a) }}, {{ last_us(b) }})
            - greatest(epoch_us({{ a }}.started_at), epoch_us({{ b }}.started_at))
        ) > least({{ last_us(a) }} - epoch_us({{ a }}.started_at), {{ last_us(b) }} - epoch_us({{ b }}.started_at))
{%- endmacro -%}

{%- macro last_us(s) -%}
greatest(epoch_us({{ s }}.ended_at), epoch_us({{ s }}.started_at) + 1000000)
{%- endmacro -%}

{#
  Rows with the channel and the stream they belong to: `stream_id` becomes the canonical one (int_stream_ids), a row
  without one gets the stream of its channel that was live at `moment`, else null. Channels that no snapshot resolves
  keep their stand-in. `rows` needs platform, channel_id and stream_id; when it is a CTE, `not materialized`.
#}
{%- macro with_streams(rows, moment) -%}
(
        select
            r.* replace (
                coalesce(ids.channel_id, r.channel_id, 'unknown') as channel_id,
                ids.stream_id as stream_id
            )
        from {{ rows }} as r
        left join {{ ref('int_stream_ids') }} as ids
            on r.platform = ids.platform and r.stream_id = ids.source_stream_id
        where r.stream_id is not null
        union all
        select
            r.* replace (case when r.{{ moment }} <= streams.ended_at then streams.stream_id end as stream_id)
        from (
            select r.* replace (coalesce(stand_ins.channel_id, r.channel_id, 'unknown') as channel_id)
            from {{ rows }} as r
            left join {{ ref('int_channel_stand_ins') }} as stand_ins
                on r.platform = stand_ins.platform and r.channel_id = stand_ins.stand_in_id
            where r.stream_id is null
        ) as r
        asof left join (select * from {{ ref('int_streams') }} where started_at is not null) as streams
            on r.platform = streams.platform
            and r.channel_id = streams.channel_id
            and r.{{ moment }} >= streams.started_at
    )
{%- endmacro -%}

{# Seconds of started_at..ended_at that lie after `covered_until` (null: all of them): summed, the length of a union. #}
{%- macro seconds_added(covered_until) -%}
greatest(0, epoch_us(ended_at) - epoch_us(greatest(started_at, {{ covered_until }}))) / 1000000
{%- endmacro -%}

{# Sum of seconds kept as doubles: exact to the microsecond, whatever the order of rows; null when all are null. #}
{%- macro sum_seconds(column) -%}
sum({{ column }}::decimal(18, 6))::double
{%- endmacro -%}
