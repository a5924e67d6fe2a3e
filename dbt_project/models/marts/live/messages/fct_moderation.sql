{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with actions as not materialized (
    select * from {{ ref('stg_moderation_actions') }} where {{ in_window(pad=1) }}
),

placed as (
    select * from {{ with_streams('actions', 'occurred_at') }}
),

superseded as (
    -- the same action reported by two tools counts once: the less trusted within two seconds gives way
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
    anti join superseded on placed.platform = superseded.platform and placed.action_id = superseded.action_id
    where {{ in_window('placed.event_date') }}
),

messages_sent as (
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

last_sent as (
    select
        kept.platform,
        kept.action_id,
        max(messages_sent.sent_at) as last_message_at
    from kept
    inner join messages_sent
        on kept.platform = messages_sent.platform
        and kept.channel_id = messages_sent.channel_id
        and kept.target_viewer_id = messages_sent.viewer_id
        and messages_sent.sent_at between kept.occurred_at - interval 1 day and kept.occurred_at
    group by kept.platform, kept.action_id
),

final as (
    select
        kept.*,
        deleted.sent_at as target_message_at,
        last_sent.last_message_at
    from kept
    left join messages_sent as deleted
        on kept.platform = deleted.platform
        and kept.target_message_id = deleted.message_id
        and deleted.sent_at between kept.occurred_at - interval 1 day and kept.occurred_at
    left join last_sent on kept.platform = last_sent.platform and kept.action_id = last_sent.action_id
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
