{#
  What each snapshot of a catalogue lost of what the snapshot before held: one row per snapshot and channel that the
  snapshot holds, or that a snapshot before it in its series held. The models and the checks of raw/
  (data_lake/snapshots.py renders this file) judge snapshots by this one text, so nothing here reads a var.

  A snapshot is all rows of one source, folder (of landing/tabular/, else ''), platform and moment. Snapshots are
  compared with snapshots of the same kind only: a full snapshot says which channel a stream belongs to, a view-count
  snapshot does not, and its rows take the channel that other snapshots give the stream.

  `rows` is a relation with event_date, source, platform, observed_at, channel_id, landing_file and the column
  `listed`, which names what a snapshot lists; rows after `as_of` (SQL) do not count. Of the result:
  - rows_before: the channel's rows in the last snapshot of the series that held it, null when none did; rows_now: in
    this snapshot. 0 is a whole channel gone, missing_since then the first snapshot without it.
  - is_newest: no later snapshot of its kind; is_back: a later snapshot of any kind has rows of the channel; has_left:
    it has stayed away for more than left_after_days.
  - gone_count: rows that the snapshot before had and this one lacks although it has the channel; returned_count: how
    many of them a later snapshot has again. A null channel_id stands for all rows whose channel no snapshot says.
#}
{%- macro snapshot_losses(rows, listed, as_of) -%}
{#- A snapshot carries on the snapshot before when it holds this share of what that one held of the channels that both
    hold. An export of other streams (one file per recording, a page of a list, the new ones) carries on nothing. -#}
{%- set carried_ratio = 0.5 -%}
{#- A channel that stays away longer has left the catalogue: its absence no longer makes snapshots incomplete. -#}
{%- set left_after_days = 7 -%}
with seen as (
    select
        source,
        regexp_extract(landing_file, '^(.*)/', 1) as folder,
        platform,
        observed_at,
        {{ listed }} as id,
        channel_id,
        landing_file
    from {{ rows }}
    where event_date <= {{ as_of }}
    {%- if listed == 'stream_id' %}
        -- who is live at a moment is no catalogue: that a stream is no longer there means that it has ended
        and not (source = 'twitch_helix' and vod_id is null)
    {%- endif %}
),

snapshots as (
    select source, folder, platform, observed_at, count(channel_id) > 0 as is_full, min(landing_file) as landing_file
    from seen
    group by source, folder, platform, observed_at
),

-- a catalogue is seen in up to two kinds of snapshot; each kind counts its snapshots
numbered as (
    select
        *,
        dense_rank() over (order by source, folder, platform) as catalogue,
        dense_rank() over (order by source, folder, platform, is_full) as kind,
        row_number() over (partition by source, folder, platform, is_full order by observed_at) as snapshot,
        observed_at = max(observed_at) over (partition by source, folder, platform, is_full) as is_newest
    from snapshots
),

listed as (
    select numbered.catalogue, numbered.kind, numbered.snapshot, numbered.observed_at, seen.id, seen.channel_id
    from seen
    inner join numbered using (source, folder, platform, observed_at)
),

-- arg_max skips nulls: the latest snapshot that says it; '' where none does
channel_of as (
    select catalogue, id, coalesce(arg_max(channel_id, observed_at), '') as channel_id
    from listed
    group by catalogue, id
),

placed as (
    select
        listed.catalogue,
        listed.kind,
        listed.snapshot,
        listed.observed_at,
        channel_of.channel_id,
        lead(listed.snapshot) over (partition by listed.kind, listed.id order by listed.snapshot) as next_snapshot
    from listed
    inner join channel_of using (catalogue, id)
),

held as (
    select
        catalogue,
        kind,
        snapshot,
        channel_id,
        max(observed_at) as observed_at,
        count(*) as row_count,
        count(*) filter (next_snapshot = snapshot + 1) as kept_count,
        count(*) filter (next_snapshot > snapshot + 1) as returning_count
    from placed
    group by catalogue, kind, snapshot, channel_id
),

last_seen as (
    select catalogue, channel_id, max(observed_at) as last_seen_at from held group by catalogue, channel_id
),

carried as (
    select
        now.kind,
        now.snapshot,
        sum(earlier.kept_count) >= {{ carried_ratio }} * sum(earlier.row_count) as carries_on
    from held as now
    inner join held as earlier
        on now.kind = earlier.kind and now.channel_id = earlier.channel_id and now.snapshot = earlier.snapshot + 1
    group by now.kind, now.snapshot
),

-- a series is a run of snapshots each of which carries on the one before
in_series as (
    select
        numbered.*,
        sum(case when carried.carries_on then 0 else 1 end) over (
            partition by numbered.kind order by numbered.snapshot
        ) as series
    from numbered
    left join carried using (kind, snapshot)
),

turns as (
    select
        held.*,
        in_series.series,
        lead(held.snapshot) over turn as next_held,
        lag(held.snapshot) over turn as last_held,
        lag(held.row_count) over turn as last_row_count,
        lag(held.kept_count) over turn as last_kept_count,
        lag(held.returning_count) over turn as last_returning_count
    from held
    inner join in_series using (kind, snapshot)
    window turn as (partition by held.kind, in_series.series, held.channel_id order by held.snapshot)
),

present as (
    select
        kind,
        snapshot,
        channel_id,
        last_row_count as rows_before,
        row_count as rows_now,
        case when last_held = snapshot - 1 then last_row_count - last_kept_count else 0 end as gone_count,
        case when last_held = snapshot - 1 then last_returning_count else 0 end as returned_count,
        null::timestamp as missing_since
    from turns
),

absent as (
    select
        missing.kind,
        missing.snapshot,
        turns.channel_id,
        turns.row_count as rows_before,
        0 as rows_now,
        case when turns.channel_id = '' then turns.row_count else 0 end as gone_count,
        case when turns.channel_id = '' then turns.returning_count else 0 end as returned_count,
        min(missing.observed_at) over (partition by turns.kind, turns.snapshot, turns.channel_id) as missing_since
    from turns
    inner join in_series as missing
        on turns.kind = missing.kind
        and turns.series = missing.series
        and missing.snapshot > turns.snapshot
        and (turns.next_held is null or missing.snapshot < turns.next_held)
    -- rows of no known channel are not a channel that can be gone: they are rows gone, reported once
    where turns.channel_id <> '' or missing.snapshot = turns.snapshot + 1
),

final as (
    select
        numbered.source,
        numbered.folder,
        numbered.platform,
        numbered.observed_at,
        numbered.is_full,
        nullif(changes.channel_id, '') as channel_id,
        changes.rows_before,
        changes.rows_now,
        changes.gone_count,
        changes.returned_count,
        numbered.is_newest,
        last_seen.last_seen_at > numbered.observed_at as is_back,
        coalesce(
            last_seen.last_seen_at < changes.missing_since
            and {{ as_of }} - changes.missing_since::date > {{ left_after_days }},
            false
        ) as has_left,
        changes.missing_since,
        numbered.landing_file
    from (select * from present union all select * from absent) as changes
    inner join numbered using (kind, snapshot)
    inner join last_seen using (catalogue, channel_id)
)

select
    source, folder, platform, observed_at, is_full, channel_id, rows_before, rows_now, gone_count, returned_count,
    is_newest, is_back, has_left, missing_since, landing_file
from final
{%- endmacro -%}

{#
  One row per snapshot and channel that the snapshot lacks whole, as far as was known at the end of `as_of`; arguments
  as above.
#}
{%- macro incomplete_snapshots(rows, listed, as_of) -%}
select
    source, folder, platform, observed_at, channel_id, rows_before, rows_now
from (
    {{ snapshot_losses(rows, listed, as_of) }}
)
where rows_now = 0 and channel_id is not null and not has_left
{%- endmacro -%}
