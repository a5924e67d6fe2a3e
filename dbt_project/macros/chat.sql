{# How chat is counted: who counts, and when. #}

{#
  Messages of the audience: no bots of that day (fct_viewer_days), and a message of shared chat only in the channel it
  was written in, so that it counts once over all channels. `pad` reads that many neighbouring days.
#}
{%- macro audience_messages(columns, pad=0) -%}
select
        {{ columns | join(",\n        ") }}
    from {{ ref('fct_chat_messages') }} as messages
    anti join (
        select event_date, platform, viewer_id from {{ ref('fct_viewer_days') }}
        where {{ in_window(pad=pad) }} and is_bot
    ) as bots
        on messages.event_date = bots.event_date
        and messages.platform = bots.platform
        and messages.viewer_id = bots.viewer_id
    where {{ in_window('messages.event_date', pad=pad) }} and messages.shared_from_channel_id is null
{%- endmacro -%}

{# UTC start of the 30 s chat window of a moment. #}
{%- macro chat_window(moment) -%}
time_bucket(interval 30 second, {{ moment }})
{%- endmacro -%}

{#
  Probability that a negative binomial count of this mean and shape (variance = mean + mean^2 / shape) is `count` or
  more. The tail is summed over 200 terms, which leaves out less than 1e-6 of it where the mean is below ten shapes.
#}
{%- macro negative_binomial_tail(count, mean, shape) -%}
case when {{ count }} <= {{ mean }} then 1.0 else list_sum(list_transform(
            range({{ count }}, {{ count }} + 200),
            lambda i: exp(
                lgamma(i + {{ shape }}) - lgamma({{ shape }}) - lgamma(i + 1)
                + {{ shape }} * ln({{ shape }} / ({{ shape }} + {{ mean }}))
                + i * ln({{ mean }} / ({{ shape }} + {{ mean }}))
            )
        )) end
{%- endmacro -%}
