{#
  Rows with `amount_usd`: their amount at the rate of the seed currency_rates that held at `moment`. Null where no rate
  is dated at or before it, or where that one is older than var rate_max_age_days. When `rows` is a CTE, `not
  materialized`.
#}
{%- macro with_usd(rows, moment) -%}
(
        select
            r.*,
            case
                when upper(r.currency) = 'USD' then r.amount::decimal(18, 4)
                when r.{{ moment }}::date - rates.valid_from <= {{ var('rate_max_age_days') }}
                    then (r.amount * rates.usd_per_unit)::decimal(18, 4)
            end as amount_usd
        from {{ rows }} as r
        asof left join {{ ref('currency_rates') }} as rates
            on upper(r.currency) = rates.currency and r.{{ moment }}::date >= rates.valid_from
    )
{%- endmacro -%}

{# True for events that carry money given to the creator. #}
{%- macro is_donation() -%}
event_type in ('donation', 'cheer', 'superchat')
{%- endmacro -%}
