"""Minutes of chat as documents: pooled words without emotes, names, mentions and links, out of the published tables.

One message has a median of two words: it says nothing alone. A word counts when five different people used it, so
that no person's habit becomes a topic.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import polars as pl

from data_lake.texts import add_text_functions
from ml.published import Published

WINDOW_DAYS = 60
# The last days of the window, which judge the topics of the days before.
LATER_DAYS = 7
MINIMUM_CHATTERS = 5
MINIMUM_MINUTES = 300
KEYS = ["creator_id", "broadcast_id", "minute_at"]

# Tokens of texts as they are compared, without links, mentions and :emotes:: letters of any script, at least three.
# A word lengthened by two letters and more ("gooood") is spelled as the creator's chat most often spells it.
_WORDS = """
    with tokens as (
        select m.creator_id, m.broadcast_id, m.minute_at, m.platform, m.viewer_id, w.word, text_key(w.word) as key
        from messages m, unnest(regexp_extract_all(
            regexp_replace(fold_text(m.text), '(https?://|www[.])[^ ]*|[@#][^ ]+|:[a-z0-9_-]+:', ' ', 'g'),
            '[\\p{L}][\\p{L}'']{2,}'
        )) as w(word)
    ),
    spellings as (
        select creator_id, key, arg_max(word, (used, word)) as word
        from (select creator_id, key, word, count(*) as used from tokens group by all)
        group by all
    )
    select t.creator_id, t.broadcast_id, t.minute_at, t.platform, t.viewer_id,
        case when length(t.word) - length(t.key) > 1 then s.word else t.word end as word
    from tokens t join spellings s using (creator_id, key)
"""


def messages(published: Published, until: date, days: int = WINDOW_DAYS) -> pl.DataFrame:
    """Chat of people in streams in the `days` before `until`, with its broadcast and minute, in a fixed order."""
    return published.polars(
        """select p.creator_id, p.broadcast_id, date_trunc('minute', c.sent_at) as minute_at, c.platform, c.viewer_id,
            lower(c.viewer_login) as login, c.text,
            list_transform(coalesce(c.emotes, []), lambda e: lower(e.name)) as emote_names
        from fct_chat_messages c
        join fct_stream_platforms p on c.platform = p.platform and c.channel_id = p.channel_id
            and c.sent_at >= p.started_at and c.sent_at < p.ended_at
        where c.event_date >= $first and c.event_date < $until and not coalesce(c.is_bot, false) and c.text is not null
            and c.shared_from_channel_id is null
        order by p.creator_id, c.sent_at, c.message_id""",
        {"first": until - timedelta(days), "until": until},
    )


def words(chat: pl.DataFrame) -> pl.DataFrame:
    """One row per word used, without emotes, logins and what under five people said."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register("messages", chat)
        add_text_functions(connection)
        return connection.execute(
            f"""with words as ({_WORDS}),
            names as (
                select distinct login as word from messages where login is not null
                union select distinct unnest(emote_names) from messages
            ),
            shared as (
                select creator_id, word from words anti join names using (word)
                group by creator_id, word having count(distinct (platform, viewer_id)) >= {MINIMUM_CHATTERS}
            )
            select words.* from words semi join shared using (creator_id, word)
            order by creator_id, broadcast_id, minute_at, platform, viewer_id, word"""
        ).pl()


def documents(used: pl.DataFrame) -> pd.DataFrame:
    """(creator_id, broadcast_id, minute_at, text): the words of each minute, joined; sorted by the keys.

    As pandas: scikit-learn's vectorizers, MLflow's examples and the digests of a run take it.
    """
    pooled = used.group_by(KEYS, maintain_order=True).agg(pl.col("word").str.join(" ").alias("text"))
    return pooled.sort(KEYS).to_pandas()


def chat_rates(published: Published, until: date, days: int = WINDOW_DAYS) -> pd.DataFrame:
    """Messages and viewers of each minute of each broadcast, over its platforms.

    Of each platform the minutes whose chat and viewers are both known; minutes without viewers are left out.
    """
    return published.frame(
        """select p.creator_id, p.broadcast_id, m.minute_at, sum(m.message_count)::double as messages,
            sum(m.average_viewers)::double as viewers
        from fct_stream_minutes m
        join fct_stream_platforms p on m.platform = p.platform and m.channel_id = p.channel_id
            and m.minute_at >= p.started_at - interval 1 minute and m.minute_at < p.ended_at
        where m.event_date >= $first and m.event_date < $until
            and m.message_count is not null and m.average_viewers is not null
        group by all having sum(m.average_viewers) > 0
        order by p.creator_id, p.broadcast_id, m.minute_at""",
        {"first": until - timedelta(days), "until": until},
    )
