{#
  What holds of every row: ranges [minimum, maximum] (null: no bound) and values by column, and references: `columns` of
  the model that `to` has as well (as `to_columns`, else under the same names). Nulls pass. One scan serves all rules
  but references. What is never null is said by the grain test.

  Fails with the rows that break a rule, `rule` first: the sentence that does not hold. Every broken rule is shown
  before a second row of any, the row farthest outside a range first; of a reference the missing keys, most used first.
  `within`: a date column; only the run's days are read.
#}
{% test row_rules(model, ranges={}, values={}, found_in=[], within=none) %}
{%- set rules = [] %}
{%- for column, bounds in ranges.items() %}
    {%- set outside = [] %}
    {%- set holds = [] %}
    {%- for bound, breaks, keeps in [(bounds[0], "<", ">="), (bounds[1], ">", "<=")] if bound is not none %}
        {%- do outside.append(column ~ " " ~ breaks ~ " " ~ bound) %}
        {%- do holds.append(column ~ " " ~ keeps ~ " " ~ bound) %}
    {%- endfor %}
    {%- do rules.append([holds | join(" and "), outside | join(" or "), "abs(" ~ column ~ ")::double"]) %}
{%- endfor %}
{%- for column, accepted in values.items() %}
    {%- set holds = column ~ " in (" ~ sql_texts(accepted) ~ ")" %}
    {%- do rules.append([holds, "not (" ~ holds ~ ")", "0"]) %}
{%- endfor %}
with broken as (
    {%- if rules %}
    select
        unnest(list_filter([
            {%- for sentence, breaks, excess in rules %}
            case when {{ breaks }} then {rule: '{{ sentence | replace("'", "''") }}', excess: {{ excess }}::double} end
                {{- "," if not loop.last }}
            {%- endfor %}
        ], lambda r: r is not null), recursive := true),
        *
    from {{ model }}
    where ({% for _, breaks, _ in rules %}({{ breaks }}){{ " or " if not loop.last }}{% endfor %})
    {%- if within %} and {{ in_window(within) }}{% endif %}
    {{ "union all by name" if found_in }}
    {%- endif %}
    {%- for reference in found_in %}
    {%- set columns = reference["columns"] %}
    select
        '{{ columns | join(", ") }} in {{ reference["to"].identifier }}' as rule,
        count(*)::double as excess,
        {{ columns | join(", ") }},
        count(*) as row_count
    from {{ model }} as child
    anti join {{ reference["to"] }} as parent
        on {% for column in columns -%}
            child.{{ column }} = parent.{{ reference.get("to_columns", columns)[loop.index0] }}
            {{- " and " if not loop.last }}
        {%- endfor %}
    where {% for column in columns %}child.{{ column }} is not null{{ " and " if not loop.last }}{% endfor %}
    {%- if within %} and {{ in_window("child." ~ within) }}{% endif %}
    group by all
    {{ "union all by name" if not loop.last }}
    {%- endfor %}
)

select * exclude (excess)
from broken
order by row_number() over (partition by rule order by excess desc), rule
{% endtest %}
