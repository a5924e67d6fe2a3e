{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

{% set ids = {
    'chat_messages': 'message_id',
    'stream_events': 'event_id',
    'moderation_actions': 'action_id',
    'viewer_counts': none,
    'chat_counts': none,
    'chatter_presence': none,
} %}

with source as (
    {% for entity, id in ids.items() %}
    select
        '{{ entity }}' as entity,
        event_date,
        platform,
        {{ id_space(id) if id else "''" }} as id_space,
        source,
        count(*) as row_count
    from {{ source('raw', entity) }}
    where {{ in_window() }}
    group by all
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    entity,
    event_date,
    platform,
    id_space,
    source,
    row_count
from source
