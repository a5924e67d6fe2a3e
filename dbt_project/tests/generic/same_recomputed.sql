{#
  Fails with the rows of viewers' features that are served otherwise than they are computed now, as of one day: what an
  incremental model keeps from earlier runs must be what a new run would make of it.
#}
{% test same_recomputed(model) %}
{%- set day = as_of_date_to_recompute(model) %}
with again as (
    {{ viewer_features(day) }}
),

served as (
    select * from {{ model }} where as_of_date in (select as_of_date from ({{ day }}))
)

select 'served' as row_is, * from (from served except all from again)
union all
select 'recomputed' as row_is, * from (from again except all from served)
{% endtest %}
