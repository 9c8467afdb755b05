"""An encoder from files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from amxfp4.accuracy.weights import LINEAR_KINDS, Encoder, load_encoder
from amxfp4.errors import UsageError


def test_files_give_what_went_into_them(folder: Path, encoder: Encoder) -> None:
    found = load_encoder(folder)
    assert (found.heads, found.layers, found.epsilon) == (encoder.heads, encoder.layers, encoder.epsilon)
    assert found.parameters.keys() == encoder.parameters.keys()  # not the integer positions
    for layer in range(encoder.layers):
        for kind in LINEAR_KINDS:
            np.testing.assert_array_equal(found.weight(layer, kind), encoder.weight(layer, kind))
            assert found.bias(layer, kind).shape == found.weight(layer, kind).shape[:1]


@pytest.mark.parametrize(
    ("key", "value"), [("model_type", "gpt2"), ("hidden_act", "relu"), ("position_embedding_type", "relative_key")]
)
def test_another_arithmetic_is_refused(folder: Path, tmp_path: Path, key: str, value: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(UsageError, match=f"the model's {key} is '{value}'"):
        load_encoder(tmp_path)


def test_missing_weights_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "config.json", tmp_path)
    with pytest.raises(UsageError, match=r"model\.safetensors"):
        load_encoder(tmp_path)
