{#
  A table made anew in one statement. dbt's own makes it beside the old one, renames both and drops one: five statements
  more a model, which nobody needs here. A reader sees published/ and never the warehouse, and a transaction that fails
  leaves the old table.
#}
{% materialization table, adapter="duckdb", supported_languages=["sql"] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="table") -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is not none and not existing.is_table -%}
        {{ adapter.drop_relation(existing) }}
    {%- endif -%}
    {%- call statement("main") -%}
        {%- if config.get("contract").enforced -%}
            {{ get_assert_columns_equivalent(sql) }}
            create or replace table {{ target }} {{ get_table_columns_and_constraints() }};
            insert into {{ target }} {{ get_column_names() }} ({{ get_select_subquery(sql) }});
        {%- else -%}
            create or replace table {{ target }} as ({{ sql }});
        {%- endif -%}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}
