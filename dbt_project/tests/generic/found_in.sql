{#
  Fails with the keys `columns` of the model that `to` does not have (as `to_columns`, else the same names), most used
  first. Rows with a null among them pass. `within`: a date column; only the run's days are read.
#}
{% test found_in(model, columns, to, to_columns=none, within=none) %}
select
    {{ columns | join(", ") }},
    count(*) as row_count
from {{ model }} as child
anti join {{ to }} as parent
    on {% for column in columns -%}
        child.{{ column }} = parent.{{ (to_columns or columns)[loop.index0] }}{{ " and " if not loop.last }}
    {%- endfor %}
where {% for column in columns %}child.{{ column }} is not null{{ " and " if not loop.last }}{% endfor %}
{% if within %}and {{ in_window("child." ~ within) }}{% endif %}
group by all
order by row_count desc
{% endtest %}
