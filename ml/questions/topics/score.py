"""Topics' part of a scoring: their terms, weeks, streams and viewers, how streams differ, where chat is livelier."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
from scipy.spatial.distance import jensenshannon

from ml.published import Published, data_end_of
from ml.questions.topics import QUESTION
from ml.questions.topics.dataset import LATER_DAYS, chat_rates, documents, messages, words
from ml.questions.topics.fit import TRUSTED, Topics, coherence, top_terms
from ml.scoring import Answers, Scorer
from ml.seeds import generator
from ml.serving import Served

PERMUTATIONS = 200
MINIMUM_WORDS = 10
MINIMUM_EFFECT_STREAMS = 5


class TopicsScorer(Scorer):
    """Weighs the topics of a version in every minute of the window that ends with the day. Nothing is foretold."""

    trusted = TRUSTED

    def score(self, published: Published, as_of: date, served: Served | None) -> Answers:
        if served is None:
            return Answers({}, {"no_model": 1})
        until = min(data_end_of(as_of), published.data_end)
        used = words(messages(published, until))
        rates = chat_rates(published, until)
        minutes = documents(used)
        by_table: dict[str, list[pd.DataFrame]] = {table: [] for table in QUESTION.writes}
        for creator in sorted(served.model.models):
            own = minutes[minutes["creator_id"] == creator].reset_index(drop=True)
            if own.empty:
                continue
            tables = _creator(served.model, creator, own, used.filter(pl.col("creator_id") == creator), rates)
            for table, rows in tables.items():
                by_table[table].append(rows.assign(creator_id=creator))
        joined = {t: pd.concat(parts, ignore_index=True) for t, parts in by_table.items() if parts}
        return Answers(joined, {"ok": len(joined.get("topics", ()))})


SCORER = TopicsScorer()


def _creator(
    model: Topics, creator: str, minutes: pd.DataFrame, used: pl.DataFrame, rates: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    shares = model.weights(creator, minutes["text"])
    has_topic = shares.sum(axis=1) > 0
    minutes, shares = minutes[has_topic].reset_index(drop=True), shares[has_topic]
    ids = (model.ids or {})[creator]
    terms = top_terms((model.models or {})[creator])
    late = minutes["minute_at"] >= minutes["minute_at"].max() - pd.Timedelta(days=LATER_DAYS)
    topics = pd.DataFrame(
        {
            "topic_id": ids,
            "topic_name": [" ".join(t[:3]) for t in terms],
            "terms": [", ".join(t) for t in terms],
            "coherence": coherence(terms, minutes.loc[late, "text"]),
            "share": shares.mean(axis=0),
            "status": "ok",
        }
    )
    effects = chat_effects(minutes, shares, rates)
    return {
        "topics": topics.join(effects),
        "topic_weeks": _long(
            minutes.assign(week_date=minutes["minute_at"].dt.to_period("W-SUN").dt.start_time.dt.date),
            shares,
            ids,
            ["week_date"],
        ),
        "topic_streams": _long(minutes, shares, ids, ["broadcast_id"]).merge(
            shifts(minutes, shares), on="broadcast_id", how="left"
        ),
        "topic_viewers": _viewers(minutes, shares, used, ids),
    }


def _long(minutes: pd.DataFrame, shares: np.ndarray, ids: list[int], by: list[str]) -> pd.DataFrame:
    """Mean share of each topic per group, and the minutes it is the mean of."""
    frame = pd.DataFrame(shares, columns=ids).assign(**{name: minutes[name].to_numpy() for name in by})
    grouped = frame.groupby(by, sort=True)
    long = grouped[list(ids)].mean().reset_index().melt(by, var_name="topic_id", value_name="share")
    return long.merge(grouped.size().rename("minute_count").reset_index(), on=by)


def _viewers(minutes: pd.DataFrame, shares: np.ndarray, used: pl.DataFrame, ids: list[int]) -> pd.DataFrame:
    """Topic shares of the minutes a viewer wrote in, weighted by known words; under ten words a viewer has none."""
    keys = ["platform", "viewer_id"]
    topics = [str(topic) for topic in ids]
    by_minute = pl.from_pandas(minutes[["broadcast_id", "minute_at"]]).hstack(pl.DataFrame(shares, schema=topics))
    means = (
        used.select(*keys, "broadcast_id", pl.col("minute_at").cast(by_minute["minute_at"].dtype))
        .join(by_minute, on=["broadcast_id", "minute_at"], maintain_order="left")
        .group_by(keys, maintain_order=True)
        .agg(pl.len().alias("word_count"), pl.col(topics).mean())
        .filter(pl.col("word_count") >= MINIMUM_WORDS)
        .sort(keys)
    )
    long = means.unpivot(topics, index=[*keys, "word_count"], variable_name="topic_id", value_name="share")
    return long.with_columns(pl.col("topic_id").cast(pl.Int64)).to_pandas()


def shifts(minutes: pd.DataFrame, shares: np.ndarray) -> pd.DataFrame:
    """Each stream against the one before: Jensen-Shannon distance (base 2) and its permutation p-value.

    The p-value shuffles the minutes of both streams between them: how often chance lies as far apart.
    """
    order = minutes.groupby("broadcast_id")["minute_at"].min().sort_values(kind="stable").index
    rows = {b: np.flatnonzero((minutes["broadcast_id"] == b).to_numpy()) for b in order}
    shifted = []
    for before, now in pairwise(order):
        both = shares[np.r_[rows[before], rows[now]]]
        first = len(rows[before])
        distance = float(jensenshannon(both[:first].mean(axis=0), both[first:].mean(axis=0), base=2))
        rng = generator("topics", "shift", str(now))
        is_first = np.zeros((PERMUTATIONS, len(both)))
        for permutation in is_first:
            permutation[rng.permutation(len(both))[:first]] = 1.0
        one, other = is_first @ both / first, (1.0 - is_first) @ both / (len(both) - first)
        far = int((jensenshannon(one, other, base=2, axis=1) >= distance).sum())
        shifted.append(
            {"broadcast_id": now, "shift_distance": distance, "shift_p_value": (far + 1) / (PERMUTATIONS + 1)}
        )
    return pd.DataFrame(shifted, columns=["broadcast_id", "shift_distance", "shift_p_value"])


def chat_effects(minutes: pd.DataFrame, shares: np.ndarray, rates: pd.DataFrame) -> pd.DataFrame:
    """Chat per viewer in minutes mainly about a topic over the other minutes of the same streams.

    One log ratio per stream; the interval is that of their mean (t, 95 %). Null under five streams.
    """
    joined = minutes.assign(main=shares.argmax(axis=1)).merge(rates, on=["creator_id", "broadcast_id", "minute_at"])
    joined["rate"] = np.log((joined["messages"] + 0.5) / joined["viewers"])
    effects = []
    for topic in range(shares.shape[1]):
        about = joined["main"] == topic
        inside = joined[about].groupby("broadcast_id")["rate"].mean()
        outside = joined[~about].groupby("broadcast_id")["rate"].mean()
        ratio = (inside - outside).dropna().to_numpy()
        if len(ratio) < MINIMUM_EFFECT_STREAMS:
            effects.append((np.nan, np.nan, np.nan))
            continue
        error = 1.96 * ratio.std(ddof=1) / np.sqrt(len(ratio))
        effects.append(tuple(np.exp([ratio.mean(), ratio.mean() - error, ratio.mean() + error])))
    return pd.DataFrame(effects, columns=["chat_effect", "chat_effect_low", "chat_effect_high"])
