with snapshots as (
    select platform, viewer_id, login, min(observed_at) as first_seen_at, max(observed_at) as last_seen_at
    from {{ ref('stg_viewers') }}
    where login is not null
    group by platform, viewer_id, login
),

chat as (
    select platform, viewer_id, viewer_login as login, min(sent_at) as first_seen_at, max(sent_at) as last_seen_at
    from {{ ref('fct_chat_messages') }}
    where {{ is_seen() }} and viewer_id is not null and viewer_login is not null
    group by platform, viewer_id, viewer_login
),

events as (
    select
        platform, viewer_id, viewer_login as login, min(occurred_at) as first_seen_at, max(occurred_at) as last_seen_at
    from {{ ref('int_stream_events_resolved') }}
    where {{ is_seen() }} and viewer_id is not null and viewer_login is not null
    group by platform, viewer_id, viewer_login
),

final as (
    select
        platform,
        viewer_id,
        login,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from (
        select * from snapshots
        union all
        select * from chat
        union all
        select * from events
    )
    -- who is known by login only has no id that a login could belong to
    where {{ is_native('viewer_id') }}
    group by platform, viewer_id, login
)

select
    platform,
    viewer_id,
    login,
    first_seen_at,
    last_seen_at,
    row_number() over (partition by platform, viewer_id order by last_seen_at desc, first_seen_at desc, login) = 1
        as is_latest
from final
