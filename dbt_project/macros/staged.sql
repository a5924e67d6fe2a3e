{#
  Staging models: the rows of one entity of raw/, one per key over all sources, with the columns its contract names.
  Columns, key and kind are written once, in models/raw/<world>/<entity>.yml, and read here when the model runs.
#}

{#
  An entity of events: days up to as_of. `derived`: the SQL of columns that are not taken over as they are.
  raw/ is unique per key, source and day, so only (platform, day)s where two sources speak in one id space
  (stg_<entity>_sources) are ranked; all others pass untouched, at the price of an empty join. No CTE over raw/: DuckDB
  would materialize all of it and push no filter into the scan.
#}
{%- macro staged_events(entity, derived={}) -%}
{%- set contract = contract_of(entity, 'event') -%}
{%- set contested -%}
(
        select platform, event_date from {{ ref('stg_' ~ entity ~ '_sources') }}
        group by platform, event_date, id_space
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
  Which sources say something about a day of an entity of events: one row per day, platform, id space and source. One
  table per entity, so that nothing is built anew because another entity changed.
#}
{%- macro day_sources(entity) -%}
{{ config(
    materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']
) }}
{%- set id = contract_of(entity, 'event').get('synthetic_id', {}).get('column') -%}
select
    event_date,
    platform,
    {{ id_space(id) if id else "''" }} as id_space,
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
  The contract of an entity: its `key`, `columns` and `synthetic_id`. Raises a compiler error for another kind than
  `kind`. Sources are not known yet when dbt parses a model: then it is empty.
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
        ~ "': stage it with staged_events or staged_states accordingly") }}
{%- endif -%}
{{ return({"key": meta.key, "columns": node.columns.keys() | list, "synthetic_id": meta.get("synthetic_id", {})}) }}
{%- endmacro -%}
