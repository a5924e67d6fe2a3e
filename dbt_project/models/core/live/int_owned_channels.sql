with owners as (
    select * from {{ ref('int_channel_owners_latest') }}
),

final as (
    -- a creator with several channels on a platform: the one seen last; a stand-in only where there is no other
    select
        platform,
        creator_id,
        channel_id
    from owners
    qualify row_number() over (
        partition by platform, creator_id
        order by {{ is_native('channel_id') }} desc, observed_at desc, channel_id
    ) = 1
)

select
    platform,
    creator_id,
    channel_id
from final
