{#
  Fails with rows outside [minimum, maximum] (nulls pass), farthest first. `within`: a date column; only the run's days
  are read.
#}
{% test accepted_range(model, column_name, minimum=none, maximum=none, within=none) %}
select *
from {{ model }}
where (
    {{ column_name ~ " < " ~ minimum if minimum is not none else "false" }}
    or {{ column_name ~ " > " ~ maximum if maximum is not none else "false" }}
)
{% if within %}and {{ in_window(within) }}{% endif %}
order by abs({{ column_name }}) desc
{% endtest %}
