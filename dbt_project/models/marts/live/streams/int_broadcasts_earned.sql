with events as (
    select * from {{ ref('int_revenue_events') }} where broadcast_id is not null
),

currencies as (
    select
        broadcast_id,
        currency,
        sum(amount) as amount
    from events
    group by broadcast_id, currency
),

amounts as (
    select
        broadcast_id,
        list({currency: currency, amount: amount} order by currency) as revenue
    from currencies
    group by broadcast_id
)

select
    events.broadcast_id,
    count(*) filter (events.is_off_platform) as off_platform_donation_count,
    any_value(amounts.revenue) as revenue,
    -- whole cents of a cent, so that the order of rows cannot change the last digit
    sum(events.amount_usd::decimal(18, 6))::double as revenue_usd,
    count(*) filter (events.amount_usd is null) as unrated_event_count
from events
inner join amounts on events.broadcast_id = amounts.broadcast_id
group by events.broadcast_id
