"""The real model against what its own library gives."""

from pathlib import Path

import numpy as np
import pytest

from amxfp4.accuracy.forward import FloatProducts, encode
from amxfp4.accuracy.published import PUBLISHED, TOLERANCE, published_difference
from amxfp4.accuracy.sentences import read_sentences, tokenize
from amxfp4.accuracy.weights import load_encoder


def known() -> tuple[list[str], np.ndarray]:
    with np.load(PUBLISHED) as file:
        return file["texts"].tolist(), file["embeddings"]


def test_they_are_of_the_projects_sentences() -> None:
    texts, embeddings = known()
    sentences = read_sentences()
    assert texts == [t for t, group in zip(sentences.texts, sentences.groups, strict=True) if group % 10 == 0]
    assert embeddings.shape == (len(texts), 384)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-6)


def test_the_largest_difference_of_known_texts() -> None:
    texts, embeddings = known()
    other = embeddings[:3].copy()
    other[1, 7] += 0.25
    other[2] += 9  # of no known text
    assert published_difference([texts[0], texts[1], "something else"], other) == pytest.approx(0.25)
    assert published_difference(["something else"], other[:1]) is None
    assert published_difference(texts[:3], other[:, :32]) is None


def test_the_real_model_agrees(real_folder: Path) -> None:
    texts, _ = known()
    _, found = encode(load_encoder(real_folder), tokenize(real_folder, tuple(texts)), FloatProducts())
    difference = published_difference(texts, found)
    assert difference is not None
    assert difference < TOLERANCE / 50
