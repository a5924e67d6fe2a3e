{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with actions as not materialized (
    select * from {{ ref('stg_moderation_actions') }} where {{ in_window(pad=1) }}
),

placed as (
    select * from {{ with_streams('actions', 'occurred_at') }}
),

yielding as (
    -- the same action told by two tools counts once: the less trusted within two seconds yields
    select
        placed.platform,
        placed.action_id
    from placed
    semi join placed as better
        on placed.platform = better.platform
        and placed.channel_id = better.channel_id
        and placed.action_type = better.action_type
        and placed.target_viewer_id is not distinct from better.target_viewer_id
        and placed.duration_seconds is not distinct from better.duration_seconds
        and (
            placed.target_message_id is null
            or better.target_message_id is null
            or placed.target_message_id = better.target_message_id
        )
        and {{ source_rank('better.source') }} < {{ source_rank('placed.source') }}
        and abs(epoch_us(placed.occurred_at) - epoch_us(better.occurred_at)) <= 2000000
),

kept as (
    select placed.* from placed
    anti join yielding on placed.platform = yielding.platform and placed.action_id = yielding.action_id
    where {{ in_window('placed.event_date') }}
),

said as (
    -- only who was acted on; the day before too, because an action follows over midnight
    select
        messages.platform,
        messages.channel_id,
        messages.viewer_id,
        messages.message_id,
        messages.sent_at
    from {{ ref('fct_chat_messages') }} as messages
    where {{ in_window('messages.event_date', pad=1) }}
        and (
            (messages.platform, messages.message_id)
            in (select (platform, target_message_id) from kept where target_message_id is not null)
            or (messages.platform, messages.viewer_id)
            in (select (platform, target_viewer_id) from kept where target_viewer_id is not null)
        )
),

last_said as (
    select
        kept.platform,
        kept.action_id,
        max(said.sent_at) as last_message_at
    from kept
    inner join said
        on kept.platform = said.platform
        and kept.channel_id = said.channel_id
        and kept.target_viewer_id = said.viewer_id
        and said.sent_at between kept.occurred_at - interval 1 day and kept.occurred_at
    group by kept.platform, kept.action_id
),

final as (
    select
        kept.*,
        deleted.sent_at as target_message_at,
        last_said.last_message_at
    from kept
    left join said as deleted
        on kept.platform = deleted.platform
        and kept.target_message_id = deleted.message_id
        and deleted.sent_at between kept.occurred_at - interval 1 day and kept.occurred_at
    left join last_said on kept.platform = last_said.platform and kept.action_id = last_said.action_id
)

select
    event_date,
    platform,
    action_id,
    occurred_at,
    channel_id,
    stream_id,
    action_type,
    target_viewer_id,
    target_message_id,
    duration_seconds,
    reason,
    moderator_id,
    target_message_at,
    case when action_type = 'delete' then (epoch_us(occurred_at) - epoch_us(target_message_at)) / 1000000 end
        as seconds_to_deletion,
    last_message_at,
    (epoch_us(occurred_at) - epoch_us(last_message_at)) / 1000000 as seconds_since_last_message,
    source
from final
