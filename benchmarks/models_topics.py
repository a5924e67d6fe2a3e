"""Topics on real words: `python -m benchmarks.models_topics` (needs ../shared/data/{stellive,helix_videos,...}).

Titles of 10 Korean streamers (stellive), titles of 9 esports channels (helix_videos), one chat of 5 h 23 min
(twitch_chat_text), with the words, factors and choice of ml.questions.topics. A document is a title (a repeated one
counts once, the first time) or a minute of chat; a word counts in five titles, or from five people. The last fifth of
the time is held out: coherence is measured there, on documents no model saw (the number of topics is chosen there too,
as ml.questions.topics does). Subscription notices are no chat; emotes are not marked in this text and count as words.
"""

from __future__ import annotations

import json
import re
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.models_measure import shared_data
from data_lake.sources.reading.twitch_notices import Notices
from ml.questions.topics.dataset import documents, words
from ml.questions.topics.fit import (
    COUNTS,
    by_chance,
    choose,
    coherence,
    diversity,
    gains,
    lda,
    nmf,
    stability,
    top_terms,
)
from ml.splits import normalised
from ml.threads import one_thread

LATER = 0.2
# One chat is one stream: its blocks of ten minutes stand for streams, odd ones against even ones.
BLOCK = "10min"
START = datetime(2026, 1, 1)
PSEUDONYM = re.compile(r"@?viewer_[0-9a-f]{10}")


def titles(rows: pd.DataFrame) -> pd.DataFrame:
    """(id, title, at) as messages: every title its own stream, minute and person."""
    first = rows.assign(key=rows["title"].map(normalised)).sort_values(["at", "id"], kind="stable")
    first = first[first["key"] != ""].drop_duplicates("key")
    return pd.DataFrame(
        {
            "creator_id": "titles",
            "broadcast_id": first["id"],
            "minute_at": first["at"],
            "platform": "",
            "viewer_id": first["id"],
            "login": None,
            "text": first["title"],
            "emote_names": [[] for _ in range(len(first))],
        }
    )


def stellive() -> pd.DataFrame:
    rows = pd.read_csv(shared_data() / "stellive" / "latest" / "streams.csv", dtype=str, encoding="utf-8-sig")
    rows = rows.dropna(subset=["title", "date"])
    return titles(pd.DataFrame({"id": rows["video_no"], "title": rows["title"], "at": pd.to_datetime(rows["date"])}))


def helix() -> pd.DataFrame:
    videos = []
    for file in sorted((shared_data() / "helix_videos").glob("*_vids.json")):
        videos += json.loads(file.read_text(encoding="utf-8"))
    at = pd.to_datetime([v["created_at"] for v in videos], utc=True).tz_localize(None)
    return titles(pd.DataFrame({"id": [v["id"] for v in videos], "title": [v["title"] for v in videos], "at": at}))


def chat() -> pd.DataFrame:
    notices = Notices("vod")
    rows = []
    path = shared_data() / "twitch_chat_text" / "vod_chat.txt"
    for line in path.read_text(encoding="utf-8").splitlines():
        line_parts = re.match(r"\[(\d+):(\d\d):(\d\d)\] (\w+): (.*)", line)
        if not line_parts:
            continue
        hours, minutes, seconds, sender, text = line_parts.groups()
        offset = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
        if notices.read(sender, text, offset) is None:
            rows.append((START + pd.Timedelta(seconds=offset), sender, PSEUDONYM.sub(" ", text)))
    chat = pd.DataFrame(rows, columns=["at", "viewer_id", "text"])
    return chat.assign(
        creator_id="chat",
        broadcast_id=chat["at"].dt.floor(BLOCK).astype(str),
        minute_at=chat["at"].dt.floor("min"),
        platform="twitch",
        login=None,
        emote_names=[[] for _ in range(len(chat))],
    ).drop(columns="at")


@one_thread
def measure(name: str, messages: pd.DataFrame) -> None:
    """Choose, fit and judge as ml.questions.topics does, and print."""
    texts = documents(words(pl.from_pandas(messages)))
    ends = texts["minute_at"].sort_values(kind="stable").iloc[int(len(texts) * (1 - LATER))]
    early, late = (
        texts[mask].reset_index(drop=True) for mask in (texts["minute_at"] < ends, texts["minute_at"] >= ends)
    )
    every = messages.drop_duplicates(["broadcast_id", "minute_at"])
    best = choose(early, late)[0]
    own, rival = best.model, lda(best.count).fit(early["text"])
    ours, theirs, chance = top_terms(own), top_terms(rival), by_chance(own, best.count)
    order = {b: n for n, b in enumerate(dict.fromkeys(early["broadcast_id"]))}
    odd = early["broadcast_id"].map(order) % 2 == 1
    halves = [top_terms(lda(best.count).fit(early.loc[mask, "text"])) for mask in (odd, ~odd)]
    redrawn = top_terms(lda(best.count, 1).fit(early["text"]))
    vocabulary = set(own[0].get_feature_names_out())
    coverage = np.mean([any(w in vocabulary for w in text.split()) for text in late["text"]])
    print(
        f"{name}: {len(messages):,} messages or titles, {len(every):,} documents, {len(texts):,} with a counted word; "
        f"learned from {len(early):,}, judged on {len(late):,}; {len(vocabulary):,} terms; "
        f"{best.count} topics (of {COUNTS})"
    )
    for label, terms in (("NMF", ours), ("LDA", theirs), ("terms by chance", chance)):
        print(f"  {label}: NPMI {np.mean(coherence(terms, late['text'])):+.3f}, diversity {diversity(terms):.2f}")
    for label, others in (("LDA", theirs), ("chance", chance)):
        drawn = gains(ours, others, late["text"])
        low, high = np.percentile(drawn[1:], [2.5, 97.5])
        print(f"  NMF over {label}: {drawn[0]:+.3f} [{low:+.3f}, {high:+.3f}]")
    print(
        f"  stability between halves: NMF {best.stability:.2f}, LDA {stability(*halves):.2f}; between seeds: NMF "
        f"{stability(ours, top_terms(nmf(best.count).fit(early['text']))):.2f}, LDA {stability(theirs, redrawn):.2f}; "
        f"later documents with a term {coverage:.2f}"
    )
    for terms in ours:
        print("   ", " ".join(terms[:6]))


def main() -> None:
    measure("stellive titles", stellive())
    measure("helix titles", helix())
    measure("VOD chat", chat())


if __name__ == "__main__":
    main()
