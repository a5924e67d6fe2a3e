{# Who is a bot by one message alone: the source's mark, a badge, or the seed of known logins. #}
{%- macro is_marked_bot() -%}
coalesce(is_bot, false)
        or coalesce(viewer_login in (select login from {{ ref('known_bots') }}), false)
        or coalesce(len(list_filter(
            badges, lambda badge: badge.name in ({{ sql_texts(var("bot_badges")) }})
        )) > 0, false)
{%- endmacro -%}

{%- macro sql_texts(texts) -%}
{% for text in texts %}'{{ text | replace("'", "''") }}'{{ ", " if not loop.last }}{% endfor %}
{%- endmacro -%}
