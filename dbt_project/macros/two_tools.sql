{#
  The same thing exported by two tools counts once: a row whose id is not the platform's own gives way to a native row
  with equal channel, login and words less than a second away. Selects (event_date, platform, id) of the superseded
  rows.

  `rows` is a staging model, `words` the columns that say what was said, `mixed_days` a CTE of the (platform,
  event_date)s with both kinds of row there or on a neighbouring day: nothing else is read. Words are compared by their
  64-bit hash; two that differ collide within one channel and second about once in 10^12 runs of ten million rows. A
  join and not a semi join: with the inequality in its condition DuckDB compares every pair.
#}
{%- macro superseded_rows(rows, id, moment, words, mixed_days) -%}
{%- set spoken -%}
        select
            r.event_date,
            r.platform,
            coalesce(ids.channel_id, stand_ins.channel_id, r.channel_id) as channel_id,
            r.{{ id }},
            epoch_us(r.{{ moment }}) as moment_us,
            hash(
                r.viewer_login
                {%- for word in words %}, coalesce(r.{{ word }}, ''){% endfor %}
            ) as words
        from {{ rows }} as r
        semi join {{ mixed_days }} as mixed_days
            on r.platform = mixed_days.platform and r.event_date = mixed_days.event_date
        left join {{ ref('int_stream_ids') }} as ids
            on r.platform = ids.platform and r.stream_id = ids.source_stream_id
        left join {{ ref('int_channel_stand_ins') }} as stand_ins
            on r.platform = stand_ins.platform and r.channel_id = stand_ins.stand_in_id
        where {{ in_window('r.event_date', pad=1) }} and r.viewer_login is not null
{%- endset -%}
select distinct
        other.event_date,
        other.platform,
        other.{{ id }}
    from (
        {{ spoken }} and not {{ is_native('r.' ~ id) }}
    ) as other
    join (
        select *, unnest([moment_us // 1000000 - 1, moment_us // 1000000, moment_us // 1000000 + 1]) as near_second
        from (
            {{ spoken }} and {{ is_native('r.' ~ id) }}
        )
    ) as native
        on other.platform = native.platform
        and other.channel_id = native.channel_id
        and other.words = native.words
        and other.moment_us // 1000000 = native.near_second
    where other.moment_us - native.moment_us between -999999 and 999999
{%- endmacro -%}

{# Days of a platform with native rows of an entity and others, there or on a neighbouring day. #}
{%- macro mixed_days(entity, id) -%}
select
        platform,
        event_date + near.days as event_date
    from (
        select distinct platform, event_date, {{ is_native(id) }} as is_native
        from {{ ref('stg_' ~ entity ~ '_keys') }}
        where {{ in_window(pad=2) }}
    ), (select unnest([-1, 0, 1]) as days) as near
    group by all
    having bool_or(is_native) and bool_or(not is_native)
{%- endmacro -%}
