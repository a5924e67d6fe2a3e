"""The topics of one creator: by NMF or BERTopic, how many, their terms, the rival LDA, and ids that stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import normalize

from ml.questions.topics import bertopic
from ml.seeds import generator, seed

TRUSTED = ["ml.questions.topics.fit.Topics", "ml.questions.topics.bertopic.ClusterTerms", "numpy.dtype"]
NAMES = {"nmf": "NMF", "bertopic": "BERTopic", "lda": "LDA", "chance": "terms by chance"}
COUNTS = (8, 12)
TERMS = 10
# Words of over a fifth of the minutes, and English function words, name no subject.
SHAPE = {"token_pattern": r"\S+", "lowercase": False, "min_df": 5, "max_df": 0.2, "stop_words": "english"}
# Two topics whose weights point this much the same way are the same one.
SAME = 0.3


def nmf(count: int) -> Pipeline:
    """Deterministic: nndsvd starts from the decomposition, not from chance."""
    factors = NMF(n_components=count, init="nndsvd", max_iter=150, tol=1e-3, random_state=seed("topics"))
    return make_pipeline(TfidfVectorizer(sublinear_tf=True, **SHAPE), factors)


def kind_wanted() -> str:
    """What finds the topics: BERTopic where the user names an embedding model, else NMF."""
    return "bertopic" if bertopic.embedding_model() else "nmf"


def fitted(kind: str, count: int, texts: pd.Series) -> Pipeline:
    """Topics of these texts by NMF or BERTopic, `count` or (BERTopic) fewer: a vectorizer and weights of its terms."""
    return bertopic.fit(count, texts, SHAPE) if kind == "bertopic" else nmf(count).fit(texts)


def lda(count: int, draw: int = 0) -> Pipeline:
    """Latent Dirichlet allocation on counts: the challenger.

    A document's topics are settled when they move by less than a hundredth: as coherent as with the default of a
    thousandth, in two thirds of the time.
    """
    factors = LatentDirichletAllocation(
        n_components=count,
        learning_method="online",
        max_iter=5,
        mean_change_tol=1e-2,
        random_state=seed("topics", "lda", draw),
    )
    return make_pipeline(CountVectorizer(**SHAPE), factors)


def top_terms(model: Pipeline, count: int = TERMS) -> list[list[str]]:
    """The heaviest terms of each topic, heaviest first; equal weights by alphabet."""
    names = model[0].get_feature_names_out()
    return [[str(names[i]) for i in np.lexsort((names, -row))[:count]] for row in model[-1].components_]


def coherence(terms: list[list[str]], texts: pd.Series) -> list[float]:
    """Mean normalised pointwise mutual information of each topic's term pairs over documents (Bouma 2009).

    A pair that never meets counts -1; a term that is not there counts as such a pair.
    """
    return _coherences(terms, *presence(terms, texts))


def presence(terms: list[list[str]], texts: pd.Series) -> tuple[list[str], csr_matrix]:
    """The terms, and which document holds which."""
    vocabulary = sorted({t for row in terms for t in row})
    counter = CountVectorizer(
        token_pattern=r"\S+", lowercase=False, binary=True, vocabulary=vocabulary, dtype=np.float64
    )
    return vocabulary, csr_matrix(counter.transform(texts))


def _coherences(terms: list[list[str]], vocabulary: list[str], present: csr_matrix) -> list[float]:
    together = np.asarray((present.T @ present).todense()) / max(1, present.shape[0])
    alone = np.diag(together)
    with np.errstate(divide="ignore", invalid="ignore"):
        pmi = np.log(together / np.outer(alone, alone)) / -np.log(together)
    pmi = np.where(together > 0, np.where(together >= 1, 1.0, pmi), -1.0)
    place = {term: n for n, term in enumerate(vocabulary)}
    means = []
    for row in terms:
        inside = [place[t] for t in row]
        pairs = [pmi[a, b] for n, a in enumerate(inside) for b in inside[n + 1 :]]
        means.append(float(np.mean(pairs)) if pairs else float("nan"))
    return means


def gains(terms: list[list[str]], of_rival: list[list[str]], texts: pd.Series, draws: int = 200) -> np.ndarray:
    """Mean coherence of topics minus a rival's: on all documents first, then on resampled ones."""
    vocabulary, present = presence([*terms, *of_rival], texts)
    rng = generator("topics", "gain")
    samples = [np.arange(present.shape[0]), *rng.integers(0, present.shape[0], (draws, present.shape[0]))]
    return np.array(
        [
            np.mean(_coherences(terms, vocabulary, present[i])) - np.mean(_coherences(of_rival, vocabulary, present[i]))
            for i in samples
        ]
    )


