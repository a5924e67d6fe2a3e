{#
  One row per `columns`, none of which is null but those of `nullable`; nor is any of `required`. Fails with the keys
  that occur more than once in the whole model and with those that lack a value, most frequent first; `rule` says what
  does not hold. `within`: a date column; only keys that occur in the run's days are looked at, because no others can be
  new.
#}
{% test grain(model, columns, nullable=[], required=[], within=none) %}
{%- set never_null = columns | reject("in", nullable) | list + required %}
select
    case
        {%- for column in never_null %}
        when bool_or({{ column }} is null) then '{{ column }} is not null'
        {%- endfor %}
        when count(*) > 1 then 'one row per {{ columns | join(", ") }}'
    end as rule,
    {{ columns | join(", ") }},
    count(*) as row_count
from {{ model }}{% if within and has_window() %} as everything
semi join (select {{ columns | join(", ") }} from {{ model }} where {{ in_window(within) }}) as due
    on {% for column in columns -%}
        everything.{{ column }} is not distinct from due.{{ column }}{{ " and " if not loop.last }}
    {%- endfor %}
{% endif %}
group by {{ columns | join(", ") }}
having count(*) > 1{% for column in never_null %} or bool_or({{ column }} is null){% endfor %}
order by row_count desc
{% endtest %}
