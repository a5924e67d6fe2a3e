{#
  Fails with the combinations of `columns` that occur more than once, most frequent first. `within`: a date column;
  only the run's days and their neighbours are read.
#}
{% test unique_combination(model, columns, within=none) %}
select
    {{ columns | join(", ") }},
    count(*) as row_count
from {{ model }}
{% if within %}where {{ in_window(within, pad=1) }}{% endif %}
group by {{ columns | join(", ") }}
having count(*) > 1
order by row_count desc
{% endtest %}
