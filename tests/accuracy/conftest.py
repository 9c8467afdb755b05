"""A small encoder with random parameters, in memory and as files: no network, no real model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from amxfp4.accuracy.baseline import Baseline
from amxfp4.accuracy.package import DEFAULT_FOLDER, is_installed, model_folder
from amxfp4.accuracy.sentences import read_sentences
from amxfp4.accuracy.study import run_study
from amxfp4.accuracy.variants import VARIANTS, measure_variant
from amxfp4.accuracy.weights import LINEAR_KINDS, Encoder

ROOT = Path(__file__).parents[2]

LAYERS, HEADS, HIDDEN, INNER = 2, 2, 32, 64
EPSILON = 1e-12
WORDS = 60


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the study's result run in one worker, so that it is made once."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "result" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("accuracy study"))


def parameters() -> dict[str, np.ndarray]:
    """Under the names that the model's files have."""
    rng = np.random.default_rng(50)

    def normal(*shape: int, deviation: float = 1) -> np.ndarray:
        return (rng.standard_normal(shape) * deviation).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": normal(WORDS, HIDDEN),
        "embeddings.position_embeddings.weight": normal(64, HIDDEN, deviation=0.3),
        "embeddings.token_type_embeddings.weight": normal(2, HIDDEN, deviation=0.3),
    }
    sizes = {"feed-forward in": (INNER, HIDDEN), "feed-forward out": (HIDDEN, INNER)}
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        for kind, name in LINEAR_KINDS.items():
            outputs, inputs = sizes.get(kind, (HIDDEN, HIDDEN))
            found[f"encoder.layer.{layer}.{name}.weight"] = normal(outputs, inputs, deviation=inputs**-0.5)
            found[f"encoder.layer.{layer}.{name}.bias"] = normal(outputs, deviation=0.1)
        norms += [f"encoder.layer.{layer}.{part}.LayerNorm" for part in ("attention.output", "output")]
    for name in norms:
        found[f"{name}.weight"] = 1 + normal(HIDDEN, deviation=0.1)
        found[f"{name}.bias"] = normal(HIDDEN, deviation=0.1)
    return found


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """Two layers, two heads, 32 features."""
    return Encoder(HEADS, LAYERS, EPSILON, parameters())


@pytest.fixture(scope="session")
def baseline(encoder: Encoder) -> Baseline:
    """Twenty sentences of 1 to 20 tokens, in pairs of paraphrases that share their words."""
    rng = np.random.default_rng(51)
    firsts = [rng.integers(0, WORDS, length).tolist() for length in range(2, 21, 2)]
    tokens = [sentence for first in firsts for sentence in (first, first[:-1])]
    texts = tuple(" ".join(map(str, sentence)) for sentence in tokens)
    return Baseline.of(encoder, texts, tokens, tuple(index // 2 for index in range(len(tokens))))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same encoder as files, with a tokenizer that knows some words of the project's sentences."""
    folder = tmp_path_factory.mktemp("model")
    config = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "layer_norm_eps": EPSILON,
    }
    (folder / "config.json").write_text(json.dumps(config))
    other = {"embeddings.position_ids": np.arange(64)[None]}
    save_file({**parameters(), **other}, folder / "model.safetensors")
    words = sorted({word for text in read_sentences().texts for word in text.split()})
    vocabulary = {"[UNK]": 0} | {word: 1 + index for index, word in enumerate(words[: WORDS - 1])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """The published model's files, if `amxfp4 accuracy` has installed them."""
    models = ROOT / DEFAULT_FOLDER
    if not is_installed(models):
        pytest.skip(f"the model's package is not in {models}: run `amxfp4 accuracy` once")
    return model_folder(models)


@pytest.fixture(scope="session")
def result(folder: Path, baseline: Baseline) -> dict[str, Any]:
    """A quick study of the small encoder, and the variants, which a quick one leaves out."""
    steps: list[tuple[int, int]] = []
    found = run_study(folder, quick=True, jobs=2, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(done, len(steps)) for done in range(1, len(steps) + 1)]
    assert len(steps) == 1 + len(found["cases"]) + len(found["int4"])
    assert found["variants"] == []
    return {**found, "variants": [measure_variant(baseline, name) for name in VARIANTS]}
