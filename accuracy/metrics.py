"""How close embeddings come to others: cosines, rank correlation, paraphrases. Signal to noise is in `golden.error`."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def row_cosines(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """The cosine (rows,) of the angle between each row of `a` and the same row of `b`, both (rows, columns)."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def pairwise_cosines(rows: ArrayLike) -> NDArray[np.float64]:
    """The cosines (n (n - 1) / 2,) of every two different rows, each pair once."""
    rows = np.asarray(rows, np.float64)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return (unit @ unit.T)[np.triu_indices(len(rows), 1)]


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation of two samples of equal length. Ties share the mean of their ranks.

    It is NaN where a sample has a NaN, or where all its values are equal.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if np.isnan(a).any() or np.isnan(b).any():
        return float("nan")
    x, y = _ranks(a), _ranks(b)
    x, y = x - x.mean(), y - y.mean()
    spread = np.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / spread) if spread else float("nan")


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def paraphrases_found(embeddings: ArrayLike, groups: ArrayLike) -> float:
    """The share of the sentences with a paraphrase whose nearest other sentence, by cosine, is a paraphrase.

    Args:
        embeddings: the sentences' embeddings, (sentences, size).
        groups: a number for each sentence, (sentences,), which paraphrases share.
    """
    rows = np.asarray(embeddings, np.float64)
    groups = np.asarray(groups)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    has_one = (groups[:, None] == groups[None, :]).sum(axis=1) > 1
    found = groups[similarity.argmax(axis=1)] == groups
    return float(found[has_one].mean())


def clustered_error(values: ArrayLike, groups: ArrayLike) -> float:
    """The standard error of the mean of `values`, of which those of one group may go together.

    Args:
        values: one per sentence, (sentences,).
        groups: a number for each sentence, (sentences,), which paraphrases share.

    Returns:
        The square root of G / (G - 1) times the sum over G groups of (sum of deviations in the group)^2, over the
        number of values. NaN where there is only one group.
    """
    deviations = np.asarray(values, np.float64)
    deviations = deviations - deviations.mean()
    _, members = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(members, deviations)
    if len(sums) < 2:
        return float("nan")
    return float(np.sqrt(len(sums) / (len(sums) - 1) * np.square(sums).sum()) / len(deviations))
