"""What is said of the model's tensors, recounted."""

import json

import numpy as np
import pytest

from amxfp4.accuracy.baseline import ATTENTION_OPERANDS, LINEAR_INPUTS, WEIGHTS, Baseline
from amxfp4.accuracy.facts import facts
from amxfp4.accuracy.lopsided import sides_of, to_blocks
from amxfp4.accuracy.reference import reference_values
from amxfp4.accuracy.weights import LINEAR_KINDS, Encoder
from amxfp4.golden import BLOCK_FORMAT_NAMES, quantize


def test_all_of_it(baseline: Baseline) -> None:
    found = facts(baseline, (16, 32))
    json.dumps(found, allow_nan=False)
    assert found["sentences"] == len(baseline.tokens)
    assert found["tokens"] == sum(map(len, baseline.tokens))
    assert found["sentences_with_a_paraphrase"] == len(baseline.tokens)
    assert found["published_difference"] is None  # none of these sentences is known
    assert set(found["sides"]) == set(found["underflow"]) == {"16", "32"}
    assert set(found["sides"]["16"]) == {*LINEAR_INPUTS, *ATTENTION_OPERANDS, *WEIGHTS}
    weights = [baseline.encoder.weight(layer, "value") for layer in range(baseline.encoder.layers)]
    by_hand = sides_of(np.concatenate([to_blocks(weight, 16) for weight in weights]))
    assert found["sides"]["16"]["weight of value"] == by_hand.to_dict()
    assert found["sides"]["32"]["probability"]["one_sided"] == 1


@pytest.mark.parametrize("size", [16, 32])
def test_nan_is_counted_by_block_and_by_sentence(baseline: Baseline, size: int) -> None:
    found = facts(baseline, (size,))
    sentences = {"linear": set(), "linear and attention": set()}
    for name in (*LINEAR_INPUTS, *ATTENTION_OPERANDS):
        for layer in range(baseline.encoder.layers):
            count = blocks = 0
            for index, x in enumerate(baseline.activations(name, layer)):
                bad = np.isnan(reference_values(to_blocks(x, size), "nearest-away")).any(axis=1)
                count += int(bad.sum())
                blocks += len(bad)
                if bad.any():
                    sentences["linear and attention"].add(index)
                    if name in LINEAR_INPUTS:
                        sentences["linear"].add(index)
            told = found["underflow"][str(size)][name][layer]
            assert (told["blocks"], told["reference_nan_blocks"]) == (blocks, count)
    expected = {name: len(which) for name, which in sentences.items()}
    assert found["sentences_with_reference_nan"][str(size)] == expected


def test_one_feature_that_makes_the_outputs(encoder: Encoder) -> None:
    """A weight column blown up: all but everything comes of its feature."""
    name = "encoder.layer.1.output.dense.weight"
    weight = encoder.parameters[name].copy()
    weight[:, 5] *= 300
    changed = Encoder(encoder.heads, encoder.layers, encoder.epsilon, {**encoder.parameters, name: weight})
    tokens = [[1, 2, 3, 4, 5], [6, 7, 8]]
    found = facts(Baseline.of(changed, ("a", "b"), tokens, (0, 0)), (32,))["largest_feature"]
    assert found["feed-forward out"][1] == pytest.approx(1, abs=0.05)
    assert 0.02 < found["feed-forward out"][0] < 0.5
    assert set(found) == set(LINEAR_KINDS)


def test_example_blocks(baseline: Baseline) -> None:
    for example in facts(baseline, (32,))["example_blocks"]:
        before = np.float32(example["before"])
        assert before.min() < 0 < before.max()
        assert set(example["after"]) == set(BLOCK_FORMAT_NAMES)
        after = quantize(before, "AMXFP4-X2").dequantize()
        np.testing.assert_array_equal(np.float32(example["after"]["AMXFP4-X2"]), after)
        rows = np.concatenate([to_blocks(x, 32) for x in baseline.activations(example["tensor"], 0)])
        assert (rows == before).all(axis=1).any()
