{#
  Staging models: the rows of one entity of raw/, one per key over all sources, with the columns its contract names.
  Columns, key and kind are written once, in models/raw/<world>/<entity>.yml, and read here when the model runs.
#}

{#
  An entity of events that have ids: days up to as_of. `derived`: the SQL of columns that are not taken over as they are.
  Which row stands where several have one id is said by stg_<entity>_keys, over all days. No CTE over raw/: DuckDB would
  materialize all of it and push no filter into the scan.
#}
{%- macro staged_events(entity, derived={}) -%}
{%- set contract = contract_of(entity, 'event') -%}
select
    {{ staged_columns(contract, derived) }}
from {{ source('raw', entity) }} as r
anti join (
    select * from {{ ref('stg_' ~ entity ~ '_keys') }} where is_superseded
) as superseded
    on r.event_date = superseded.event_date
    and r.source = superseded.source
    {%- for column in contract['key'] %}
    and r.{{ column }} = superseded.{{ column }}
    {%- endfor %}
where {{ is_seen('r.event_date') }}
{%- endmacro -%}

{#
  The ids of an entity of events, and whether the row of each stands: one row per day, id and source. A row gives way
  to a better one of its id (best_first) on any day. Of days outside the window only the ids are read that the window
  has as well: which of their rows stand cannot change, because the planner puts every day of a changed id into it.
#}
{%- macro staged_keys(entity) -%}
{{ config(
    materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']
) }}
{%- set key = contract_of(entity, 'event')['key'] -%}
{%- set columns = (['event_date'] + key + ['source', 'extracted_at', 'landing_file']) | join(', ') -%}
{%- set key = key | join(', ') -%}
with due as (
    select {{ columns }} from {{ source('raw', entity) }} where {{ in_window() }}
),

every as (
    select {{ columns }} from due
    {%- if is_incremental() %}
    union all
    select {{ columns }} from {{ this }}
    semi join due using ({{ key }})
    where {{ is_seen() }} and not {{ in_window() }}
    {%- endif %}
),

repeated as (
    select {{ key }} from every group by {{ key }} having count(*) > 1
),

superseded as (
    select {{ columns }} from every
    semi join repeated using ({{ key }})
    qualify row_number() over (partition by {{ key }} order by {{ best_first() }}, event_date desc) > 1
)

select
    {{ columns }},
    false as is_superseded
from due
anti join superseded using (event_date, {{ key }}, source)
union all
select
    {{ columns }},
    true as is_superseded
from superseded where {{ in_window() }}
{%- endmacro -%}

{#
  An entity of samples, whose key holds their moment: days up to as_of; `derived` as above. raw/ is unique per key,
  source and day, so only (platform, day)s of two sources (stg_<entity>_sources) are ranked; all others pass untouched,
  at the price of an empty join.
#}
{%- macro staged_samples(entity, derived={}) -%}
{%- set contract = contract_of(entity, 'event') -%}
{%- set contested -%}
(
        select platform, event_date from {{ ref('stg_' ~ entity ~ '_sources') }}
        group by platform, event_date
        having count(*) > 1
    ) as contested
    on r.platform = contested.platform and r.event_date = contested.event_date
    where {{ is_seen('r.event_date') }}
{%- endset -%}
select
    {{ staged_columns(contract, derived) }}
from (
    select r.* from {{ source('raw', entity) }} as r
    anti join {{ contested }}
    union all
    select r.* from {{ source('raw', entity) }} as r
    semi join {{ contested }}
    qualify row_number() over (
        partition by r.event_date, r.{{ contract['key'] | join(', r.') }} order by {{ best_first() }}
    ) = 1
)
{%- endmacro -%}

{# An entity of states: every snapshot up to as_of. `derived` as above. #}
{%- macro staged_states(entity, derived={}) -%}
{%- set contract = contract_of(entity, 'state') -%}
select
    {{ staged_columns(contract, derived) }}
from (
    select * from {{ source('raw', entity) }}
    where {{ is_seen() }}
    qualify row_number() over (partition by {{ contract['key'] | join(', ') }} order by {{ best_first() }}) = 1
)
{%- endmacro -%}

{#
  Which sources say something about a day of an entity of samples: one row per day, platform and source. One table per
  entity, so that nothing is built anew because another entity changed.
#}
{%- macro day_sources(entity) -%}
{{ config(
    materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']
) }}
select
    event_date,
    platform,
    source,
    count(*) as row_count
from {{ source('raw', entity) }}
where {{ in_window() }}
group by all
{%- endmacro -%}

{%- macro staged_columns(contract, derived) -%}
event_date
{%- for column in contract['columns'] %},
    {{ derived[column] ~ " as " ~ column if column in derived else column }}
{%- endfor %}
{%- endmacro -%}

{#
  The contract of an entity: its `key` and `columns`. Raises a compiler error for another kind than `kind`. Sources are not known yet when dbt parses a model: then it is empty.
#}
{%- macro contract_of(entity, kind) -%}
{%- if not execute -%}
    {{ return({"key": [], "columns": []}) }}
{%- endif -%}
{%- set node = graph.sources.values()
    | selectattr("source_name", "equalto", "raw") | selectattr("name", "equalto", entity) | first -%}
{%- set meta = node.config.meta -%}
{%- if meta.kind != kind -%}
    {{ exceptions.raise_compiler_error("the contract of " ~ entity ~ " says that it is of kind '" ~ meta.kind
        ~ "': stage it with staged_events, staged_samples or staged_states accordingly") }}
{%- endif -%}
{{ return({"key": meta.key, "columns": node.columns.keys() | list}) }}
{%- endmacro -%}
