{#
  An accounting identity: per group `by`, the aggregate `total` of the model equals the sum of the `parts`, each
  {relation, measure} an aggregate over another table (or the model itself). Fails with the groups that differ by more
  than `tolerance`, largest difference first. `within`: a date column of every table; only the run's days are read.
#}
{% test adds_up(model, by, total, parts, tolerance=0, within=none) %}
with totals as (
    select {{ by | join(", ") }}, {{ total }} as total
    from {{ model }}
    {% if within %}where {{ in_window(within) }}{% endif %}
    group by all
),

parts as (
    {% for part in parts %}
    select {{ by | join(", ") }}, {{ part["measure"] }} as part
    from {{ part["relation"] }}
    {% if within %}where {{ in_window(within) }}{% endif %}
    group by all
    {{ "union all" if not loop.last }}
    {% endfor %}
),

sums as (
    select {{ by | join(", ") }}, sum(part) as parts_sum from parts group by all
)

select
    *,
    coalesce(total, 0) - coalesce(parts_sum, 0) as difference
from totals
full join sums using ({{ by | join(", ") }})
where abs(coalesce(total, 0) - coalesce(parts_sum, 0)) > {{ tolerance }}
order by abs(difference) desc
{% endtest %}
