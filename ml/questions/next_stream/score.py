"""What every start a creator used lately can expect as of a day, the best by evidence, and how past ones turned out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from data_lake.layout import Layout
from ml import cards, predictions
from ml.published import Published
from ml.questions.next_stream import dataset as data
from ml.questions.next_stream.fit import TRUSTED, predict
from ml.questions.next_stream.train import FAMILY
from ml.threads import one_thread
from ml.tracking import Registry

TABLE = "next_streams"
OUTCOME_DAYS = 28


@one_thread
def score(layout: Layout, as_of: date) -> dict[str, int]:
    """Write predictions/next_streams as of a day; returns the rows by status. Without a version, no rows."""
    with Published(layout) as published:
        rows = data.options(published, as_of)
        durations = data.best_durations(published, as_of)
    registry = Registry(layout)
    chosen = registry.version_for(FAMILY, as_of)
    if chosen is None or rows.empty:
        predictions.write(layout, TABLE, as_of, FAMILY, pd.DataFrame())
        return {"no_model": len(rows)}
    model, metadata = registry.load(chosen, TRUSTED)
    said = predict(model, data.prepared(rows))
    ends = np.asarray(metadata["ends"])
    level = rows["average_viewers_last_12"].to_numpy(float)
    found = rows.merge(durations, on="creator_id", how="left")
    for place, name in enumerate(("average_viewers", "peak_viewers")):
        found[name] = level * np.exp(said[:, place])
        found[f"{name}_low"], found[f"{name}_high"] = (
            level * np.exp(said[:, place] + ends[place, side]) for side in (0, 1)
        )
    known = found["evidence_stream_count"] >= data.EVIDENCE_STREAMS
    best = (
        found["average_viewers"]
        .where(known)
        .groupby([found[k] for k in ("creator_id", "category_name", "duration_hours")])
        .transform("max")
    )
    found = found.assign(
        is_best_start=known & (found["average_viewers"] == best),
        status="ok",
        method="ridge",
        model_name=FAMILY,
        model_version=chosen.version,
        run_id=chosen.run_id,
    )
    columns = [c.name for c in predictions.contract(TABLE).columns if c.name != "as_of_date"]
    predictions.write(layout, TABLE, as_of, FAMILY, found[columns])
    return {"ok": len(found)}


def outcomes(layout: Layout) -> int:
    """Judge past expectations on the streams of the 28 days after them; returns the as-of days judged."""
    judged = 0
    with Published(layout) as published:
        due = predictions.to_judge(
            layout, TABLE, FAMILY, last_day=published.last_day, due_days=OUTCOME_DAYS, whole_days=OUTCOME_DAYS
        )
        for as_of in due:
            until = as_of + timedelta(OUTCOME_DAYS)
            streams = data.streams(published, until + timedelta(1))
            streams = streams[streams["started_at"].dt.date > as_of]
            judged += _judge(layout, as_of, until, streams, predictions.read(layout, TABLE, as_of, FAMILY))
    return judged


def _judge(layout: Layout, as_of: date, until: date, streams: pd.DataFrame, said: pd.DataFrame) -> int:
    """Each stream against the expectation of its own start and category at the nearest duration."""
    keys = ["creator_id", "iso_day_of_week", "hour_of_day", "category_name"]
    both = streams.merge(said, on=keys, suffixes=("", "_said"))
    both["off"] = (both["duration_hours"] - both["duration_hours_said"]).abs()
    both = both.sort_values(["broadcast_id", "off"], kind="stable").drop_duplicates("broadcast_id")
    if both.empty:
        return 0
    trained = cards.version_of(FAMILY, as_of, both)
    window = (as_of + timedelta(1), until)
    rows = []
    for name in ("average", "peak"):
        truth, expected = both[f"{name}_viewers"], both[f"{name}_viewers_said"]
        level = float(np.mean(np.abs(both[name])))
        rows.append(
            cards.score_row(
                trained,
                "live",
                f"log_error_{name}",
                float(np.mean(np.abs(np.log(truth / expected)))),
                rows=len(both),
                window=window,
                baseline=("last_12", level) if name == "average" else None,
            )
        )
    inside = both["average_viewers"].between(both["average_viewers_low"], both["average_viewers_high"])
    rows.append(cards.score_row(trained, "live", "coverage", float(inside.mean()), rows=len(both), window=window))
    predictions.write_live(layout, as_of, FAMILY, pd.DataFrame(rows))
    return 1
