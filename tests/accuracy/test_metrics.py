"""The measures against their definitions."""

import numpy as np
import pytest

from amxfp4.accuracy.metrics import clustered_error, pairwise_cosines, paraphrases_found, row_cosines, spearman


def test_row_cosines() -> None:
    a, b = np.array([[1.0, 0], [1, 1], [2, 0]]), np.array([[0, 3.0], [1, 1], [-1, 0]])
    np.testing.assert_allclose(row_cosines(a, b), [0, 1, -1], atol=1e-15)


def test_pairwise_cosines() -> None:
    rows = np.random.default_rng(1).standard_normal((5, 3))
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    expected = [row_cosines(rows[i : i + 1], rows[j : j + 1])[0] for i, j in pairs]
    np.testing.assert_allclose(pairwise_cosines(rows), expected)


def test_spearman() -> None:
    a = np.array([1.0, 5, 2, 9])
    assert spearman(a, np.exp(a)) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4, and Pearson's formula by hand.
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)
    assert np.isnan(spearman([1, 1], [1, 2]))
    assert np.isnan(spearman([1, np.nan], [1, 2]))


def test_paraphrases_found() -> None:
    embeddings = np.array([[1, 0], [1, 0.1], [0, 1], [1, 0.25], [-1, 0]])
    # 0 and 1 find each other; 2 has 3 as its paraphrase, finds it, but 3 finds 1; 4 has none.
    assert paraphrases_found(embeddings, [0, 0, 1, 1, 2]) == pytest.approx(3 / 4)


def test_the_error_of_a_mean() -> None:
    values = np.random.default_rng(2).standard_normal(10)
    alone = clustered_error(values, range(10))
    assert alone == pytest.approx(values.std(ddof=1) / 10**0.5)
    # Each value twice says no more than once.
    assert clustered_error(np.repeat(values, 2), np.repeat(np.arange(10), 2)) == pytest.approx(alone)
    assert clustered_error(np.repeat(values, 2), range(20)) < 0.8 * alone
    assert np.isnan(clustered_error(values, [3] * 10))
