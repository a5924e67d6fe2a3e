{# The run's clock and window, as SQL. Nothing else in the project reads the vars as_of and days. #}

{# The last day any model may see. #}
{%- macro as_of() -%}
date '{{ var("as_of") or "9999-12-31" }}'
{%- endmacro -%}

{# True for rows the run may see at all. A null event_date (the empty file of an entity without data) is not seen. #}
{%- macro is_seen(column="event_date") -%}
{{ column }} <= {{ as_of() }}
{%- endmacro -%}

{# True for rows of the run's affected days. `pad` widens every range by that many days: for reading neighbours only. #}
{%- macro in_window(column="event_date", pad=0) -%}
{%- set days = var("days") -%}
({{ is_seen(column) }}
{%- if days is not none %} and (false
{%- for first, last in days %} or {{ column }} between date '{{ first }}' - {{ pad }} and date '{{ last }}' + {{ pad }}
{%- endfor %})
{%- endif -%})
{%- endmacro -%}

{# Whether the run builds some days only. #}
{%- macro has_window() -%}
{{ return(var("days") is not none) }}
{%- endmacro -%}
