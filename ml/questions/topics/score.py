"""Topics as of a day: their terms, weeks, streams and viewers, how streams differ, and where chat is livelier."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon

from data_lake.layout import Layout
from ml import predictions
from ml.published import Published, data_end_of
from ml.questions.topics.dataset import chat_rates, documents, messages, words
from ml.questions.topics.fit import TRUSTED, Topics, coherence, top_terms
from ml.questions.topics.train import FAMILY, LATER_DAYS
from ml.seeds import dice
from ml.threads import one_thread
from ml.tracking import Registry

PERMUTATIONS = 200
MINIMUM_WORDS = 10
MINIMUM_EFFECT_STREAMS = 5
TABLES = ("topics", "topic_weeks", "topic_streams", "topic_viewers")


@one_thread
def score(layout: Layout, as_of: date) -> dict[str, int]:
    """Write the four topic tables as of a day; returns the topics by status. Without a version, no rows."""
    registry = Registry(layout)
    chosen = registry.version_for(FAMILY, as_of)
    if chosen is None:
        for table in TABLES:
            predictions.write(layout, table, as_of, FAMILY, pd.DataFrame())
        return {"no_model": 1}
    model, _ = registry.load(chosen, TRUSTED)
    with Published(layout) as published:
        until = min(data_end_of(as_of), published.data_end)
        said = words(messages(published, until))
        rates = chat_rates(published, until)
    minutes = documents(said)
    found: dict[str, list[pd.DataFrame]] = {table: [] for table in TABLES}
    for creator in sorted(model.models):
        mine = minutes[minutes["creator_id"] == creator].reset_index(drop=True)
        if mine.empty:
            continue
        for table, rows in _creator(model, creator, mine, said[said["creator_id"] == creator], rates).items():
            found[table].append(rows.assign(creator_id=creator))
    stamp = {"model_name": FAMILY, "model_version": chosen.version, "run_id": chosen.run_id}
    for table, parts in found.items():
        rows = pd.concat(parts, ignore_index=True).assign(**stamp) if parts else pd.DataFrame()
        predictions.write(layout, table, as_of, FAMILY, rows)
    return {"ok": sum(len(part) for part in found["topics"])}


def _creator(
    model: Topics, creator: str, mine: pd.DataFrame, said: pd.DataFrame, rates: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    shares = model.weights(creator, mine["text"])
    known = shares.sum(axis=1) > 0
    mine, shares = mine[known].reset_index(drop=True), shares[known]
    ids = (model.ids or {})[creator]
    terms = top_terms((model.models or {})[creator])
    late = mine["minute_at"] >= mine["minute_at"].max() - pd.Timedelta(days=LATER_DAYS)
    topics = pd.DataFrame(
        {
            "topic_id": ids,
            "topic_name": [" ".join(t[:3]) for t in terms],
            "terms": [", ".join(t) for t in terms],
            "coherence": coherence(terms, mine.loc[late, "text"]),
            "share": shares.mean(axis=0),
            "status": "ok",
        }
    )
    effects = chat_effects(mine, shares, rates)
    return {
        "topics": topics.join(effects),
        "topic_weeks": _long(
            mine.assign(week_date=mine["minute_at"].dt.to_period("W-SUN").dt.start_time.dt.date),
            shares,
            ids,
            ["week_date"],
        ),
        "topic_streams": _long(mine, shares, ids, ["broadcast_id"]).merge(
            shifts(mine, shares), on="broadcast_id", how="left"
        ),
        "topic_viewers": _viewers(mine, shares, said, ids),
    }


def _long(mine: pd.DataFrame, shares: np.ndarray, ids: list[int], by: list[str]) -> pd.DataFrame:
    """Mean share of each topic per group, and the minutes it is the mean of."""
    frame = pd.DataFrame(shares, columns=ids).assign(**{name: mine[name].to_numpy() for name in by})
    grouped = frame.groupby(by, sort=True)
    long = grouped[list(ids)].mean().reset_index().melt(by, var_name="topic_id", value_name="share")
    return long.merge(grouped.size().rename("minute_count").reset_index(), on=by)


def _viewers(mine: pd.DataFrame, shares: np.ndarray, said: pd.DataFrame, ids: list[int]) -> pd.DataFrame:
    """Topic shares of the minutes a viewer wrote in, weighted by known words; under ten words a viewer has none."""
    place = mine[["broadcast_id", "minute_at"]].assign(row=np.arange(len(mine)))
    used = said.merge(place, on=["broadcast_id", "minute_at"])
    frame = pd.DataFrame(shares[used["row"].to_numpy()], columns=ids)
    frame[["platform", "viewer_id"]] = used[["platform", "viewer_id"]].to_numpy()
    grouped = frame.groupby(["platform", "viewer_id"], sort=True)
    means = grouped[list(ids)].mean()
    means["word_count"] = grouped.size()
    enough = means[means["word_count"] >= MINIMUM_WORDS].reset_index()
    return enough.melt(["platform", "viewer_id", "word_count"], var_name="topic_id", value_name="share")


def shifts(mine: pd.DataFrame, shares: np.ndarray) -> pd.DataFrame:
    """Each stream against the one before: Jensen-Shannon distance (base 2) and its permutation p-value.

    The p-value shuffles the minutes of both streams between them: how often chance lies as far apart.
    """
    order = mine.groupby("broadcast_id")["minute_at"].min().sort_values(kind="stable").index
    rows = {b: np.flatnonzero((mine["broadcast_id"] == b).to_numpy()) for b in order}
    found = []
    for before, now in pairwise(order):
        both = shares[np.r_[rows[before], rows[now]]]
        first = len(rows[before])
        seen = float(jensenshannon(both[:first].mean(axis=0), both[first:].mean(axis=0), base=2))
        rolls = dice("topics", "shift", str(now))
        far = 0
        for _ in range(PERMUTATIONS):
            mixed = rolls.permutation(len(both))
            one, other = both[mixed[:first]].mean(axis=0), both[mixed[first:]].mean(axis=0)
            far += float(jensenshannon(one, other, base=2)) >= seen
        found.append({"broadcast_id": now, "shift_distance": seen, "shift_p_value": (far + 1) / (PERMUTATIONS + 1)})
    return pd.DataFrame(found, columns=["broadcast_id", "shift_distance", "shift_p_value"])


def chat_effects(mine: pd.DataFrame, shares: np.ndarray, rates: pd.DataFrame) -> pd.DataFrame:
    """Chat per viewer in minutes mainly about a topic over the other minutes of the same streams.

    One log ratio per stream; the interval is that of their mean (t, 95 %). Null under five streams.
    """
    joined = mine.assign(main=shares.argmax(axis=1)).merge(rates, on=["creator_id", "broadcast_id", "minute_at"])
    joined["rate"] = np.log((joined["messages"] + 0.5) / joined["viewers"])
    found = []
    for topic in range(shares.shape[1]):
        about = joined["main"] == topic
        inside = joined[about].groupby("broadcast_id")["rate"].mean()
        outside = joined[~about].groupby("broadcast_id")["rate"].mean()
        ratio = (inside - outside).dropna().to_numpy()
        if len(ratio) < MINIMUM_EFFECT_STREAMS:
            found.append((np.nan, np.nan, np.nan))
            continue
        error = 1.96 * ratio.std(ddof=1) / np.sqrt(len(ratio))
        found.append(tuple(np.exp([ratio.mean(), ratio.mean() - error, ratio.mean() + error])))
    return pd.DataFrame(found, columns=["chat_effect", "chat_effect_low", "chat_effect_high"])


def outcomes(layout: Layout) -> int:
    """Topics foretell nothing: there is no outcome to judge them by."""
    return 0
