{#
  Incremental strategy of every day-partitioned model: delete the window's days, then insert what the model selects.
  dbt's own delete+insert deletes only days that the new rows have, so a day that became empty would keep its rows.
  Rows after as_of go too: a run that looks at an earlier moment must not show what came later.
#}
{% macro get_incremental_replace_window_sql(arg_dict) %}
    {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
    delete from {{ arg_dict["target_relation"] }}
    where {{ in_window("event_date") }} or not ({{ is_seen("event_date") }});
    insert into {{ arg_dict["target_relation"] }} ({{ columns }})
    (select {{ columns }} from {{ arg_dict["temp_relation"] }})
{% endmacro %}

{#
  Without a window every day is affected: the table is made anew beside the old one and swapped, which writes the rows
  once and takes over a changed contract. With a window a changed contract stops the run (on_schema_change: fail).
#}
{% macro should_full_refresh() %}
    {%- set wanted = config.get("full_refresh") -%}
    {%- if wanted is none -%}
        {%- set ours = config.get("incremental_strategy") in ["replace_window", "replace_as_of"] -%}
        {%- set all_days = ours and var("days") is none -%}
        {%- set wanted = flags.FULL_REFRESH or all_days -%}
    {%- endif -%}
    {%- do return(wanted) -%}
{% endmacro %}
