{# One row per key: which of several sources' rows stands. #}

{# The place of a source in var source_rank, as SQL; unlisted sources come last. #}
{%- macro source_rank(column="source") -%}
coalesce(list_position([{{ sql_texts(var("source_rank")) }}], {{ column }}), 1000)
{%- endmacro -%}

{# Best row first: the more trusted source, then the later export, then the file's name, as within a source of raw/. #}
{%- macro best_first() -%}
{{ source_rank() }}, extracted_at desc, landing_file desc
{%- endmacro -%}

{# What stands before the ':' of an id, '' for the platform's own ids. Ids of different spaces are never equal. #}
{%- macro id_space(id) -%}
case when contains({{ id }}, ':') then split_part({{ id }}, ':', 1) else '' end
{%- endmacro -%}

{# True for an id that the platform gave. #}
{%- macro is_native(id) -%}
not contains({{ id }}, ':')
{%- endmacro -%}

{#
  One row per key and day over all sources, of an entity of events. raw/ is unique per key, source and day, so only
  (platform, day)s where two sources speak in one id space (stg_day_sources) are ranked; all others pass untouched, at
  the price of an empty join. No CTE here: DuckDB would materialize all of raw/ for it and push no filter into the scan.
#}
{%- macro event_rows(entity, key) -%}
{%- set contested -%}
(
        select platform, event_date from {{ ref('stg_day_sources') }}
        where entity = '{{ entity }}'
        group by platform, event_date, id_space
        having count(*) > 1
    ) as contested
    on r.platform = contested.platform and r.event_date = contested.event_date
    where {{ is_seen('r.event_date') }}
{%- endset -%}
select r.* from {{ source('raw', entity) }} as r
    anti join {{ contested }}
    union all
    select r.* from {{ source('raw', entity) }} as r
    semi join {{ contested }}
    qualify row_number() over (
        partition by r.event_date, r.{{ key | join(', r.') }} order by {{ best_first() }}
    ) = 1
{%- endmacro -%}

{# One row per key over all sources, of an entity of states: every snapshot up to as_of. #}
{%- macro state_rows(entity, key) -%}
select * from {{ source('raw', entity) }}
    where {{ is_seen() }}
    qualify row_number() over (partition by {{ key | join(', ') }} order by {{ best_first() }}) = 1
{%- endmacro -%}
