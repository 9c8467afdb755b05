"""The float32 model's run, and what of it is handed out."""

from pathlib import Path

import numpy as np
import pytest

from amxfp4.accuracy.baseline import ATTENTION_OPERANDS, LINEAR_INPUTS, WEIGHTS, Baseline
from amxfp4.accuracy.sentences import read_sentences
from amxfp4.accuracy.weights import LINEAR_KINDS


def test_all_sentences_or_a_fifth(folder: Path) -> None:
    sentences = read_sentences()
    quick = Baseline.run(folder, quick=True)
    assert quick.texts == tuple(t for t, g in zip(sentences.texts, sentences.groups, strict=True) if g % 5 == 0)
    assert len(quick.tokens) == len(quick.groups) == len(quick.embeddings) == len(quick.texts)
    assert 0.1 < len(quick.texts) / len(sentences.texts) < 0.3
    full = Baseline.run(folder, quick=False)
    assert (full.texts, full.groups) == (sentences.texts, sentences.groups)
    index = full.texts.index(quick.texts[3])
    np.testing.assert_allclose(full.embeddings[index], quick.embeddings[3], atol=1e-6)


@pytest.mark.parametrize("name", [*LINEAR_INPUTS, *ATTENTION_OPERANDS])
def test_activations_by_sentence(baseline: Baseline, name: str) -> None:
    lengths = [len(sentence) for sentence in baseline.tokens]
    found = baseline.activations(name, 1)
    if name in LINEAR_INPUTS:
        assert [len(x) for x in found] == lengths
        np.testing.assert_array_equal(np.concatenate(found), baseline.products.inputs[1, LINEAR_INPUTS[name]])
        return
    last = lengths if name in ("probability", "value") else [16] * len(lengths)
    assert [x.shape[-1] for x in found] == last  # what is summed over
    rows = [16] * len(lengths) if name == "value" else lengths
    assert [x.shape[1] for x in found] == rows


def test_samples_are_every_fourth(baseline: Baseline) -> None:
    x = baseline.products.inputs[0, "key"]
    np.testing.assert_array_equal(baseline.linear_sample(0, "key"), x[[*range(0, len(x), 4)]])
    pairs = baseline.attention_sample(1, "query x key")
    assert [a.shape[1] for a, _ in pairs] == [len(sentence) for sentence in baseline.tokens[::4]]


def test_every_linear_layer_has_its_weight_and_input() -> None:
    assert set(WEIGHTS.values()) == set(LINEAR_KINDS)
    assert set(LINEAR_INPUTS.values()) | {"key", "value"} == set(LINEAR_KINDS)
