{# True for events of the audience; a relay's switches are events of the house. #}
{%- macro is_audience_event() -%}
event_type not in ('platform_started', 'platform_stopped')
{%- endmacro -%}
