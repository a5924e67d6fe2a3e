"""What the models find again of what was planted in sample worlds: `python -m benchmarks.models_recovery`.

A smaller world per seed (201 to 205, used for nothing else) goes through `fullhouse run`; then the newest version of
each family is compared with truth/, which only this file reads. A version that its gate refused serves nothing, but is
compared all the same: `..._passed` is 1 where it would be served.

- churn: the newest version whose four weeks have passed, on the eligible viewers of its own day, against
  truth/churners: AUC for `gone` before the window begins, and for `leaves` before it ends; beside it the AUC of days
  unseen alone. `silent` is the model's own question, whether activity came: who stays may be silent.
- next_stream, as of the last day: over the starts from 16:00 on with three streams or more, expected viewers by weekday
  and by category against the planted effects (rank correlation by creator, and whether the best is the planted best),
  and starts before 16:00 over the others of the same weekday (planted: 0.70).
- topics: share of the subjects planted in the version's 60 days with a topic of their own, matched one to one, of whose
  ten terms at least five are the subject's words; beside it the same for terms by chance.
- peaks: whether the first peak engagement time of the stream planted with one at minute 45 is that minute.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr

from data_lake.layout import Layout
from data_lake.sample_world import write_sample_world
from data_lake.sample_world.live import words
from ml.metrics import auc
from ml.published import Published
from ml.questions.churn import dataset as churns
from ml.questions.churn import fit as churn_fit
from ml.questions.next_stream import dataset as starts
from ml.questions.next_stream import fit as starts_fit
from ml.questions.topics import fit as topics_fit
from ml.questions.topics.dataset import WINDOW_DAYS
from ml.serving import ModelVersion
from ml.tracking import Registry

REPOSITORY = Path(__file__).parents[1]
# Starts before this hour carry the planted effect of off hours.
EVENING = 16
EVIDENCE = 3
SHARED_TERMS = 5
PEAK_MINUTE = 45


def build(lake: Layout) -> None:
    """Everything a person's run does. Raises RuntimeError when it fails; a refused gate is no failure."""
    command = [sys.executable, "-m", "orchestration.cli", "run"]
    where = {**os.environ, "LAKE_ROOT": str(lake.root)}
    done = subprocess.run(command, cwd=REPOSITORY, env=where, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"fullhouse run ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")


def newest(lake: Layout, question: str, until: date, trusted: Sequence[str]) -> tuple[ModelVersion, Any] | None:
    """The newest version made as of a day up to `until`, passed or refused, with its model; None without one."""
    registry = Registry(lake)
    made = sorted((v for v in registry.versions(question) if v.as_of <= until), key=lambda v: v.as_of)
    if not made:
        return None
    model, _ = registry.files(made[-1])
    return made[-1], skops.io.loads(model, trusted=list(trusted))


def churn(lake: Layout, published: Published) -> dict[str, float]:
    ahead = churns.window_of(published.last_day)
    made = newest(lake, "churn", published.last_day - (ahead.label_to - ahead.cutoff), churn_fit.TRUSTED)
    if made is None:
        return {}
    version, model = made
    window = churns.window_of(version.as_of)
    rows = churns.candidates(published, version.as_of)
    rows = rows[rows["is_churn_eligible"]]
    left = pd.read_parquet(lake.truth / "churners.parquet")
    keys = ["creator_id", "platform", "viewer_id"]
    rows = rows.merge(left[[*keys, "left_at"]], on=keys, how="left")
    score = churn_fit.probability(model, churns.SPEC, rows)
    unseen = rows["recency_days"].to_numpy(float)
    numbers = {"churn_passed": float(version.passed), "scored": float(len(rows))}
    for name, until in (("gone", window.label_from), ("leaves", window.label_to)):
        truth = (rows["left_at"] < pd.Timestamp(until)).to_numpy(float)
        numbers |= {
            f"{name}_base": truth.mean(),
            f"{name}_auc": auc(truth, score),
            f"{name}_recency": auc(truth, unseen),
        }
    asked = churns.labelled(published, [window])
    truth, score = asked[churn_fit.LABEL].to_numpy(float), churn_fit.probability(model, churns.SPEC, asked)
    unseen = asked["recency_days"].to_numpy(float)
    return numbers | {
        "silent_base": truth.mean(),
        "silent_auc": auc(truth, score),
        "silent_recency": auc(truth, unseen),
    }


