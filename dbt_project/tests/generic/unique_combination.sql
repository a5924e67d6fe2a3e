{#
  Fails with the combinations of `columns` that occur more than once in the whole model, most frequent first. `within`:
  a date column; only combinations that occur in the run's days are looked for, because no others can be new.
#}
{% test unique_combination(model, columns, within=none) %}
select
    {{ columns | join(", ") }},
    count(*) as row_count
from {{ model }}{% if within and has_window() %} as everything
semi join (select {{ columns | join(", ") }} from {{ model }} where {{ in_window(within) }}) as due
    on {% for column in columns -%}
        everything.{{ column }} is not distinct from due.{{ column }}{{ " and " if not loop.last }}
    {%- endfor %}
{% endif %}
group by {{ columns | join(", ") }}
having count(*) > 1
order by row_count desc
{% endtest %}
