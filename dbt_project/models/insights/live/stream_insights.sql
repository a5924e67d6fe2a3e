with streams as (
    select * from {{ ref('fct_streams') }}
),

starts as (
    select broadcast_id, iso_day_of_week, hour_of_day from {{ ref('feat_stream_starts') }}
),

expected as (
    select * from {{ source('predictions', 'next_streams') }} where {{ is_seen('as_of_date') }}
),

shares as (
    select * from {{ source('predictions', 'topic_streams') }} where {{ is_seen('as_of_date') }}
),

topics as (
    select * from {{ source('predictions', 'topics') }} where {{ is_seen('as_of_date') }}
),

-- the latest expectation made before the stream began, at the planned length nearest to what it became
expectations as (
    select
        streams.broadcast_id,
        expected.as_of_date as expected_as_of_date,
        expected.average_viewers as expected_average_viewers,
        expected.average_viewers_low as expected_average_viewers_low,
        expected.average_viewers_high as expected_average_viewers_high,
        expected.peak_viewers as expected_peak_viewers,
        expected.model_version as next_stream_model_version
    from streams
    inner join starts on streams.broadcast_id = starts.broadcast_id
    inner join expected
        on streams.creator_id = expected.creator_id
        and starts.iso_day_of_week = expected.iso_day_of_week
        and starts.hour_of_day = expected.hour_of_day
        and streams.category_name = expected.category_name
        and expected.as_of_date < streams.started_at::date
    qualify row_number() over (
        partition by streams.broadcast_id
        order by expected.as_of_date desc, abs(expected.duration_hours - streams.live_hours), expected.duration_hours
    ) = 1
),

topic_lists as (
    select
        shares.broadcast_id,
        max(shares.as_of_date) as topics_as_of_date,
        arg_max(topics.topic_name, (shares.share, -shares.topic_id)) as main_topic_name,
        max(shares.share) as main_topic_share,
        max(shares.shift_distance) as topic_shift_distance,
        max(shares.shift_p_value) as topic_shift_p_value
    from (select * from shares qualify as_of_date = max(as_of_date) over (partition by broadcast_id)) as shares
    inner join topics
        on shares.as_of_date = topics.as_of_date
        and shares.creator_id = topics.creator_id
        and shares.topic_id = topics.topic_id
    group by shares.broadcast_id
),

final as (
    select
        streams.broadcast_id,
        streams.creator_id,
        streams.started_at,
        streams.category_name,
        streams.average_viewers,
        streams.peak_viewers,
        expectations.expected_as_of_date,
        expectations.expected_average_viewers,
        expectations.expected_average_viewers_low,
        expectations.expected_average_viewers_high,
        expectations.expected_peak_viewers,
        streams.average_viewers / nullif(expectations.expected_average_viewers, 0) as against_expectation_ratio,
        case
            when streams.average_viewers is null or expectations.expected_average_viewers is null then null
            when streams.average_viewers > expectations.expected_average_viewers_high then 'above'
            when streams.average_viewers < expectations.expected_average_viewers_low then 'below'
            else 'as_expected'
        end as against_expectation,
        expectations.next_stream_model_version,
        topic_lists.topics_as_of_date,
        topic_lists.main_topic_name,
        topic_lists.main_topic_share,
        topic_lists.topic_shift_distance,
        topic_lists.topic_shift_p_value
    from streams
    left join expectations on streams.broadcast_id = expectations.broadcast_id
    left join topic_lists on streams.broadcast_id = topic_lists.broadcast_id
)

select
    broadcast_id,
    creator_id,
    started_at,
    category_name,
    average_viewers,
    peak_viewers,
    expected_as_of_date,
    expected_average_viewers,
    expected_average_viewers_low,
    expected_average_viewers_high,
    expected_peak_viewers,
    against_expectation_ratio,
    against_expectation,
    next_stream_model_version,
    topics_as_of_date,
    main_topic_name,
    main_topic_share,
    topic_shift_distance,
    topic_shift_p_value
from final
