{# Fails with rows in which any of `columns` is null. `within`: a date column; only the run's days are read. #}
{% test not_null_columns(model, columns, within=none) %}
select * from {{ model }}
where ({% for column in columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %})
{% if within %}and {{ in_window(within) }}{% endif %}
{% endtest %}