def by_chance(model: Pipeline, count: int) -> list[list[str]]:
    """Terms drawn from the model's vocabulary, without looking at topics: what coherence is worth nothing."""
    names = model[0].get_feature_names_out()
    rng = generator("topics", "chance")
    return [[str(t) for t in rng.choice(names, min(TERMS, len(names)), replace=False)] for _ in range(count)]


def stability(one: list[list[str]], other: list[list[str]]) -> float:
    """Mean overlap (Jaccard) of the terms of topics matched one to one."""
    overlap = np.array([[len({*a} & {*b}) / len({*a} | {*b}) for b in other] for a in one])
    rows, columns = linear_sum_assignment(-overlap)
    return float(overlap[rows, columns].mean())


def diversity(terms: list[list[str]]) -> float:
    """Share of different terms among all top terms."""
    every = [t for row in terms for t in row]
    return len(set(every)) / len(every)


@dataclass(frozen=True)
class Choice:
    """A number of topics with what spoke for it, and the topics of the early minutes."""

    model: Pipeline
    count: int
    coherence: float
    stability: float
    diversity: float


def choose(early: pd.DataFrame, late: pd.DataFrame, kind: str = "nmf") -> list[Choice]:
    """Each candidate number of topics, the best first: coherence on the later week plus stability between halves.

    The halves are the odd and the even broadcasts: a topic that only one stream had is in one of them.
    """
    order = {b: n for n, b in enumerate(dict.fromkeys(early["broadcast_id"]))}
    odd = early["broadcast_id"].map(order) % 2 == 1
    choices = []
    for count in COUNTS:
        model = fitted(kind, count, early["text"])
        terms = top_terms(model)
        halves = [top_terms(fitted(kind, count, early.loc[mask, "text"])) for mask in (odd, ~odd)]
        mean = float(np.mean(coherence(terms, late["text"])))
        choices.append(Choice(model, count, mean, stability(*halves), diversity(terms)))
    return sorted(choices, key=lambda c: -(c.coherence + c.stability))


class Topics(BaseEstimator):  # type: ignore[misc]
    """The topics of every creator: pipelines and topic ids by creator."""

    def __init__(self, models: dict[str, Pipeline] | None = None, ids: dict[str, list[int]] | None = None) -> None:
        self.models = models
        self.ids = ids

    def __sklearn_is_fitted__(self) -> bool:
        return self.models is not None

    def weights(self, creator: str, texts: pd.Series) -> np.ndarray:
        """Share of each topic in each document; a row of zeros where it holds no known term."""
        return np.asarray(normalize((self.models or {})[creator].transform(texts), norm="l1"))

    def predict(self, documents: pd.DataFrame) -> np.ndarray:
        """The main topic of each (creator_id, text); -1 where the creator or every term is unknown."""
        topics = np.full(len(documents), -1)
        for creator in self.models or {}:
            mask = (documents["creator_id"] == creator).to_numpy()
            if mask.any():
                shares = self.weights(creator, documents.loc[mask, "text"])
                main = np.asarray((self.ids or {})[creator])[shares.argmax(axis=1)]
                topics[mask] = np.where(shares.sum(axis=1) > 0, main, -1)
        return topics


def match(model: Pipeline, before: Pipeline | None, ids: list[int]) -> list[int]:
    """Ids for the topics of a model: those of the earlier model's topics they are closest to, else new ones."""
    count = len(model[-1].components_)
    if before is None:
        return list(range(count))
    names, earlier = (list(m[0].get_feature_names_out()) for m in (model, before))
    place = {term: n for n, term in enumerate(earlier)}
    shared = [(n, place[t]) for n, t in enumerate(names) if t in place]
    if not shared:
        return list(range(max(ids) + 1, max(ids) + 1 + count))
    now, then = (list(side) for side in zip(*shared, strict=True))
    closeness = normalize(model[-1].components_[:, now]) @ normalize(before[-1].components_[:, then]).T
    rows, columns = linear_sum_assignment(-closeness)
    kept = {int(r): ids[int(c)] for r, c in zip(rows, columns, strict=True) if closeness[r, c] >= SAME}
    fresh = iter(range(max(ids) + 1, max(ids) + 1 + count))
    return [kept[n] if n in kept else next(fresh) for n in range(count)]
