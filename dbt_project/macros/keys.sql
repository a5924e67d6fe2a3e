{# Which of several sources' rows of one key stands, and which ids are the platform's own. #}

{# The place of a source in var source_rank, as SQL; unlisted sources come last. #}
{%- macro source_rank(column="source") -%}
coalesce(list_position([{{ sql_texts(var("source_rank")) }}], {{ column }}), 1000)
{%- endmacro -%}

{#
  Best row first: the more trusted source, then the later export, then the file's name, as within a source of raw/. Of
  rows that say different times, too: sources are ranked by how the time got into them (docs/formats.md).
#}
{%- macro best_first() -%}
{{ source_rank() }}, extracted_at desc, landing_file desc
{%- endmacro -%}

{# True for an id that the platform gave: others have what made them before a ':'. #}
{%- macro is_native(id) -%}
not contains({{ id }}, ':')
{%- endmacro -%}
