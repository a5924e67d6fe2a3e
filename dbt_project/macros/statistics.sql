{# Statistics that several models share; formulas and their sources. #}

{# A UTC timestamp as the clock on the wall in a time zone. #}
{%- macro local_time(moment, time_zone) -%}
(({{ moment }} at time zone 'UTC') at time zone coalesce({{ time_zone }}, 'UTC'))
{%- endmacro -%}

{# Change of `now` against `before`, percent; null when either is unknown or `before` is zero. #}
{%- macro percent_change(now, before) -%}
100 * ({{ now }} / nullif({{ before }}, 0) - 1)
{%- endmacro -%}

{#
  Robust standard deviation from deviations: 1.4826 times their median absolute value, which is the standard deviation
  of a normal distribution; where more than half are zero 1.2533 times their mean absolute value stands in
  (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
#}
{%- macro robust_sd(deviation, over="") -%}
coalesce(
        nullif(1.4826 * median(abs({{ deviation }})){{ over }}, 0),
        nullif(1.2533 * avg(abs({{ deviation }})){{ over }}, 0)
    )
{%- endmacro -%}

{#
  The nearest point of the band between `before` and `after`, where the signal is expected: medians of the time before
  and after. A ramp stays inside the band and a change of level that lasts ends it on one side; what sticks out came
  and went. At an edge only one of the two is known.
#}
{%- macro expected_between(signal, before, after) -%}
greatest(
        least({{ signal }}, greatest(coalesce({{ before }}, {{ after }}), coalesce({{ after }}, {{ before }}))),
        least(coalesce({{ before }}, {{ after }}), coalesce({{ after }}, {{ before }}))
    )
{%- endmacro -%}

{#
  CTEs that explain `y` of `observations` per (platform, channel_id) as a straight line over days plus one effect per
  level of each factor, by backfitting (Buja, Hastie and Tibshirani, Linear Smoothers and Additive Models, 1989): every
  part in turn is fitted to what the others leave, `rounds` times. `observations` needs y, day (a number) and the
  factors. The last CTE, `fitted`, adds trend, <factor>_effect and residual. Materialized: DuckDB takes minutes to plan
  this chain of CTEs inlined.
#}
{%- macro fit_additively(observations, factors, rounds=8) -%}
fit_0 as materialized (
    select
        *,
        0.0::double as trend
        {%- for factor in factors %},
        0.0::double as {{ factor }}_effect
        {%- endfor %}
    from {{ observations }}
),
{% for round in range(rounds) %}
fit_{{ round }}_trend as materialized (
    select * replace (
        coalesce(
            regr_intercept(y - ({{ sum_of(factors) }}), day) over channel
            + regr_slope(y - ({{ sum_of(factors) }}), day) over channel * day,
            avg(y - ({{ sum_of(factors) }})) over channel
        ) as trend
    )
    from fit_{{ round }}
    window channel as (partition by platform, channel_id)
),
{% for factor in factors %}
fit_{{ round }}_{{ factor }} as materialized (
    select * replace (
        avg(y - trend - ({{ sum_of(factors, without=factor) }})) over (partition by platform, channel_id, {{ factor }})
        as {{ factor }}_effect
    )
    from fit_{{ round }}_{{ "trend" if loop.first else factors[loop.index0 - 1] }}
),
{% endfor %}
fit_{{ round + 1 }} as materialized (
    select * from fit_{{ round }}_{{ factors[-1] }}
),
{% endfor %}
fitted as (
    select
        *,
        y - trend - ({{ sum_of(factors) }}) as residual
    from fit_{{ rounds }}
)
{%- endmacro -%}

{%- macro sum_of(factors, without=none) -%}
{%- set others = factors | reject("equalto", without) | list -%}
{%- for factor in others -%}{{ factor }}_effect{{ " + " if not loop.last }}{%- endfor -%}
{%- if not others -%}0{%- endif -%}
{%- endmacro -%}

{# Half the width of a 90 % interval of a mean of n observations with this variance; normal: under ten, too narrow. #}
{%- macro half_interval(variance, n) -%}
1.645 * sqrt({{ variance }} / {{ n }})
{%- endmacro -%}