def next_stream(lake: Layout, published: Published) -> dict[str, float]:
    made = newest(lake, "next_stream", published.last_day, starts_fit.TRUSTED)
    if made is None:
        return {}
    version, model = made
    rows = starts.options(published, published.last_day)
    # Log ratio to the last twelve streams, which is one number per creator: ranks within a creator are the same.
    rows = rows.assign(level=starts_fit.predict(model, starts.prepared(rows))[:, 0])
    rows = rows[rows["evidence_stream_count"] >= EVIDENCE]
    effects = pd.read_parquet(lake.truth / "effects.parquet")
    evening = rows[rows["hour_of_day"] >= EVENING]
    by_creator: dict[str, list[float]] = {}
    for creator, later in evening.groupby("creator_id", sort=True):
        planted = effects[effects["creator_id"] == creator]
        weekday = planted[planted["effect"] == "weekday_on_viewers"]
        days = dict(zip(weekday["level"].astype(int) + 1, weekday["value"], strict=True))
        category = planted[planted["effect"] == "category_on_viewers"]
        kinds = dict(zip(category["level"], category["value"], strict=True))
        for name, column, truth in (("weekday", "iso_day_of_week", days), ("category", "category_name", kinds)):
            levels = later[later[column].isin(list(truth))].groupby(column)["level"].mean()
            true = np.array([truth[k] for k in levels.index])
            best = float(true[int(levels.to_numpy().argmax())] == true.max())
            by_creator.setdefault(f"{name}_rank", []).append(float(spearmanr(levels.to_numpy(), true).statistic))
            by_creator.setdefault(f"{name}_best", []).append(best)
        early = rows[(rows["creator_id"] == creator) & (rows["hour_of_day"] < EVENING)]
        pairs = early.groupby("iso_day_of_week")["level"].mean() - later.groupby("iso_day_of_week")["level"].mean()
        if pairs.notna().any():
            by_creator.setdefault("off_hours", []).append(float(np.exp(pairs.mean())))
    means = {name: float(np.nanmean(values)) for name, values in by_creator.items()}
    return {"next_stream_passed": float(version.passed), **means}


def matched(topics: list[list[str]], subjects: list[str]) -> float:
    """Share of subjects with a topic of their own that names them with enough terms."""
    vocabularies = [{*s.nouns, *s.verbs, *s.adjectives} for s in words.SUBJECTS if s.name in subjects]
    shared = np.array([[len(set(terms) & words) for terms in topics] for words in vocabularies])
    rows, columns = linear_sum_assignment(-shared)
    return float((shared[rows, columns] >= SHARED_TERMS).sum() / len(vocabularies))


def topics(lake: Layout, published: Published) -> dict[str, float]:
    made = newest(lake, "topics", published.last_day, topics_fit.TRUSTED)
    if made is None:
        return {}
    version, model = made
    planted = pd.read_parquet(lake.truth / "subjects.parquet")
    lately = planted[planted["started_at"] >= pd.Timestamp(version.as_of - timedelta(WINDOW_DAYS - 1))]
    lately = lately[lately["started_at"] < pd.Timestamp(version.as_of + timedelta(1))]
    shares, chances, counts = [], [], []
    for creator, pipeline in sorted(model.models.items()):
        subjects = sorted(lately.loc[lately["creator_id"] == creator, "subject"].unique())
        terms = topics_fit.top_terms(pipeline)
        shares.append(matched(terms, subjects))
        chances.append(matched(topics_fit.by_chance(pipeline, len(terms)), subjects))
        counts.append(len(terms))
    return {
        "topics_passed": float(version.passed),
        "topics": float(np.sum(counts)),
        "subjects_found": float(np.mean(shares)),
        "by_chance": float(np.mean(chances)),
    }


def peaks(lake: Layout, published: Published) -> dict[str, float]:
    special = pd.read_parquet(lake.truth / "streams.parquet").query(f"special == 'minute_{PEAK_MINUTE}'").iloc[0]
    rows = published.frame(
        """select peak_engagement_times[1].minute as first from fct_streams
        where creator_id = $creator and abs(epoch(started_at) - epoch($at::timestamp)) < 300""",
        {"creator": special["creator_id"], "at": special["started_at"]},
    )
    first = float(rows["first"].iloc[0]) if len(rows) else float("nan")
    return {"peak_at_45": float(first == PEAK_MINUTE), "first_peak": first}


def compare(lake: Layout) -> dict[str, float]:
    """All numbers of one world."""
    with Published(lake) as published:
        return {
            **churn(lake, published),
            **next_stream(lake, published),
            **topics(lake, published),
            **peaks(lake, published),
        }


def measure(seed: int, scale: float, days: int, folder: Path) -> dict[str, float]:
    """Make a world, run, compare, print one line."""
    lake = Layout(folder / f"seed-{seed}")
    write_sample_world(lake, seed=seed, scale=scale, days=days)
    build(lake)
    numbers = compare(lake)
    print(f"seed {seed}: " + ", ".join(f"{k} {v:.3f}" for k, v in numbers.items()), flush=True)
    shutil.rmtree(lake.root)
    return numbers


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203, 204, 205])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--days", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = [measure(s, arguments.scale, arguments.days, Path(folder)) for s in arguments.seeds]
    rows = pd.DataFrame(measured, index=arguments.seeds)
    print(f"means over the seeds, lowest and highest, of {len(rows)} seeds")
    print(rows.agg(["count", "mean", "min", "max"]).T.round(3).to_string())


if __name__ == "__main__":
    main()
