"""Topics: planted subjects are found, their numbers are those worked out by hand, their ids stay."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from ml.questions.topics import bertopic, fit

SUBJECTS = {
    "cooking": ["butter", "garlic", "oven", "pepper", "recipe", "salt", "onion", "flour", "simmer", "whisk"],
    "racing": ["brake", "corner", "engine", "lap", "pit", "tyre", "overtake", "podium", "grid", "chicane"],
    "chess": ["bishop", "gambit", "knight", "pawn", "queen", "rook", "castle", "stalemate", "endgame", "opening"],
    "garden": ["bloom", "hedge", "lawn", "compost", "seed", "soil", "shovel", "weed", "tulip", "mulch"],
    "music": ["bass", "chord", "drum", "guitar", "melody", "verse", "tempo", "treble", "singer", "encore"],
    "space": ["comet", "lunar", "orbit", "planet", "rocket", "galaxy", "nebula", "probe", "meteor", "crater"],
    "sewing": ["button", "cloth", "needle", "seam", "stitch", "thread", "zipper", "fabric", "hem", "pattern"],
    "sailing": ["anchor", "harbour", "keel", "mast", "rudder", "wave", "jib", "starboard", "regatta", "buoy"],
}


def minutes(subjects: list[str], count: int, seed: int = 1) -> pd.DataFrame:
    """Minutes of four words of one subject each, in broadcasts of thirty minutes."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(SUBJECTS[name], 4, replace=False)) for name in rng.choice(subjects, count)]
    return pd.DataFrame({"broadcast_id": [f"b{n // 30}" for n in range(count)], "text": texts})


def own_subjects(terms: list[list[str]]) -> list[str]:
    """The subject whose words a topic's heaviest terms are; fails where they are of several."""
    names = [{name for name, words in SUBJECTS.items() for term in row if term in words} for row in terms]
    assert all(len(subjects) == 1 for subjects in names), names
    return sorted(subjects.pop() for subjects in names)


def test_every_planted_subject_has_a_topic_of_its_words() -> None:
    texts = minutes(list(SUBJECTS), 800)["text"]
    assert own_subjects(fit.top_terms(fit.fitted("nmf", 8, texts))) == sorted(SUBJECTS)


def test_coherence_is_one_for_words_that_only_come_together_and_minus_one_for_words_that_never_meet() -> None:
    texts = pd.Series(["salt pepper", "salt pepper", "lap", "pit"])
    together, apart, absent = fit.coherence([["salt", "pepper"], ["lap", "pit"], ["salt", "rook"]], texts)
    assert (together, apart, absent) == (pytest.approx(1.0), -1.0, -1.0)
    # P(a) = 1/2, P(b) = 3/4, P(a, b) = 1/2: ln(4/3) / ln 2 (Bouma 2009)
    mixed = fit.coherence([["salt", "pepper"]], pd.Series(["salt pepper", "salt pepper", "pepper", "lap"]))
    assert mixed == [pytest.approx(np.log(4 / 3) / np.log(2))]


def test_stability_matches_topics_whatever_their_order_and_diversity_counts_shared_terms() -> None:
    one, other = [["a", "b"], ["c", "d"]], [["c", "d"], ["a", "x"]]
    assert fit.stability(one, other) == pytest.approx((1 + 1 / 3) / 2)
    assert fit.diversity([["a", "b"], ["a", "c"]]) == 0.75


def test_the_number_of_topics_is_that_of_the_subjects() -> None:
    early, late = minutes(list(SUBJECTS), 900), minutes(list(SUBJECTS), 300, seed=2)
    best = fit.choose(early, late)[0]
    assert best.count == len(SUBJECTS)
    # P(a) = 1/20 and P(a, b) = 1/60 for two words of a subject.
    assert best.coherence == pytest.approx(np.log(400 / 60) / np.log(60), abs=0.03)
    assert best.stability > 0.8


def test_ids_follow_their_topics_and_a_new_subject_gets_a_new_one() -> None:
    first = [name for name in SUBJECTS if name != "sailing"]
    later = [name for name in SUBJECTS if name != "cooking"]
    before = fit.fitted("nmf", 7, minutes(first, 700)["text"])
    now = fit.fitted("nmf", 7, minutes(later, 700, seed=3)["text"])
    ids = fit.match(before, None, [])
    kept = dict(zip(subject_by_topic(before), ids, strict=True))
    later_ids = dict(zip(subject_by_topic(now), fit.match(now, before, ids), strict=True))
    assert later_ids.pop("sailing") == 7
    assert later_ids == {name: kept[name] for name in kept if name != "cooking"}


def subject_by_topic(model: object) -> list[str]:
    return [own_subjects([row])[0] for row in fit.top_terms(model)]


def test_minutes_without_a_known_word_have_no_topic_and_others_their_own() -> None:
    model = fit.fitted("nmf", 8, minutes(list(SUBJECTS), 800)["text"])
    topics = fit.Topics({"c": model}, {"c": list(range(10, 18))})
    asked = pd.DataFrame(
        {"creator_id": ["c", "c", "c", "other"], "text": ["lap pit tyre", "brake engine", "zzz", "lap pit tyre"]}
    )
    racing, same, unknown, stranger = topics.predict(asked)
    assert racing == same == 10 + subject_by_topic(model).index("racing")
    assert unknown == stranger == -1


def test_a_clusters_weight_in_a_minute_is_the_cosine_of_their_terms() -> None:
    clusters = bertopic.ClusterTerms()
    clusters.components_ = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 2.0]])
    model = make_pipeline(CountVectorizer().fit(["lap pit salt"]), clusters)
    assert model.transform(["lap", "lap pit", "salt", "zzz"]) == pytest.approx(
        np.array([[0.6, 0.0], [1.4 / np.sqrt(2), 0.0], [0.0, 1.0], [0.0, 0.0]])
    )


def test_bertopic_is_wanted_by_naming_an_embedding_model_and_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FULLHOUSE_EMBEDDING_MODEL", raising=False)
    assert fit.kind_wanted() == "nmf"
    monkeypatch.setenv("FULLHOUSE_EMBEDDING_MODEL", "/models/mine")
    assert fit.kind_wanted() == "bertopic"
    monkeypatch.setitem(sys.modules, "bertopic", None)
    with pytest.raises(ValueError, match=r"FULLHOUSE_EMBEDDING_MODEL is set .* pip install 'full-house\[bertopic\]'"):
        fit.fitted("bertopic", 8, minutes(["chess"], 30)["text"])


def test_bertopic_finds_the_planted_subjects_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bertopic")
    # An embedding in which the words of a subject lie together: the mean of one direction per subject.
    place = {word: n for n, words in enumerate(SUBJECTS.values()) for word in words}
    noise = np.random.default_rng(4)

    class Encoder:
        def encode(self, texts: list[str], **_: object) -> np.ndarray:
            means = np.array([np.bincount([place[w] for w in text.split()], minlength=8) / 4 for text in texts])
            return means + noise.normal(0, 0.05, means.shape)

    monkeypatch.setattr(bertopic, "_encoder", lambda name: Encoder())
    texts = minutes(list(SUBJECTS), 800)["text"]
    model = fit.fitted("bertopic", 8, texts)
    assert own_subjects(fit.top_terms(model)) == sorted(SUBJECTS)
    assert fit.top_terms(model) == fit.top_terms(fit.fitted("bertopic", 8, texts))
