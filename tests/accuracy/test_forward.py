"""The forward pass against one written differently: float64, a token, a head and a number at a time."""

import math

import numpy as np
import pytest

from amxfp4.accuracy.baseline import Baseline
from amxfp4.accuracy.forward import FloatProducts, encode
from amxfp4.accuracy.weights import LINEAR_KINDS, Encoder


def plain(encoder: Encoder, sentence: list[int]) -> tuple[list[np.ndarray], np.ndarray]:
    """Hidden states of one sentence after each layer, and its embedding."""
    of = {name: value.astype(np.float64) for name, value in encoder.parameters.items()}

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        deviation = math.sqrt(x.var() + encoder.epsilon)
        return (x - x.mean()) / deviation * of[f"{name}.weight"] + of[f"{name}.bias"]

    def linear(x: np.ndarray, layer: int, kind: str) -> np.ndarray:
        name = f"encoder.layer.{layer}.{LINEAR_KINDS[kind]}"
        return np.einsum("oi,i->o", of[f"{name}.weight"], x) + of[f"{name}.bias"]

    tokens = [
        norm(
            of["embeddings.word_embeddings.weight"][token]
            + of["embeddings.position_embeddings.weight"][position]
            + of["embeddings.token_type_embeddings.weight"][0],
            "embeddings.LayerNorm",
        )
        for position, token in enumerate(sentence)
    ]
    states = []
    for layer in range(encoder.layers):
        query, key, value = ([linear(x, layer, kind) for x in tokens] for kind in ("query", "key", "value"))
        size = len(query[0]) // encoder.heads
        after = []
        for index, x in enumerate(tokens):
            mixed = np.zeros_like(x)
            for head in range(encoder.heads):
                part = slice(head * size, (head + 1) * size)
                powers = [math.exp(query[index][part] @ k[part] / math.sqrt(size)) for k in key]
                for power, v in zip(powers, value, strict=True):
                    mixed[part] += power / sum(powers) * v[part]
            name = f"encoder.layer.{layer}"
            x = norm(x + linear(mixed, layer, "attention output"), f"{name}.attention.output.LayerNorm")
            inner = [u / 2 * (1 + math.erf(u / math.sqrt(2))) for u in linear(x, layer, "feed-forward in")]
            after.append(norm(x + linear(np.array(inner), layer, "feed-forward out"), f"{name}.output.LayerNorm"))
        tokens = after
        states.append(np.array(tokens))
    mean = np.mean(tokens, axis=0)
    return states, mean / math.sqrt((mean * mean).sum())


def test_every_state_and_embedding(baseline: Baseline) -> None:
    states, embeddings = encode(baseline.encoder, baseline.tokens, FloatProducts())
    expected = [plain(baseline.encoder, sentence) for sentence in baseline.tokens]
    for layer, state in enumerate(states):
        assert state.dtype == np.float32
        np.testing.assert_allclose(state, np.concatenate([one[layer] for one, _ in expected]), atol=1e-5)
    np.testing.assert_allclose(embeddings, [embedding for _, embedding in expected], atol=1e-6)


def test_sentences_do_not_see_each_other(baseline: Baseline) -> None:
    _, together = encode(baseline.encoder, baseline.tokens, FloatProducts())
    _, alone = encode(baseline.encoder, baseline.tokens[4:5], FloatProducts())
    np.testing.assert_allclose(together[4:5], alone, atol=1e-6)


def test_products_are_asked_for_by_layer_and_kind(encoder: Encoder) -> None:
    asked: list[tuple[int, str]] = []

    class Noting(FloatProducts):
        def linear(self, layer, kind, x, weight):  # type: ignore[no-untyped-def]
            asked.append((layer, kind))
            return super().linear(layer, kind, x, weight)

        def attention(self, layer, kind, pairs):  # type: ignore[no-untyped-def]
            asked.append((layer, kind))
            return super().attention(layer, kind, pairs)

    encode(encoder, [[1, 2, 3], [4]], Noting())
    first, last = ["query", "key", "value"], ["attention output", "feed-forward in", "feed-forward out"]
    order = [*first, "query x key", "probability x value", *last]
    assert asked == [(layer, kind) for layer in range(encoder.layers) for kind in order]


@pytest.mark.parametrize("wrong", ["gelu", "root", "bias"])
def test_a_wrong_forward_pass_is_seen(baseline: Baseline, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above is worth something: small departures exceed its tolerance."""
    from amxfp4.accuracy import forward

    if wrong == "gelu":
        tanh = lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))  # noqa: E731
        monkeypatch.setattr(forward, "gelu", tanh)
    elif wrong == "root":
        monkeypatch.setattr(forward, "sqrt", lambda size: math.sqrt(size + 1))
    else:
        monkeypatch.setattr(Encoder, "bias", lambda self, layer, kind: np.float32(0))
    _, embeddings = encode(baseline.encoder, baseline.tokens, FloatProducts())
    expected = [plain(baseline.encoder, sentence)[1] for sentence in baseline.tokens]
    assert np.abs(embeddings - expected).max() > 1e-5
