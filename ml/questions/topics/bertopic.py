"""Topics by BERTopic with the user's own embedding model, in place of NMF (Grootendorst 2022, arXiv:2203.05794).

Minutes that mean something alike are clustered in the space of the embeddings; what a version keeps is the weight of
every term in every cluster (class-based TF-IDF), so that scoring needs neither BERTopic nor the embedding model.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import normalize

from ml.seeds import seed

# A folder of sentence-transformers, or a name in its hub.
MODEL = "FULLHOUSE_EMBEDDING_MODEL"
LEAST_MINUTES = 10


def embedding_model() -> str | None:
    """The embedding model the user named; None where none is named, and NMF finds the topics."""
    return os.environ.get(MODEL) or None


class ClusterTerms(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Topics as weights of terms; a document's weight of a topic is the cosine of their terms."""

    components_: np.ndarray

    def fit(self, counts: csr_matrix, labels: np.ndarray) -> ClusterTerms:
        """Weigh the terms of each cluster, by (documents x terms) and the cluster of each document, -1 for none."""
        from bertopic.vectorizers import ClassTfidfTransformer

        members = csr_matrix(labels[:, None] == np.unique(labels[labels >= 0])).astype(counts.dtype)
        with np.errstate(divide="ignore"):  # a term of no cluster has no weight in any, however rare it is
            self.components_ = ClassTfidfTransformer().fit_transform(csr_matrix(members.T @ counts)).toarray()
        return self

    def transform(self, counts: csr_matrix) -> np.ndarray:
        """(documents x topics) of 0 to 1; a row of zeros where no term is known."""
        cosines: np.ndarray = (normalize(counts.astype(float)) @ csr_matrix(normalize(self.components_)).T).toarray()
        return cosines


def fit(count: int, texts: pd.Series, shape: dict[str, Any]) -> Pipeline:
    """At most `count` topics of these texts; `shape` says which terms count. The same texts give the same topics.

    Raises ValueError, saying what to do, where BERTopic or the embedding model is not there.
    """
    return make_pipeline(CountVectorizer(**shape), ClusterTerms()).fit(texts, _clusters(count, texts))


def _clusters(count: int, texts: pd.Series) -> np.ndarray:
    """The cluster of each text, -1 for none; one cluster of all where none stands out."""
    try:
        from bertopic import BERTopic
        from umap import UMAP
    except ImportError as error:
        raise ValueError(
            f"{MODEL} is set and BERTopic is not installed ({error}): pip install 'full-house[bertopic]', or unset it"
        ) from None
    # BERTopic counts what belongs to no topic as one; its own terms only decide which clusters are alike.
    model = BERTopic(
        embedding_model=None,
        umap_model=UMAP(n_components=5, min_dist=0.0, metric="cosine", random_state=seed("topics", "umap")),
        vectorizer_model=CountVectorizer(token_pattern=r"\S+", lowercase=False),
        min_topic_size=LEAST_MINUTES,
        nr_topics=count + 1,
    )
    clusters = np.asarray(model.fit_transform(texts.to_list(), embeddings=_embedded(texts))[0])
    return clusters if (clusters >= 0).any() else np.zeros(len(clusters), dtype=int)


def _embedded(texts: pd.Series) -> np.ndarray:
    """The vector of each text; each different text is embedded once in a process."""
    name = embedding_model() or ""
    vectors = _vectors(name)
    new = [text for text in texts.unique() if text not in vectors]
    if new:
        vectors.update(zip(new, np.asarray(_encoder(name).encode(new, show_progress_bar=False)), strict=True))
    return np.stack([vectors[text] for text in texts])


@cache
def _vectors(name: str) -> dict[str, np.ndarray]:
    return {}


@cache
def _encoder(name: str) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(name, device="cpu")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"the embedding model {name!r} cannot be read; set {MODEL} to a folder that sentence-transformers saved: "
            f"{error}"
        ) from None
