with seen as (
    select min(event_date) as first_date, max(event_date) as last_date
    from {{ ref('fct_stream_minutes') }}
    where {{ is_seen() }}
    union all
    select min(event_date) as first_date, max(event_date) as last_date
    from {{ ref('fct_viewer_days') }}
    where {{ is_seen() }}
    union all
    select min(event_date) as first_date, max(event_date) as last_date
    from {{ ref('fct_chat_messages') }}
    where {{ is_seen() }}
    union all
    select min(started_date) as first_date, max(started_date) as last_date from {{ ref('fct_streams') }}
),

days as (
    select
        unnest(range(
            min(first_date)::timestamp, max(last_date)::timestamp + interval 1 day, interval 1 day
        ))::date as date_day
    from seen
)

select
    date_day,
    year(date_day) as year,
    quarter(date_day) as quarter,
    month(date_day) as month,
    day(date_day) as day_of_month,
    isoyear(date_day) as iso_year,
    week(date_day) as iso_week,
    date_trunc('week', date_day)::date as week_start_date,
    date_trunc('month', date_day)::date as month_start_date,
    isodow(date_day) as iso_day_of_week,
    dayname(date_day) as day_name,
    isodow(date_day) >= 6 as is_weekend
from days
