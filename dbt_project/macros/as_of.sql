{#
  Features as of a moment, their cut-off. Every feature model reads its rows through these macros and through nothing
  else, so that no row after a cut-off can reach a feature: events count when they happened before it, states when they
  were observed before it. When a row was ingested plays no part.

  Which place an event belongs to (its channel, stream and creator) is said by all that is known, as everywhere in the
  project: a monthly export names the streams of a month afterwards, and their messages were sent all the same.

  A model has a CTE `as_of` with the cut-offs it is made for, in a column cut_off_at.
#}

{# The days features are held for: every Monday of the lake and its latest day; all of the day is before the cut-off. #}
{%- macro as_of_dates() -%}
select
        date_day as as_of_date,
        date_day + interval 1 day as cut_off_at
    from {{ ref('dim_dates') }}
    where {{ is_seen('date_day') }}
    qualify iso_day_of_week = 1 or date_day = max(date_day) over ()
{%- endmacro -%}

{#
  Those of them a run has to compute: no row after a cut-off can reach a feature, so the first affected day of the run
  leaves everything as of an earlier day alone. The latest day of the run before goes, unless it is a Monday.
#}
{%- macro as_of_dates_to_build() -%}
select as_of_date, cut_off_at
    from ({{ as_of_dates() }})
    {%- if is_incremental() %}
    where as_of_date not in (select as_of_date from {{ this }})
    {%- if var("days") %} or as_of_date >= date '{{ var("days")[0][0] }}'{% endif %}
    {%- endif %}
{%- endmacro -%}

{#
  One of the days that `features` holds, another one every day: within as many days as there are weeks of features all
  of them were computed again, by a run that did not build most of them.
#}
{%- macro as_of_date_to_recompute(features) -%}
select as_of_date, as_of_date + interval 1 day as cut_off_at
    from (select distinct as_of_date from {{ features }})
    qualify row_number() over (order by as_of_date) - 1
        = date_diff('day', date '1970-01-01', max(as_of_date) over ()) % count(*) over ()
{%- endmacro -%}

{# Incremental strategy of models with rows per as-of day: days that are computed anew go, and those no longer held. #}
{% macro get_incremental_replace_as_of_sql(arg_dict) %}
    {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
    delete from {{ arg_dict["target_relation"] }}
    where {% if var("days") %}as_of_date >= date '{{ var("days")[0][0] }}' or {% endif -%}
    as_of_date not in (select as_of_date from ({{ as_of_dates() }}));
    insert into {{ arg_dict["target_relation"] }} ({{ columns }})
    (select {{ columns }} from {{ arg_dict["temp_relation"] }})
{% endmacro %}

{# True for a moment (timestamp or date) before the cut-off; with `days`, at most so many days before it. #}
{%- macro is_before_cut_off(moment, days=none, cut_off_at="cut_off_at") -%}
{{ moment }} < {{ cut_off_at }}
{%- if days is not none %} and {{ moment }} >= {{ cut_off_at }} - interval {{ days }} day{% endif %}
{%- endmacro -%}

{#
  Each row of `rows` once per cut-off it lies before (with `days`: by at most so many days). `on`: columns of both that
  must be equal.
#}
{%- macro before_as_of(rows, moment, days=none, on=[]) -%}
(
        select
            as_of.*,
            r.*{% if on %} exclude ({{ on | join(', ') }}){% endif %}
        from as_of
        inner join {{ rows }} as r
            on {{ is_before_cut_off('r.' ~ moment, days, 'as_of.cut_off_at') }}
            {%- for column in on %} and r.{{ column }} = as_of.{{ column }}{% endfor %}
    )
{%- endmacro -%}

{#
  The latest row of `rows` per key before each cut-off: for states, and for totals that run over a key's history.
  `replaced_at`: the column with the moment of the key's next row, where the rows have one.
#}
{%- macro latest_before_as_of(rows, moment, key=[], on=[], replaced_at=none) -%}
{%- set next = replaced_at or 'replaced_at' -%}
(
        select
            as_of.*,
            r.* exclude ({{ next }}{% for column in on %}, {{ column }}{% endfor %})
        from {% if replaced_at %}{{ rows }}{% else %}(
            select
                *,
                lead({{ moment }}) over (partition by {{ key | join(', ') }} order by {{ moment }}) as replaced_at
            from {{ rows }}
        ){% endif %} as r
        inner join as_of
            on {{ is_before_cut_off('r.' ~ moment, cut_off_at='as_of.cut_off_at') }}
            and (r.{{ next }} is null or not ({{ is_before_cut_off('r.' ~ next, cut_off_at='as_of.cut_off_at') }}))
            {%- for column in on %} and r.{{ column }} = as_of.{{ column }}{% endfor %}
    )
{%- endmacro -%}
