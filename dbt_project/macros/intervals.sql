{#
  Intervals between looks at a list: who was on it from when to when, as far as looks can tell. `rows` is a staging
  model of an entity of states, `list_name` (SQL over r) the list of channel_looks it was seen in, `key` what names an
  entry of the list beside platform and channel. Only complete looks say that somebody was not on the list.

  An entry seen at every complete look from one to another is one interval; missing from one in between, it is two.
  With `moment` (when the platform says the entry began) entries of one moment are one interval, missing looks or not,
  and another moment is another interval: it ended and began anew between two looks.

  Selects platform, channel_id, the key, `moment`, first_seen_at, last_seen_at, look_count, and the looks on either side:
  began_after_at (null: there at the first look already) and ended_before_at (null: there at the latest look).
  `extra`: further columns to keep, as of the last look.
#}
{%- macro intervals_between_looks(rows, list_name, key, moment=none, extra=[]) -%}
{%- set entry = ['platform', 'channel_id'] + key -%}
(
        with looks as (
            select
                platform,
                channel_id,
                list_name,
                observed_at,
                lag(observed_at) over look as previous_look_at,
                lead(observed_at) over look as next_look_at,
                row_number() over look as look_number
            from {{ ref('stg_channel_looks') }}
            where is_complete
            window look as (partition by platform, channel_id, list_name order by observed_at)
        ),

        seen as (
            select
                r.*,
                looks.previous_look_at,
                looks.next_look_at,
                looks.look_number - row_number() over (
                    partition by r.{{ (entry + ([moment] if moment else [])) | join(', r.') }} order by r.observed_at
                ) as unbroken
            from {{ rows }} as r
            inner join looks
                on r.platform = looks.platform
                and r.channel_id = looks.channel_id
                and {{ list_name }} = looks.list_name
                and r.observed_at = looks.observed_at
        )

        select
            {{ entry | join(', ') }},
            {%- if moment %}
            {{ moment }},
            {%- endif %}
            {%- for column in extra %}
            arg_max_null({{ column }}, observed_at) as {{ column }},
            {%- endfor %}
            min(observed_at) as first_seen_at,
            max(observed_at) as last_seen_at,
            count(*) as look_count,
            arg_min_null(previous_look_at, observed_at) as began_after_at,
            arg_max_null(next_look_at, observed_at) as ended_before_at
        from seen
        group by
            {{ entry | join(', ') }},
            {%- if moment %}
            {{ moment }},
            case when {{ moment }} is null then unbroken end
            {%- else %}
            unbroken
            {%- endif %}
    )
{%- endmacro -%}
