{#
  Intervals between snapshots of a list: who was on it from when to when, as far as snapshots can tell. `rows` is a
  staging model of an entity of states, `list_name` (SQL over r) the list of channel_snapshots it was seen in, `key`
  what names an entry of the list beside platform and channel. Only complete snapshots say that somebody was not on the
  list.

  An entry seen at every complete snapshot from one to another is one interval; missing from one in between, it is two.
  With `moment` (when the platform says the entry began) entries of one moment are one interval, missing snapshots or
  not, and another moment is another interval: it ended and began anew between two snapshots.

  Selects platform, channel_id, the key, `moment`, first_seen_at, last_seen_at, snapshot_count, and the snapshots on
  either side: began_after_at (null: there at the first snapshot already) and ended_before_at (null: there at the
  latest snapshot). `extra`: further columns to keep, as of the last snapshot.
#}
{%- macro intervals_between_snapshots(rows, list_name, key, moment=none, extra=[]) -%}
{%- set entry = ['platform', 'channel_id'] + key -%}
(
        with snapshots as (
            select
                platform,
                channel_id,
                list_name,
                observed_at,
                lag(observed_at) over snapshot as previous_snapshot_at,
                lead(observed_at) over snapshot as next_snapshot_at,
                row_number() over snapshot as snapshot_number
            from {{ ref('stg_channel_snapshots') }}
            where is_complete
            window snapshot as (partition by platform, channel_id, list_name order by observed_at)
        ),

        seen as (
            select
                r.*,
                snapshots.previous_snapshot_at,
                snapshots.next_snapshot_at,
                snapshots.snapshot_number - row_number() over (
                    partition by r.{{ (entry + ([moment] if moment else [])) | join(', r.') }} order by r.observed_at
                ) as unbroken
            from {{ rows }} as r
            inner join snapshots
                on r.platform = snapshots.platform
                and r.channel_id = snapshots.channel_id
                and {{ list_name }} = snapshots.list_name
                and r.observed_at = snapshots.observed_at
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
            count(*) as snapshot_count,
            arg_min_null(previous_snapshot_at, observed_at) as began_after_at,
            arg_max_null(next_snapshot_at, observed_at) as ended_before_at
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
